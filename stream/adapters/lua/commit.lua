#!lua
-- Commit one bucket's micro-batch. No scoring here: Python owns the rules.
-- Checks everything before the first write: Redis does not roll back. The shebang matters: with it
-- the server refuses the script as a whole (OOM, READONLY, NOREPLICAS), never in the middle.
--
-- KEYS[1] bucket meta hash   KEYS[2] customer states   KEYS[3] deadlines (ms)
-- KEYS[4] outbox stream      KEYS[5] de-duplication marks
-- KEYS[6..] ledger periods, named below by their place in KEYS
-- ARGV[1] names and numbers of the commit as one msgpack array, its places named below
-- ARGV[2] all its bytes end to end: rows, states, fresh entries, entries, marks. (Redis's cmsgpack
--         reads no msgpack binaries, and slicing is cheaper than an argument each.)
-- ARGV[3] channel of the outbox hint   ARGV[4] bucket number
-- Returns {outcome, version, last row}

local OK, FENCED, STALE, OFFSET, KNOWN_ORDER = 0, 1, 2, 3, 4
local CHUNK = 1000 -- far below Lua's limit for unpack, also doubled

local batch = cmsgpack.unpack(ARGV[1])
local expected_version = batch[1]
local epochs = batch[2]       -- source, epoch, ...
local cursors = batch[3]      -- source, expected or -1, next, ...
local states = batch[4]       -- {customer, ...}, {length, ...}
local gone_states = batch[5]  -- customer, ...
local due = batch[6]          -- {customer, ...}, {ms, ...}
local gone_due = batch[7]     -- customer, ...
local fresh = batch[8]        -- {place in KEYS, {ledger key, ...}, {length, ...}}, ...
local orders = batch[9]       -- the same shape
local dropped = batch[10]     -- place in KEYS, ...
local drop_marks = batch[11]
local rows = batch[12]        -- length, ...
local clock_ms = batch[13]    -- -1: none
local marks_length = batch[14]

-- Numbers arrive as doubles; the default conversion would round instants and offsets.
local function text(number)
  return string.format('%.0f', number)
end

local taken = 0
local function take(length)
  local first = taken + 1
  taken = taken + length
  return string.sub(ARGV[2], first, taken)
end

local function write_entries(key, names, lengths)
  for first = 1, #names, CHUNK do
    local flat, size = {}, 0
    for i = first, math.min(first + CHUNK - 1, #names) do
      flat[size + 1] = names[i]
      flat[size + 2] = take(lengths[i])
      size = size + 2
    end
    redis.call('HSET', key, unpack(flat))
  end
end

local function remove(command, key, names)
  for first = 1, #names, CHUNK do
    redis.call(command, key, unpack(names, first, math.min(first + CHUNK - 1, #names)))
  end
end

-- Checks ---------------------------------------------------------------------------------------

local fields = {'version', 'row', 'clock'}
for i = 1, #epochs, 2 do
  fields[#fields + 1] = 'epoch:' .. epochs[i]
end
for i = 1, #cursors, 3 do
  fields[#fields + 1] = 'cursor:' .. cursors[i]
end
local meta = redis.call('HMGET', KEYS[1], unpack(fields))
local version = meta[1] or '0'
local row = tonumber(meta[2] or '0')

local function refuse(outcome)
  return {outcome, tonumber(version), row}
end

local place = 3
for i = 1, #epochs, 2 do
  place = place + 1
  if (meta[place] or '0') ~= text(epochs[i + 1]) then
    return refuse(FENCED)
  end
end
if version ~= text(expected_version) then
  return refuse(STALE)
end
for i = 1, #cursors, 3 do
  place = place + 1
  if (meta[place] or '-1') ~= text(cursors[i + 1]) then
    return refuse(OFFSET)
  end
end
for _, period in ipairs(fresh) do
  local names = period[2]
  for first = 1, #names, CHUNK do
    local last = math.min(first + CHUNK - 1, #names)
    for _, known in ipairs(redis.call('HMGET', KEYS[period[1]], unpack(names, first, last))) do
      if known then
        return refuse(KNOWN_ORDER)
      end
    end
  end
end
-- A key of another type must fail here, not between two writes.
redis.call('HLEN', KEYS[2])
redis.call('ZCARD', KEYS[3])
redis.call('XLEN', KEYS[4])
redis.call('LLEN', KEYS[5])
for _, period in ipairs(orders) do
  redis.call('HLEN', KEYS[period[1]])
end

-- Writes ---------------------------------------------------------------------------------------

-- The outbox first: XADD is the one write that could still be refused, where the meta hash was
-- lost and the stream was not.
local last_row = row
for i = 1, #rows do
  last_row = row + i
  redis.call('XADD', KEYS[4], text(last_row) .. '-0', 'r', take(rows[i]))
end
write_entries(KEYS[2], states[1], states[2])
remove('HDEL', KEYS[2], gone_states)
for first = 1, #due[1], CHUNK do
  local flat, size = {}, 0
  for i = first, math.min(first + CHUNK - 1, #due[1]) do
    flat[size + 1] = text(due[2][i])
    flat[size + 2] = due[1][i]
    size = size + 2
  end
  redis.call('ZADD', KEYS[3], unpack(flat))
end
remove('ZREM', KEYS[3], gone_due)
for _, period in ipairs(fresh) do
  write_entries(KEYS[period[1]], period[2], period[3])
end
for _, period in ipairs(orders) do
  write_entries(KEYS[period[1]], period[2], period[3])
end
for _, period in ipairs(dropped) do
  redis.call('UNLINK', KEYS[period])
end
if drop_marks > 0 then
  redis.call('LTRIM', KEYS[5], text(drop_marks), '-1')
end
if marks_length > 0 then
  redis.call('RPUSH', KEYS[5], take(marks_length))
end

local next_version = tonumber(version) + 1
local head = {'version', text(next_version)}
if #rows > 0 then
  head[#head + 1] = 'row'
  head[#head + 1] = text(last_row)
end
if clock_ms > tonumber(meta[3] or '-1') then
  head[#head + 1] = 'clock'
  head[#head + 1] = text(clock_ms)
end
for i = 1, #cursors, 3 do
  head[#head + 1] = 'cursor:' .. cursors[i]
  head[#head + 1] = text(cursors[i + 2])
end
redis.call('HSET', KEYS[1], unpack(head))
if #rows > 0 then
  redis.pcall('PUBLISH', ARGV[3], ARGV[4]) -- a hint: its failure must not look like the commit's
end
return {OK, next_version, last_row}
