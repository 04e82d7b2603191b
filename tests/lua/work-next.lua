-- expect: too much work
local t = {} for i = 1, 5000 do t[i] = i end
while true do next(t, 2500) end
