-- expect: too many instructions
while true do pcall(error, "x") end
