#!lua
-- Remember that customers were erased, so that nothing of them is put any more.
--
-- KEYS[1] hash of when those who were erased had been told of last (ms), by their pseudonyms
-- ARGV {pseudonym, ms} for each; what is later stays
-- Returns 1

for at = 1, #ARGV, 2 do
  local known = redis.call('HGET', KEYS[1], ARGV[at])
  if not known or tonumber(known) < tonumber(ARGV[at + 1]) then
    redis.call('HSET', KEYS[1], ARGV[at], ARGV[at + 1])
  end
end
return 1
