-- expect: needs more than 64 MiB
local function f() return 1 + f() end
f()
