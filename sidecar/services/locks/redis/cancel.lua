-- Whoever asked has gone: takes the request out of the queue, and back what it was granted or about to be.
-- ARGV: the request as a waiter; the longest time to live of the policy, ms; 1 when a grant goes, too. Returns ms until somebody looks again, or 0.
local request = ARGV[1]
local lease, owner = string.match(request, '^(%S+) %S+ %S %d+ (.*)$')
redis.call('ZREM', queue, request)
redis.call('ZREM', woken, request)
if ARGV[3] == '1' then drop(owner, lease) else read(owner, lease) end
if not hasQueue or settling(ARGV[2]) then return 0 end
advance()
local pendingMs = lookInMs(false)
tidy()
return pendingMs
