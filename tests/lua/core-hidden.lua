-- expect: fine
-- what the prelude was given is out of reach
for _, f in pairs{ select, clamp, node, table.sort } do assert(type(f) == "function") end
assert(core == nil and charge == nil and traced == nil)
return node{ name="n", version=1, doc="d", pixel=function(p, src) local c = src.image return c.r, c.g, c.b end }
