-- expect: too many instructions
local function f() return f() end
f()
