-- expect: too much work
while true do pcall(string.find, ("a"):rep(3000), (".-"):rep(12) .. "b") end
