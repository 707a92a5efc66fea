local holdfast_body = function(...)
--[[BODY]]
end
-- Runs the script above once for its operation id: the reply of that run is kept, and is the answer to everyone who asks again.
-- KEYS: those of the script, then where the reply is kept. ARGV: those of the script, a digest of the operation, ms to keep the reply for.
local ttlMs = table.remove(ARGV)
local digest = table.remove(ARGV)
local memory = table.remove(KEYS)

-- A reply as text: a letter for its kind, then its length or count where it has one, then itself.
local function write(reply, out)
  local kind = type(reply)
  if kind == 'string' then
    out[#out + 1] = 's' .. #reply .. ':' .. reply
  elseif kind == 'number' then
    out[#out + 1] = 'n' .. string.format('%.17g', reply) .. ':'
  elseif reply == true then
    out[#out + 1] = 't'
  elseif kind ~= 'table' then
    out[#out + 1] = 'f'
  elseif type(reply.err) == 'string' then
    out[#out + 1] = 'e' .. #reply.err .. ':' .. reply.err
  elseif type(reply.ok) == 'string' then
    out[#out + 1] = 'o' .. #reply.ok .. ':' .. reply.ok
  else
    -- As Redis does: a list ends before its first nil.
    local count = 0
    while reply[count + 1] ~= nil do count = count + 1 end
    out[#out + 1] = 'a' .. count .. ':'
    for index = 1, count do write(reply[index], out) end
  end
end

-- The reply that begins at `at`, and where the next one begins.
local function read(text, at)
  local kind = string.sub(text, at, at)
  if kind == 't' then return true, at + 1 end
  if kind == 'f' then return false, at + 1 end
  local colon = string.find(text, ':', at, true)
  local number = tonumber(string.sub(text, at + 1, colon - 1))
  if kind == 'n' then return number, colon + 1 end
  if kind == 'a' then
    local list = {}
    local from = colon + 1
    for index = 1, number do list[index], from = read(text, from) end
    return list, from
  end
  local after = colon + 1 + number
  local content = string.sub(text, colon + 1, after - 1)
  if kind == 'e' then return { err = content }, after end
  if kind == 'o' then return { ok = content }, after end
  return content, after
end

local kept = redis.call('GET', memory)
if kept then
  if string.sub(kept, 1, #digest) ~= digest then
    return { err = 'OPERATIONREUSED the operation id belongs to another script or to other keys' }
  end
  return (read(kept, #digest + 1))
end

-- A script that fails may have changed something before: its error is its reply, and it does not run again either.
local worked, reply = pcall(holdfast_body)
if not worked and type(reply) ~= 'table' then
  local text = tostring(reply)
  -- Redis before 7 raises the error of a command as a text with its place in front.
  reply = { err = string.match(text, '^[^%s]*%s?%d*:?%s?(%u%u+ .*)$') or ('ERR ' .. text) }
elseif not worked and type(reply.err) ~= 'string' then
  reply = { err = 'ERR the script raised something that is no text' }
end

local out = { digest }
write(reply, out)
local text = table.concat(out)
redis.call('SET', memory, text, 'PX', ttlMs)
return (read(text, #digest + 1))
