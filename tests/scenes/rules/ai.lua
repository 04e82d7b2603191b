-- ai - plays the AI process in the rule scenes: pins and seed as a neural node has them.
local function ai(name)
  return node{ name = name, version = 1, doc = "Plays an AI process.", traits = { "ai" }, space = "any",
    params = { { "model", "path" }, { "model_sha256", "string" }, { "seed", "int", 0, 0, 1000000 } },
    pixel = function(p, src) local c = src.image return c.r, c.g, c.b end }
end
return { ai("ai_denoise"), ai("ai_detail"),
  node{ name = "speed_ramp", version = 1, doc = "Plays a retime.", traits = { "retime" }, space = "any",
    params = { { "speed", "float", 1, 0, 10, "times" } },
    pixel = function(p, src) local c = src.image return c.r * p.speed, c.g, c.b end },
  node{ name = "hold_frame", version = 1, doc = "Plays a freeze.", traits = { "retime" }, space = "any",
    pixel = function(p, src) local c = src.image return c.r, c.g, c.b end },
  node{ name = "crossfade", version = 1, doc = "Plays a dissolve.", traits = { "dissolve" }, space = "any", inputs = "image over",
    pixel = function(p, src) local a, b = src.image, src.over return (a.r + b.r) / 2, (a.g + b.g) / 2, (a.b + b.b) / 2 end },
  node{ name = "clipper", version = 1, doc = "Clips at white.", traits = { "clips" },
    pixel = function(p, src) local c = src.image return min(c.r, 1), min(c.g, 1), min(c.b, 1) end } }
