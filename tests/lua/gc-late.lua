-- expect: fine
-- __gc put into the metatable afterwards is never called
local mt = {}
setmetatable({}, mt)
mt.__gc = function() while true do end end
for i = 1, 20000 do local t = setmetatable({}, { x = i }) end
return node{ name="n", version=1, doc="d", pixel=function(p, src) local c = src.image return c.r, c.g, c.b end }
