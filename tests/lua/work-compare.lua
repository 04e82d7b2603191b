-- expect: too many instructions
local a, b = ("x"):rep(16000), ("x"):rep(15999) .. "x"
while true do local c = a < b end
