-- expect: too much work
for w in string.gmatch(("a"):rep(30000), "a*b") do end
