-- What the scripts of a single lock have in common: it stands first in each of them, and lock.lua, in most, behind it.
--
-- KEYS[1], of all locks: which life of the server the data belongs to, and the last token.
-- KEYS[2], the lock: a hash with
--   m  mode of those who hold it: x exclusive, s shared, n semaphore
--   n  how many owners hold it
--   x  no later than the first of them ends
--   z  when the key itself ends
--   q  there when somebody may be waiting
--   y  no earlier than what any waiter was told to look again at
--   o<owner>  '<its end> <token> <number of its grants>'
--   l<lease>  '<channel> <owner>', for each grant
-- Beside it: :q, who waits, by place; :w, who was woken and has not come yet, by when it is too late.
-- A waiter is '<lease> <channel> <mode> <permits> <owner>'.
-- All times are microseconds of the server's clock: below 2^53, so exact in Lua. Lua's `..` is not (14 digits), therefore `digits`.
local life, lock = KEYS[1], KEYS[2] or ''
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]

-- Whether `settling` is known to have nothing to say.
local isSettled = false
-- Of all locks: the last token, and the longest time to live so far, ms.
local lastToken, longest = 0, 0

local function digits(number) return string.format('%.0f', number) end
