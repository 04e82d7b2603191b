-- expect: attempt to index a nil value
getmetatable("x").__index = nil
string.rep = function() return "evil" end
