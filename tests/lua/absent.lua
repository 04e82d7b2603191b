-- expect: fine
for _, name in ipairs{ "io", "os", "load", "loadfile", "loadstring", "dofile", "require", "collectgarbage", "warn", "debug",
  "package", "coroutine", "_G", "rawsetp", "module", "setfenv", "core" } do
  assert(_ENV[name] == nil, name .. " is there")
end
for _, name in ipairs{ "dump", "pack", "unpack", "packsize" } do assert(string[name] == nil, name) end
assert(math.random == nil and math.randomseed == nil)
return node{ name="n", version=1, doc="d", pixel=function(p, src) local c = src.image return c.r, c.g, c.b end }
