#!lua
-- Put what is left of a message in its place, wherever it waits.
--
-- KEYS[1] hash of messages
-- ARGV[1] message id   ARGV[2] message as it was   ARGV[3] message as it becomes
-- Returns 1; 0 and nothing is written where it is another by now, or gone

if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
return 1
