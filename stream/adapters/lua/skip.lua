#!lua
-- Number a bucket's next outbox row above the one given; never backwards.
--
-- KEYS[1] bucket meta hash
-- ARGV[1] row number
-- Returns the number that the next row is above

local row = redis.call('HGET', KEYS[1], 'row') or '0'
if tonumber(row) < tonumber(ARGV[1]) then
  row = ARGV[1]
  redis.call('HSET', KEYS[1], 'row', row)
end
return row
