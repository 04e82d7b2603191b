-- expect: fine
-- a metatable is copied: __mode afterwards makes nothing weak
local mt = {}
local t = setmetatable({}, mt)
mt.__mode = "v"
t[1] = {}
for i = 1, 200000 do local x = { i } end
assert(t[1], "the collector shows")
assert(getmetatable(t) == mt)
return node{ name="n", version=1, doc="d", pixel=function(p, src) local c = src.image return c.r, c.g, c.b end }
