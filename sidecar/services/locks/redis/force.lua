-- Takes the lock from all who hold it, and tells their sidecars. ARGV: the longest time to live of the policy, ms.
-- Returns {how many owners held it, ms until somebody looks again or 0}.
read('', '')
local all = redis.call('HGETALL', lock)
local taken, channels = 0, {}
for index = 1, #all, 2 do
  local field = all[index]
  local kind = string.sub(field, 1, 1)
  if kind == 'o' then taken = taken + 1 end
  if kind == 'l' then channels[string.match(all[index + 1], '^%S+')] = true end
  if kind == 'o' or kind == 'l' then redis.call('HDEL', lock, field) end
end
for channel in pairs(channels) do tell(channel, named('f', '')) end
holders = 0
if not hasQueue then
  redis.call('DEL', lock)
  return { taken, 0 }
end
redis.call('HSET', lock, 'n', 0)
if settling(ARGV[1]) then return { taken, 0 } end
advance()
local pendingMs = lookInMs(false)
tidy()
return { taken, pendingMs }
