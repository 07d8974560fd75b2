#!lua
-- Say what became of a message.
--
-- KEYS[1] queue: message ids by when they are due (ms)   KEYS[2] hash of messages
-- KEYS[3] hash of tries   KEYS[4] hash of why the last try failed
-- KEYS[5] parked message ids by when they were parked (ms)
-- ARGV[1] outcome   ARGV[2] message id   ARGV[3] ms   ARGV[4] why it failed
--   done:  it was delivered, and is forgotten
--   retry: it failed, and is due again at ms
--   park:  it failed at ms, and is not tried again
--   again: it was parked, and is due at ms as if it were new
--   drop:  it is forgotten, wherever it is
-- Returns 1; 0 where the message is not where the outcome has it

local outcome, id = ARGV[1], ARGV[2]
local from = outcome == 'again' and KEYS[5] or KEYS[1]
if outcome ~= 'drop' and not redis.call('ZMSCORE', from, id)[1] then
  return 0
end
if outcome == 'retry' then
  redis.call('ZADD', KEYS[1], ARGV[3], id)
  redis.call('HSET', KEYS[4], id, ARGV[4])
elseif outcome == 'park' then
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZADD', KEYS[5], ARGV[3], id)
  redis.call('HSET', KEYS[4], id, ARGV[4])
elseif outcome == 'again' then
  redis.call('ZREM', KEYS[5], id)
  redis.call('ZADD', KEYS[1], ARGV[3], id)
  redis.call('HDEL', KEYS[3], id)
else
  redis.call('ZREM', KEYS[1], id)
  redis.call('ZREM', KEYS[5], id)
  redis.call('HDEL', KEYS[2], id)
  redis.call('HDEL', KEYS[3], id)
  redis.call('HDEL', KEYS[4], id)
end
return 1
