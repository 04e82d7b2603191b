-- expect: the script was stopped
while true do pcall(error, "x") end
