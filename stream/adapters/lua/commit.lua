#!lua
-- Commit one bucket's micro-batch. No scoring here: Python owns the rules.
-- Checks everything before the first write: Redis does not roll back. The shebang matters: with it
-- the server refuses the script as a whole (OOM, READONLY, NOREPLICAS), never in the middle.
--
-- KEYS[1] bucket meta hash   KEYS[2] customer states   KEYS[3] deadlines (ms)
-- KEYS[4] outbox stream      KEYS[5] de-duplication marks
-- KEYS[6..] ledger periods, rankings (the sorted set, and after it the hash of its bins) and
-- histories, named below by their place in KEYS
-- ARGV[1] names and numbers of the commit as one msgpack array, its places named below
-- ARGV[2] all its bytes end to end: history, rows, states, fresh entries, entries, marks, editions,
--         erasures.
--         (Redis's cmsgpack reads no msgpack binaries, and slicing is cheaper than an argument each.)
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
local editions_length = batch[15] -- -1: leave them
local ranks = batch[16]           -- {place in KEYS, name, {customer, ...}, {reading, ...}, {gone, ...}}, ...
local dropped_ranks = batch[17]   -- {place in KEYS, name}, ...
local history_place = batch[18]   -- 0: nothing to do
local history = batch[19]         -- entries kept, {customer, ...}, {length, ...}
local erased = batch[20]          -- customer, ... (in the other lists as well: here for the histories)
local gone_orders = batch[21]     -- {place in KEYS, {ledger key, ...}}, ...
local erasures = batch[22]        -- {pseudonym, ...}, {length, ...}

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

local function write_flat(key, flat)
  for first = 1, #flat, 2 * CHUNK do
    redis.call('HSET', key, unpack(flat, first, math.min(first + 2 * CHUNK - 1, #flat)))
  end
end

local function write_scores(key, names, scores)
  for first = 1, #names, CHUNK do
    local flat, size = {}, 0
    for i = first, math.min(first + CHUNK - 1, #names) do
      flat[size + 1] = text(scores[i])
      flat[size + 2] = names[i]
      size = size + 2
    end
    redis.call('ZADD', key, unpack(flat))
  end
end

local function remove(command, key, names)
  for first = 1, #names, CHUNK do
    redis.call(command, key, unpack(names, first, math.min(first + CHUNK - 1, #names)))
  end
end

-- As stream.population.bins has it: eight bins to an octave, one for each reading below 16.
local function bin_of(reading)
  local size = math.abs(reading)
  local _, bits = math.frexp(size)
  local shift = math.max(bits - 4, 0)
  local bin = 8 * shift + math.floor(size / 2 ^ shift)
  return reading < 0 and -bin or bin
end

-- Return what becomes of a ranking's bins: {bin, body, ...} to write and {bin, ...} to remove.
-- A body is "customers high low", the sum of their readings being high * 2^26 + low. Readings stay
-- below 2^53 and so each of the three below 2^53 too, exact as a double, for up to 2^26 customers.
local HALF = 2 ^ 26
local function changed_bins(ranking)
  local place, names, readings, gone = ranking[1], ranking[3], ranking[4], ranking[5]
  local changes = {}
  local function count(reading, sign)
    local bin = bin_of(reading)
    local change = changes[bin]
    if not change then
      change = {0, 0, 0}
      changes[bin] = change
    end
    local high = math.floor(reading / HALF)
    change[1] = change[1] + sign
    change[2] = change[2] + sign * high
    change[3] = change[3] + sign * (reading - high * HALF)
  end
  local function move(customers, following)
    for first = 1, #customers, CHUNK do
      local last = math.min(first + CHUNK - 1, #customers)
      local scores = redis.call('ZMSCORE', KEYS[place], unpack(customers, first, last))
      for i = first, last do
        local old, new = tonumber(scores[i - first + 1]), following[i]
        if old ~= new then
          if old then count(old, -1) end
          if new then count(new, 1) end
        end
      end
    end
  end
  move(names, readings)
  move(gone, {})

  local bins = {}
  for bin in pairs(changes) do
    bins[#bins + 1] = text(bin)
  end
  local written, removed = {}, {}
  if #bins == 0 then
    return written, removed
  end
  for i, body in ipairs(redis.call('HMGET', KEYS[place + 1], unpack(bins))) do
    local customers, high, low = string.match(body or '0 0 0', '^(%d+) (-?%d+) (%d+)$')
    local change = changes[tonumber(bins[i])]
    customers = tonumber(customers) + change[1]
    if customers == 0 then
      removed[#removed + 1] = bins[i]
    else
      written[#written + 1] = bins[i]
      written[#written + 1] = text(customers) .. ' ' ..
        text(tonumber(high) + change[2]) .. ' ' .. text(tonumber(low) + change[3])
    end
  end
  return written, removed
end

-- Return the newest entries of a history; each entry stands after its length in four bytes.
local function newest(body, limit)
  local starts, at = {}, 1
  while at <= #body do
    starts[#starts + 1] = at
    at = at + 4 + struct.unpack('>I4', body, at)
  end
  if at ~= #body + 1 then
    error('a history is damaged')
  end
  return string.sub(body, starts[math.max(#starts - limit + 1, 1)] or 1)
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
if #erased > 0 then
  -- The caller read the names of the rankings beforehand: all there are now must be among them.
  local named = {}
  for _, ranking in ipairs(ranks) do
    named['rank:' .. ranking[2]] = true
  end
  for _, ranking in ipairs(dropped_ranks) do
    named['rank:' .. ranking[2]] = true
  end
  for _, field in ipairs(redis.call('HKEYS', KEYS[1])) do
    if string.sub(field, 1, 5) == 'rank:' and not named[field] then
      return refuse(STALE)
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
for _, period in ipairs(gone_orders) do
  redis.call('HLEN', KEYS[period[1]])
end
-- What is worked out from values of the store is worked out here: a damaged one fails before the
-- first write, too.
local bins = {}
for i, ranking in ipairs(ranks) do
  redis.call('ZCARD', KEYS[ranking[1]])
  redis.call('HLEN', KEYS[ranking[1] + 1])
  bins[i] = {changed_bins(ranking)}
end
local histories = {} -- customer, entries, ...
if history_place > 0 then
  redis.call('HLEN', KEYS[history_place])
  local limit, names, lengths = history[1], history[2], history[3]
  local is_erased = {}
  for _, customer in ipairs(erased) do
    is_erased[customer] = true
  end
  for first = 1, #names, CHUNK do
    local last = math.min(first + CHUNK - 1, #names)
    local known = redis.call('HMGET', KEYS[history_place], unpack(names, first, last))
    for i = first, last do
      local before = not is_erased[names[i]] and known[i - first + 1] or ''
      histories[#histories + 1] = names[i]
      histories[#histories + 1] = newest(before .. take(lengths[i]), limit)
    end
  end
end

-- Writes ---------------------------------------------------------------------------------------

local gone_fields = {} -- of the meta hash
local function period_field(place)
  return 'period:' .. string.match(KEYS[place], '%d+$')
end

-- The outbox first: XADD is the one write that could still be refused, where the meta hash was
-- lost and the stream was not.
local last_row = row
for i = 1, #rows do
  last_row = row + i
  redis.call('XADD', KEYS[4], text(last_row) .. '-0', 'r', take(rows[i]))
end
write_entries(KEYS[2], states[1], states[2])
remove('HDEL', KEYS[2], gone_states)
write_scores(KEYS[3], due[1], due[2])
remove('ZREM', KEYS[3], gone_due)
for _, period in ipairs(gone_orders) do
  remove('HDEL', KEYS[period[1]], period[2])
end
for _, period in ipairs(fresh) do
  write_entries(KEYS[period[1]], period[2], period[3])
end
for _, period in ipairs(orders) do
  write_entries(KEYS[period[1]], period[2], period[3])
end
for _, period in ipairs(dropped) do
  redis.call('UNLINK', KEYS[period])
  gone_fields[#gone_fields + 1] = period_field(period)
end
if drop_marks > 0 then
  redis.call('LTRIM', KEYS[5], text(drop_marks), '-1')
end
if marks_length > 0 then
  redis.call('RPUSH', KEYS[5], take(marks_length))
end

for i, ranking in ipairs(ranks) do
  write_scores(KEYS[ranking[1]], ranking[3], ranking[4])
  remove('ZREM', KEYS[ranking[1]], ranking[5])
  write_flat(KEYS[ranking[1] + 1], bins[i][1])
  remove('HDEL', KEYS[ranking[1] + 1], bins[i][2])
end
for _, ranking in ipairs(dropped_ranks) do
  redis.call('UNLINK', KEYS[ranking[1]], KEYS[ranking[1] + 1])
  gone_fields[#gone_fields + 1] = 'rank:' .. ranking[2]
end
if history_place > 0 then
  remove('HDEL', KEYS[history_place], erased)
  write_flat(KEYS[history_place], histories)
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
for _, ledger in ipairs({fresh, orders}) do
  for _, period in ipairs(ledger) do
    head[#head + 1] = period_field(period[1])
    head[#head + 1] = '1'
  end
end
for _, ranking in ipairs(ranks) do
  head[#head + 1] = 'rank:' .. ranking[2]
  head[#head + 1] = '1'
end
if editions_length > 0 then
  head[#head + 1] = 'editions'
  head[#head + 1] = take(editions_length)
elseif editions_length == 0 then
  gone_fields[#gone_fields + 1] = 'editions'
end
for i, pseudonym in ipairs(erasures[1]) do
  head[#head + 1] = 'erased:' .. pseudonym
  head[#head + 1] = take(erasures[2][i])
end
write_flat(KEYS[1], head)
remove('HDEL', KEYS[1], gone_fields)
if #rows > 0 then
  redis.pcall('PUBLISH', ARGV[3], ARGV[4]) -- a hint: its failure must not look like the commit's
end
return {OK, next_version, last_row}
