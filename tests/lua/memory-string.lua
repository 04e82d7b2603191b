-- expect: string over 128 KiB
local s = "x" while true do s = s .. s end
