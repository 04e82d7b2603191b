-- expect: the script was stopped
local t = setmetatable({}, { __index = function(t, k) return pcall(function() return t[k + 1] end) end })
while true do pcall(function() return t[1] end) end
