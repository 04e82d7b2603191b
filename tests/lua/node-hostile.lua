-- expect: must be
return node(setmetatable({ name = "n", version = 1, doc = {}, pixel = 3 }, { __index = function() while true do end end }))
