-- expect: string over 32 KiB
local s = "x" while true do s = s .. s end
