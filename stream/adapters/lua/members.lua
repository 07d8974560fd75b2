#!lua flags=no-writes
-- Return the next customers of a ranking, in the order of reading and then of customer, as bytes.
-- Found by place, so that a page after thousands of equal readings costs no more than the first.
--
-- KEYS[1] sorted set of the ranking
-- ARGV[1] least reading   ARGV[2] first reading too large   ARGV[3] most customers, at least 1
-- ARGV[4] reading and ARGV[5] customer that the page comes after; neither on the first page
-- Returns {customer, reading, ...}

local function below(reading)
  return redis.call('ZCOUNT', KEYS[1], '-inf', '(' .. reading)
end

-- Lua's own comparison of strings follows the server's locale; the sorted set does not.
local function follows(one, other)
  for i = 1, math.min(#one, #other) do
    local a, b = string.byte(one, i), string.byte(other, i)
    if a ~= b then
      return a > b
    end
  end
  return #one > #other
end

local first = below(ARGV[1])
if ARGV[4] then
  local from, to = below(ARGV[4]), redis.call('ZCOUNT', KEYS[1], '-inf', ARGV[4])
  while from < to do
    local middle = math.floor((from + to) / 2)
    if follows(redis.call('ZRANGE', KEYS[1], middle, middle)[1], ARGV[5]) then
      to = middle
    else
      from = middle + 1
    end
  end
  first = math.max(first, from)
end
local last = math.min(below(ARGV[2]), first + tonumber(ARGV[3])) - 1
if last < first then
  return {}
end
return redis.call('ZRANGE', KEYS[1], first, last, 'WITHSCORES')
