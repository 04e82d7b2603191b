-- expect: fine
assert(getmetatable("") == nil)
assert(not pcall(setmetatable, "", {}))
assert(("x"):rep(2) == "xx")
return node{ name="n", version=1, doc="d", pixel=function(p, src) local c = src.image return c.r, c.g, c.b end }
