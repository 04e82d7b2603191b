-- expect: fine
local function shows(s) return string.find(s, "0x", 1, true) ~= nil end
for _, v in ipairs{ {}, print, setmetatable({}, { __index = {} }), math, string.gmatch("a", "a") } do
  assert(not shows(tostring(v)), tostring(v))
  assert(not shows(string.format("%s|%10s", v, v)))
  local ok, m = pcall(error, v)
  assert(not shows(tostring(m)))
  ok, m = pcall(function() return v .. "" end)
  assert(not shows(m), m)
end
assert(not pcall(string.format, "%p", {}))
assert(not pcall(string.format, "%q", {}))
assert(not pcall(setmetatable, {}, { __name = "x" }))
return node{ name="n", version=1, doc="d", pixel=function(p, src) local c = src.image return c.r, c.g, c.b end }
