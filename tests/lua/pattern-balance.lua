-- expect: too much work
string.find(("("):rep(100000), "%b()")
