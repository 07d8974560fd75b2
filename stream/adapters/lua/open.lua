#!lua
-- Mint a new epoch for one source of a bucket and return the bucket's head, in one step.
--
-- KEYS[1] bucket meta hash   KEYS[2] de-duplication marks
-- ARGV[1] field of the source's epoch
-- Returns {epoch, {meta field, value, ...}, {mark, ...}}

local marks = redis.call('LRANGE', KEYS[2], 0, -1)
local epoch = redis.call('HINCRBY', KEYS[1], ARGV[1], 1)
return {epoch, redis.call('HGETALL', KEYS[1]), marks}
