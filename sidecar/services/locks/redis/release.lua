-- The rest of release-alone.lua.

local held = drop(ARGV[2], ARGV[1]) and 1 or 0
if not hasQueue or settling(ARGV[3]) then return held end
advance()
local pendingMs = lookInMs(false)
tidy()
return { held, pendingMs }
