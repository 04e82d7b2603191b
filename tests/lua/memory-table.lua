-- expect: needs more than 64 MiB
local t = {} while true do t[#t + 1] = { #t } end
