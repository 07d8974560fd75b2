#!lua
-- Put messages into queues, together with what has to be remembered because of them.
-- Checks everything before the first write: Redis does not roll back.
--
-- KEYS[1] hash of threads   KEYS[2] hash of paces   KEYS[3] when threads are due (ms)
-- KEYS[4] hash of when those who were erased had been told of last (ms), by their pseudonyms
-- KEYS[5] hash of messages  KEYS[6..] queues: message ids by when they are due (ms)
-- ARGV, one after the other:
--   count, then {place in KEYS, field, value it must have; "" for none} for each
--   count, then {place in KEYS, field, new value; "" removes it} for each
--   count, then {thread, ms; "" for never} for each
--   count, then {place in KEYS, message id, message, ms, pseudonym of whom it tells or "", ms when
--     that became true} for each; one that is there stays, of those who were erased none is put
-- Returns 1; 0 and nothing is written where a value is another by now

local at = 0
local function take()
  at = at + 1
  return ARGV[at]
end

for _ = 1, tonumber(take()) do
  local place, field, expected = tonumber(take()), take(), take()
  if (redis.call('HGET', KEYS[place], field) or '') ~= expected then
    return 0
  end
end
for _ = 1, tonumber(take()) do
  local place, field, value = tonumber(take()), take(), take()
  if value == '' then
    redis.call('HDEL', KEYS[place], field)
  else
    redis.call('HSET', KEYS[place], field, value)
  end
end
for _ = 1, tonumber(take()) do
  local thread, due_ms = take(), take()
  if due_ms == '' then
    redis.call('ZREM', KEYS[3], thread)
  else
    redis.call('ZADD', KEYS[3], due_ms, thread)
  end
end
for _ = 1, tonumber(take()) do
  local place, id, message, due_ms = tonumber(take()), take(), take(), take()
  local subject, instant_ms = take(), tonumber(take())
  local erased = subject ~= '' and redis.call('HGET', KEYS[4], subject)
  if not (erased and instant_ms <= tonumber(erased)) and not redis.call('HGET', KEYS[5], id) then
    redis.call('HSET', KEYS[5], id, message)
    redis.call('ZADD', KEYS[place], due_ms, id)
  end
end
return 1
