-- expect: __close is not available
local x <close> = setmetatable({}, { __close = function() while true do end end })
