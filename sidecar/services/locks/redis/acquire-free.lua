-- Grants the lock, or lets the request wait. A waiter that was woken, or wants to know, asks the same again: nothing is granted twice to a lease.
-- ARGV: the request as a waiter; its time to live, ms; the longest time to live of the policy, ms; 1 when it waits.
-- Returns the token as text, or a table: the same and ms until somebody looks again, or a word and its numbers:
--   queued: ms until time alone may change something, and how many others wait
--   held: the same, and ms until somebody looks again or 0
--   settling: ms; other: the owner holds it in another mode; full: the owner holds it too often; unsupported: why
--
-- This part grants a lock of which nothing is known, in seven commands: TIME, INFO, HMGET, EXISTS, HSET twice, PEXPIREAT. All else is in acquire.lua,
-- behind the functions of lock.lua, which take longer to make than all of this.
local request, waits = ARGV[1], ARGV[4] == '1'
local ttlMs = tonumber(ARGV[2])
local lease, channel, asked, permits, owner = string.match(request, '^(%S+) (%S+) (%S) (%d+) (.*)$')
-- A thousandth more, for clocks that do not run at the same speed.
local ends = now + ttlMs * 1001
local known = redis.call('HMGET', life, 'id', 'since', 'grants', 'longest', 'token')
local info = redis.pcall('INFO', 'replication')
if type(info) == 'string' and known[1] == string.match(info, 'master_replid:(%x+)')
  and now >= tonumber(known[2]) and now >= tonumber(known[3]) then
  isSettled = true
  longest, lastToken = tonumber(known[4] or 0), tonumber(known[5] or 0)
  if ttlMs <= longest and redis.call('EXISTS', lock) == 0 then
    local token = 0
    if asked ~= 'n' then
      token = math.max(lastToken + 1, now)
      redis.call('HSET', life, 'token', token)
    end
    local text = digits(token)
    redis.call('HSET', lock, 'm', asked, 'n', 1, 'x', ends, 'z', ends,
      'o' .. owner, digits(ends) .. ' ' .. text .. ' 1', 'l' .. lease, channel .. ' ' .. owner)
    redis.call('PEXPIREAT', lock, math.ceil(ends / 1000))
    return text
  end
end
