-- Time has passed: takes away what has ended, drops who did not come when woken, and wakes the next. ARGV: the longest time to live of the policy, ms.
-- Returns ms until somebody has to look again, or 0.
read('', '')
if settling(ARGV[1]) then return 0 end
if not hasQueue then return 0 end
advance()
local inMs = promisedLookInMs()
tidy()
return inMs
