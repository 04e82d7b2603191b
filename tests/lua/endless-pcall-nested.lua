-- expect: the script was stopped
local function f() while true do pcall(f) end end
while true do pcall(f) pcall(pcall, f) end
