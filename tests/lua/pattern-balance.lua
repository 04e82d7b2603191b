-- expect: too much work
string.find(("("):rep(30000), "%b()")
