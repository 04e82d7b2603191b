-- expect: too much work
string.find(("a"):rep(3000), (".-"):rep(12) .. "b")
