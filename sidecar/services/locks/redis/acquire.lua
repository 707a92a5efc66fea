-- The rest of acquire-free.lua: somebody holds the lock or waits for it, or nothing is granted just now.

local function keep(untilUs)
  if untilUs <= keptUntil then return end
  keptUntil = untilUs
  redis.call('HSET', lock, 'z', keptUntil)
  redis.call('PEXPIREAT', lock, math.ceil(keptUntil / 1000))
end

local function enqueue()
  if redis.call('ZSCORE', queue, request) then return end
  local last = tonumber(redis.call('ZRANGE', queue, -1, -1, 'WITHSCORES')[2]) or 0
  redis.call('ZADD', queue, math.max(now, last + 1), request)
end

local function rememberQueue()
  if not hasQueue then
    redis.call('HSET', lock, 'q', 1)
    hasQueue = true
  end
  redis.call('PEXPIRE', queue, keepUs / 1000)
  if keptUntil < now + keepUs / 2 then keep(now + keepUs) end
end

local function rememberTtl()
  if ttlMs <= longest then return end
  longest = ttlMs
  redis.call('HSET', life, 'longest', ttlMs)
end

-- Other requests of the same owner need not wait any longer.
local function wakeOwn()
  if owner == lease then return end
  for _, waiter in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
    local itsChannel, itsOwner = string.match(waiter, '^%S+ (%S+) %S %d+ (.*)$')
    if itsOwner == owner and tell(itsChannel, named('w', waiter)) == 0 then
      redis.call('ZREM', queue, waiter)
    end
  end
end

-- The new holder may end before any waiter would look.
local function tellEarlierEnd()
  if told <= firstEnd then return end
  local channels = {}
  for _, waiter in ipairs(redis.call('ZRANGE', queue, 0, -1)) do
    channels[string.match(waiter, '^%S+ (%S+)')] = true
  end
  local text = named('n', ' ' .. math.ceil((firstEnd - now) / 1000))
  for each in pairs(channels) do tell(each, text) end
  redis.call('HSET', lock, 'y', firstEnd)
end

local function grant()
  local token = 0
  if asked ~= 'n' then
    -- Grows though the counter were lost, unless the clock was put back as well.
    token = math.max(lastToken + 1, now)
    redis.call('HSET', life, 'token', token)
  end
  rememberTtl()
  mode = asked
  holders = holders + 1
  firstEnd = holders == 1 and ends or math.min(firstEnd, ends)
  local record, place = digits(ends) .. ' ' .. digits(token) .. ' 1', channel .. ' ' .. owner
  local fields = { 'm', asked, 'n', holders, 'x', firstEnd, 'o' .. owner, record, 'l' .. lease, place }
  if ends > keptUntil then
    redis.call('HSET', lock, 'z', ends, unpack(fields))
    redis.call('PEXPIREAT', lock, math.ceil(ends / 1000))
  else
    redis.call('HSET', lock, unpack(fields))
  end
  if hasQueue then
    wakeOwn()
    tellEarlierEnd()
    tidy()
  end
  return { digits(token), reserved > 0 and lookInMs(false) or 0 }
end

-- The owner holds it already: one grant more, or the same once more.
local function grantAgain(record, isHeld)
  if mode ~= asked then return { 'other', 0 } end
  local endsSoFar, token, count = string.match(record, '^(%d+) (%d+) (%d+)$')
  if not isHeld then
    if count == '1000' then return { 'full', 0 } end
    count = count + 1
    redis.call('HSET', lock, 'l' .. lease, channel .. ' ' .. owner)
  end
  rememberTtl()
  local later = math.max(tonumber(endsSoFar), ends)
  redis.call('HSET', lock, 'o' .. owner, digits(later) .. ' ' .. token .. ' ' .. count)
  keep(later)
  local pendingMs = 0
  -- It may have been waiting.
  if hasQueue and redis.call('ZREM', queue, request) + redis.call('ZREM', woken, request) > 0 then
    advance()
    pendingMs = lookInMs(false)
    tidy()
  end
  return { token, pendingMs }
end

local left = settling(ARGV[3])
local record, isHeld = read(owner, lease)
if left then
  if type(left) == 'string' then return { 'unsupported', left } end
  if waits then
    if redis.call('ZREM', woken, request) == 1 then
      local first = tonumber(redis.call('ZRANGE', queue, 0, 0, 'WITHSCORES')[2]) or now
      redis.call('ZADD', queue, first - 1, request)
    end
    enqueue()
    rememberQueue()
  end
  return { 'settling', math.ceil(left / 1000) }
end
if record then return grantAgain(record, isHeld) end
if not hasQueue then
  if fits(holders, asked, permits) then return grant() end
  if not waits then return { 'held', lookInMs(true), 0, 0 } end
  enqueue()
  rememberQueue()
  return { 'queued', promisedLookInMs(), redis.call('ZCARD', queue) + reserved - 1 }
end
-- Somebody may be waiting, and comes first.
local comesUntil = tonumber(redis.call('ZSCORE', woken, request))
if comesUntil and comesUntil > now then
  redis.call('ZREM', woken, request)
  countWoken()
  return grant()
end
if not waits then
  advance()
  local waiting = redis.call('ZCARD', queue)
  if waiting == 0 and fits(holders + reserved, asked, permits) then return grant() end
  return { 'held', lookInMs(true), waiting + reserved, lookInMs(false) }
end
enqueue()
rememberQueue()
if advance(request) then
  local granted = grant()
  -- There may be room for more.
  advance()
  if reserved > 0 then granted[2] = lookInMs(false) end
  return granted
end
return { 'queued', promisedLookInMs(), redis.call('ZCARD', queue) + reserved - 1 }
