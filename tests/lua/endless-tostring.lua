-- expect: too many instructions
local t = setmetatable({}, { __tostring = function(t) while true do end end })
while true do pcall(tostring, t) end
