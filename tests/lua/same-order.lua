-- expect: fine
-- two tables filled in other orders list the same
local a, b, s, t = {}, {}, "", ""
for i = 1, 300 do a["k" .. i] = i end
for i = 300, 1, -1 do b["k" .. i] = i end
for k in pairs(a) do s = s .. k end
for k in pairs(b) do t = t .. k end
assert(s == t)
assert(not pcall(pairs, { [{}] = 1 }) and not pcall(next, { [print] = 1 }))
local n = { 5, 3, 9, 1, 5, 5 }
table.sort(n, function(x, y) return true end)
return node{ name="n", version=1, doc="d", pixel=function(p, src) local c = src.image return c.r, c.g, c.b end }
