-- expect: string over 32 KiB
local t = {} for i = 1, 100 do t[i] = ("x"):rep(10000) end
local s = table.concat(t)
