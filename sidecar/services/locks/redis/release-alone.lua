-- Ends one grant; the owner holds the lock until the last of its grants has ended. Releasing twice is releasing once.
-- ARGV: lease; owner; the longest time to live of the policy, ms.
-- Returns 1 when it was held, 0 when it was not, or {that, ms until somebody looks again}.
--
-- This part ends the only grant of a lock that nobody waits for, in three commands: TIME, HMGET, DEL. All else is in release.lua.
local found = redis.call('HMGET', lock, 'n', 'q', 'o' .. ARGV[2], 'l' .. ARGV[1])
if not found[1] then return 0 end
if found[1] == '1' and not found[2] and found[3] and found[4] then
  local ends = string.match(found[3], '^(%d+) %d+ 1$')
  if ends and tonumber(ends) > now then
    redis.call('DEL', lock)
    return 1
  end
end
