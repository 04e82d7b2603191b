-- expect: attempt to index a nil value (global 'io')
local e = _ENV
local _ENV = setmetatable({}, { __index = e })
io.open("x")
