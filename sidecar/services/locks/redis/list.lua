-- Reads locks. KEYS: what is known of the server's life, then the locks. Returns for each one its mode, how many wait, and its holders: owner (empty
-- when it named none), token, ms to its end, number of grants.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local readings = {}
for index = 2, #KEYS do
  local lock = KEYS[index]
  local all = redis.call('HGETALL', lock)
  local mode, holders, leases = 'x', {}, {}
  for field = 1, #all, 2 do
    local lease = string.match(all[field], '^l(.*)$')
    if lease then leases[lease] = true end
    if all[field] == 'm' then mode = all[field + 1] end
  end
  for field = 1, #all, 2 do
    local owner = string.match(all[field], '^o(.*)$')
    if owner then
      local ends, token, count = string.match(all[field + 1], '^(%d+) (%d+) (%d+)$')
      -- Without an owner the lease stands for it.
      if leases[owner] then owner = '' end
      local leftUs = tonumber(ends) - now
      -- A thousandth of it is not part of the time to live.
      if leftUs > 0 then
        holders[#holders + 1] = { owner, token, math.floor(leftUs / 1001), tonumber(count) }
      end
    end
  end
  local waiting = redis.call('ZCARD', lock .. ':q') + redis.call('ZCOUNT', lock .. ':w', now, '+inf')
  readings[index - 1] = { mode, waiting, holders }
end
return readings
