-- expect: too many instructions
local a, b = ("x"):rep(130000), ("x"):rep(129999) .. "x"
while true do local c = a < b end
