-- expect: too much
local t = {} for i = 1, 30000 do t[i] = "" end
while true do table.concat(t) end
