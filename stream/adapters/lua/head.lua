#!lua flags=no-writes
-- Return a bucket's head as one snapshot, minting nothing.
--
-- KEYS[1] bucket meta hash   KEYS[2] de-duplication marks
-- Returns {0, {meta field, value, ...}, {mark, ...}}

return {0, redis.call('HGETALL', KEYS[1]), redis.call('LRANGE', KEYS[2], 0, -1)}
