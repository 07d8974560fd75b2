#!lua flags=no-writes
-- Say which commands this user may not run, before any commit could fail between two writes.
--
-- KEYS[1] a key of the store
-- Returns the refused commands

local refused = {}
for _, command in ipairs({
  {'HGET', KEYS[1], 'f'}, {'HMGET', KEYS[1], 'f'}, {'HGETALL', KEYS[1]}, {'HKEYS', KEYS[1]},
  {'HINCRBY', KEYS[1], 'f', '1'},
  {'HLEN', KEYS[1]}, {'HSET', KEYS[1], 'f', 'v'}, {'HDEL', KEYS[1], 'f'}, {'HSCAN', KEYS[1], '0'},
  {'ZCARD', KEYS[1]}, {'ZADD', KEYS[1], '1', 'm'}, {'ZREM', KEYS[1], 'm'},
  {'ZRANGEBYSCORE', KEYS[1], '-inf', '0'}, {'ZRANGE', KEYS[1], '0', '-1'},
  {'ZCOUNT', KEYS[1], '-inf', '0'}, {'ZMSCORE', KEYS[1], 'm'},
  {'XLEN', KEYS[1]}, {'XADD', KEYS[1], '*', 'f', 'v'}, {'XRANGE', KEYS[1], '-', '+'},
  {'XTRIM', KEYS[1], 'MINID', '1-0'},
  {'LLEN', KEYS[1]}, {'LRANGE', KEYS[1], '0', '-1'}, {'LTRIM', KEYS[1], '0', '-1'},
  {'RPUSH', KEYS[1], 'v'}, {'UNLINK', KEYS[1]},
}) do
  if not redis.acl_check_cmd(unpack(command)) then
    refused[#refused + 1] = command[1]
  end
end
return refused
