-- expect: 128 KiB
string.gsub(("x"):rep(100000), "x", ("y"):rep(1000))
