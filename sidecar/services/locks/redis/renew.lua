-- Renews grants of many locks. KEYS: what is known of the server's life, then the locks. ARGV: for each lock its lease, owner and time to live, ms.
-- Returns 1 for each that was renewed, 0 for each that is not held any more. What is known goes on while nothing is granted.
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local results = {}
for index = 2, #KEYS do
  local lock, at = KEYS[index], (index - 2) * 3
  local lease, field, ttlMs = ARGV[at + 1], 'o' .. ARGV[at + 2], tonumber(ARGV[at + 3])
  local found = redis.call('HMGET', lock, 'n', 'z', field, 'l' .. lease)
  local endsSoFar, rest = string.match(found[3] or '', '^(%d+)(.*)$')
  endsSoFar = tonumber(endsSoFar or 0)
  results[index - 1] = 0
  if endsSoFar > now and found[4] then
    local ends = math.max(endsSoFar, now + ttlMs * 1001)
    local record = string.format('%.0f', ends) .. rest
    -- Of one holder it is known when the first one ends.
    if found[1] == '1' then
      redis.call('HSET', lock, field, record, 'x', ends)
    else
      redis.call('HSET', lock, field, record)
    end
    if ends > tonumber(found[2]) then
      redis.call('HSET', lock, 'z', ends)
      redis.call('PEXPIREAT', lock, math.ceil(ends / 1000))
    end
    results[index - 1] = 1
  end
end
return results
