-- expect: the script was stopped
string.gsub(("x"):rep(30000), "x", ("y"):rep(1000))
