#!lua
-- Take messages that are due, and nobody else may until the lease is over: then they are due again.
--
-- KEYS[1] queue: message ids by when they are due (ms)   KEYS[2] hash of messages
-- KEYS[3] hash of tries
-- ARGV[1] now (ms)   ARGV[2] end of the lease (ms)   ARGV[3] most messages
-- Returns id, message, number of this try; for each, the one longest due first

local claimed = {}
local ids = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', ARGV[1], 'LIMIT', '0', ARGV[3])
for _, id in ipairs(ids) do
  local message = redis.call('HGET', KEYS[2], id)
  if message then
    redis.call('ZADD', KEYS[1], ARGV[2], id)
    claimed[#claimed + 1] = id
    claimed[#claimed + 1] = message
    claimed[#claimed + 1] = redis.call('HINCRBY', KEYS[3], id, 1)
  else
    redis.call('ZREM', KEYS[1], id)
  end
end
return claimed
