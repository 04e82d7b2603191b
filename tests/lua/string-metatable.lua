-- expect: read-only
getmetatable("x").__index = nil
string.rep = function() return "evil" end
