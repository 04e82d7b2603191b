-- odd - nodes of every kind that scripts can make, for the conformance test.
local ramp = node{ name = "t_ramp", version = 1, doc = "Reads place and frame, all channels.",
  inputs = "image over? mask?", channels = "rgba", time = true, space = "any",
  params = { { "k", "float", 0.5, -2, 2 }, { "tint", "colour", { 1, 0.5, 0.25 }, 0, 2 }, { "mode", "enum", "a", choices = "a|b|c" },
    { "flip", "bool", false }, { "size", "length", "10%h", 1, 500 }, { "n", "int", 2, 0, 5 } },
  pixel = function(p, src)
    local c, o = src.image, src.over or src.image
    local x, y = src.x / p.size, src.y / p.size
    local wave = x - floor(x) + (p.flip and y or 0) + src.frame * 0.01
    if p.mode == "b" then wave = wave * wave elseif p.mode == "c" then wave = sqrt(abs(wave)) end
    for _ = 1, p.n do wave = wave * 0.5 + 0.25 end
    local k = select(c.r, ">", p.k, wave, c.a)
    return { r = mix(c.r, o.g, k) * p.tint.r, g = c.g + p.tint.g * wave, b = max(c.b, o.b, p.tint.b), a = clamp(c.a) }
  end }

local turned = node{ name = "t_turned", version = 1, doc = "Channels from others, which stand behind them in the order of writing.",
  inputs = "image over?",
  pixel = function(_, src)
    local c, o = src.image, src.over or src.image
    return c.g, c.b * 0.5 + o.r, c.r + o.g
  end }

local rows = node{ name = "t_rows", version = 1, doc = "Whole planes in Lua (pointwise: the test calls it by tiles too).", inputs = "image mask?", space = "linear",
  params = { { "k", "float", 0.5, -2, 2 } },
  frame = function(p, src, out)
    local im = src.image
    for y = 0, im.height - 1 do
      local row = im.g:row(y)
      for x = 1, im.width do row[x] = row[x] * p.k + im.b:get(x - 1, y) end
      out.r:set_row(y, row)
    end
  end }

local list = node{ name = "t_list", version = 1, doc = "Composes a list.", inputs = "image*",
  params = { { "sigma", "length", 1, 0, 20 } },
  build = function(g, p, src)
    local sum = src.image[1]
    for i = 2, #src.image do sum = g.merge{ sum, over = src.image[i], operation = "plus" } end
    return g.blur{ sum, sigma = p.sigma }
  end }

return { ramp, turned, rows, list }
