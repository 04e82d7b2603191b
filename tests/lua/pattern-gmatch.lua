-- expect: too much work
for w in string.gmatch(("a"):rep(100000), "a*b") do end
