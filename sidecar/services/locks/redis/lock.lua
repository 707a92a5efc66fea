-- What can be done with a lock; what is kept of it stands in first.lua.

local queue, woken = lock .. ':q', lock .. ':w'
-- A woken waiter has so long to come.
local wakeUs = 1000000
-- Longer than the longest time to live: everybody who waits looks again within that.
local keepUs = 7200 * 1000000

local mode, holders, firstEnd, keptUntil, hasQueue, told
-- Owners for whom room is kept: they were woken.
local reserved = 0

-- A life ends when the server starts anew or another one is made the master: then grants may be missing in the data. Each life of a master has a
-- replication id of its own; the id beside the locks is that of the life in which they were last granted.
local function adopt(id, info, known)
  local server = redis.call('INFO', 'server')
  if string.find(server, 'redis_mode:cluster', 1, true) then return 'it is part of a Cluster' end
  local memory = redis.call('INFO', 'memory')
  if not string.find(memory, 'maxmemory:0\r', 1, true)
    and not string.find(memory, 'maxmemory_policy:noeviction', 1, true) then
    return 'it may evict locks (maxmemory-policy must be noeviction)'
  end
  local run = string.match(server, 'run_id:(%x+)')
  -- A master that has had no replica for an hour takes a new id by itself. A promotion leaves the old id as the second one.
  local sameLife = known[6] == run and string.find(info, 'master_replid2:0+\r')
  redis.call('HSET', life, 'id', id, 'run', run)
  if not sameLife then
    known[2], known[3] = now, now
    redis.call('HSET', life, 'since', now, 'grants', now)
  end
  return nil, not sameLife
end

-- Nothing is granted before everything that was granted in an earlier life has ended. Microseconds until then, or why never; nil when locks may
-- be granted now.
local function settling(longestTtlMs)
  if isSettled then return end
  local info = redis.pcall('INFO', 'replication')
  if type(info) ~= 'string' then return 'its user may not run INFO' end
  local id = string.match(info, 'master_replid:(%x+)')
  if not id then return 'it does not tell its replication id' end
  local known = redis.call('HMGET', life, 'id', 'since', 'grants', 'longest', 'token', 'run')
  local fault, isNew
  if known[1] ~= id then fault, isNew = adopt(id, info, known) end
  if fault then return fault end
  longest = tonumber(known[4]) or 0
  lastToken = tonumber(known[5]) or 0
  local since, grantsFrom = tonumber(known[2]), tonumber(known[3])
  -- What is allowed later makes nothing of before last longer.
  if not isNew and now >= grantsFrom and now >= since then return end
  if since > now then
    -- The server's clock was put back.
    grantsFrom = now + grantsFrom - since
    since = now
  end
  grantsFrom = math.max(grantsFrom, since + math.max(tonumber(longestTtlMs), longest) * 1001)
  redis.call('HSET', life, 'since', since, 'grants', grantsFrom)
  if now < grantsFrom then return grantsFrom - now end
end

-- Takes those away whose time is over.
local function prune()
  local all = redis.call('HGETALL', lock)
  local ended = {}
  holders, firstEnd = 0, 0
  for index = 1, #all, 2 do
    local owner = string.match(all[index], '^o(.*)$')
    if owner then
      local ends = tonumber(string.match(all[index + 1], '^%d+'))
      if ends <= now then
        ended[owner] = true
        redis.call('HDEL', lock, all[index])
      else
        if holders == 0 or ends < firstEnd then firstEnd = ends end
        holders = holders + 1
      end
    end
  end
  for index = 1, #all, 2 do
    if string.sub(all[index], 1, 1) == 'l' and ended[string.match(all[index + 1], '^%S+ (.*)$')] then
      redis.call('HDEL', lock, all[index])
    end
  end
  redis.call('HSET', lock, 'n', holders, 'x', firstEnd)
end

-- Reads the lock. Returns what this owner has of it, or false, and whether the lease is one of its grants.
local function read(owner, lease)
  local ownerField, leaseField = 'o' .. owner, 'l' .. lease
  local found = redis.call('HMGET', lock, 'm', 'n', 'x', 'z', 'q', 'y', ownerField, leaseField)
  mode = found[1]
  holders = tonumber(found[2]) or 0
  firstEnd = tonumber(found[3]) or 0
  keptUntil = tonumber(found[4]) or 0
  hasQueue = found[5]
  told = tonumber(found[6]) or 0
  if holders == 0 or firstEnd > now then return found[7], found[8] end
  prune()
  found = redis.call('HMGET', lock, ownerField, leaseField)
  return found[1], found[2]
end

local function tell(channel, text)
  return redis.call('PUBLISH', 'holdfast:locks:' .. channel, text)
end

-- With its length, since a name may hold anything.
local function named(letter, rest)
  local name = string.sub(lock, 16, -2)
  return letter .. #name .. ' ' .. name .. rest
end

-- Whether one more may hold it, beside so many of the mode of now.
local function fits(count, asked, permits)
  return count == 0
    or (asked == mode and (mode == 's' or (mode == 'n' and count < tonumber(permits))))
end

-- Drops those who were woken and have not come, and counts the others.
local function countWoken()
  redis.call('ZREMRANGEBYSCORE', woken, '-inf', now)
  local first = redis.call('ZRANGE', woken, 0, 0)[1]
  reserved = 0
  if not first then return end
  reserved = redis.call('ZCARD', woken)
  if holders == 0 then mode = string.match(first, '^%S+ %S+ (%S)') end
end

-- Wakes from the front of the queue while there is room. Nobody receives it: that sidecar is gone, and so is the waiter. Whoever asks just now needs
-- no waking; whether it was that one's turn is the result.
local function advance(self)
  countWoken()
  while true do
    local page = redis.call('ZRANGE', queue, 0, 7)
    if #page == 0 then return false end
    for index = 1, #page do
      local waiter = page[index]
      local channel, asked, permits = string.match(waiter, '^%S+ (%S+) (%S) (%d+)')
      if not fits(holders + reserved, asked, permits) then return false end
      redis.call('ZREM', queue, waiter)
      if waiter == self then return true end
      if tell(channel, named('w', waiter)) > 0 then
        redis.call('ZADD', woken, now + wakeUs, waiter)
        redis.call('PEXPIRE', woken, 10000)
        reserved = reserved + 1
        mode = asked
      end
    end
  end
end

-- Milliseconds until somebody has to look again, because time alone may have changed something then; 0 for never.
local function lookInMs(countsHolders)
  local at = math.huge
  if countsHolders and holders > 0 then at = firstEnd end
  if reserved > 0 then
    at = math.min(at, tonumber(redis.call('ZRANGE', woken, 0, 0, 'WITHSCORES')[2]))
  end
  if at == math.huge then return 0 end
  return math.max(1, math.ceil((at - now) / 1000))
end

-- The same, told to somebody who waits.
local function promisedLookInMs()
  local inMs = lookInMs(true)
  local at = now + inMs * 1000
  if at > told then redis.call('HSET', lock, 'y', at) end
  return inMs
end

-- Lets the key go, or what it knows of waiters, when there is nothing left to know.
local function tidy()
  if not hasQueue then return end
  if redis.call('EXISTS', queue, woken) > 0 then return end
  if holders == 0 then
    redis.call('DEL', lock)
    return
  end
  -- It was to outlive its holders as long as somebody waited.
  local last = now + longest * 1001
  redis.call('HDEL', lock, 'q', 'y')
  redis.call('HSET', lock, 'z', last)
  redis.call('PEXPIREAT', lock, math.ceil(last / 1000))
end

-- Takes a grant from its owner. Returns whether there was one.
local function drop(owner, lease)
  local record, isHeld = read(owner, lease)
  if not (record and isHeld) then
    if holders == 0 and not hasQueue then redis.call('DEL', lock) end
    return false
  end
  local head, count = string.match(record, '^(%d+ %d+) (%d+)$')
  if count ~= '1' then
    redis.call('HDEL', lock, 'l' .. lease)
    redis.call('HSET', lock, 'o' .. owner, head .. ' ' .. count - 1)
    return true
  end
  holders = holders - 1
  if holders == 0 and not hasQueue then
    redis.call('DEL', lock)
  else
    redis.call('HDEL', lock, 'o' .. owner, 'l' .. lease)
    redis.call('HSET', lock, 'n', holders)
  end
  return true
end
