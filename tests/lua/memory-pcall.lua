-- expect: the script was stopped
local keep = {}
while true do pcall(function() while true do keep[#keep + 1] = ("x"):rep(30000) .. #keep end end) end
