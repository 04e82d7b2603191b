-- glow - light that passes the film's layers and comes back from its base, red first.
-- SPDX-License-Identifier: BSD-2-Clause
-- out = in + k / (1 + k) * (G * s - s), with s the light that scatters and G two Gaussians: what a pixel gives away
-- arrives elsewhere, so energy is conserved and flat fields do not change.

local source = node{ name = "glow_light", version = 1, doc = "The light that halation scatters.",
  inputs = "image", space = "linear",
  params = {
    { "threshold", "float", 0, 0, 100, "linear", doc = "Luminance from where light scatters; 0 lets all of it." },
    { "softness", "float", 1, 0.01, 100, "linear", doc = "How far above the threshold it scatters fully." },
  },
  pixel = function(p, src)
    local c = src.image
    local share = smoothstep(p.threshold, p.threshold + p.softness, luma(c))
    share = select(p.threshold, "<=", 0, 1, share)
    return { r = max(c.r, 0) * share, g = max(c.g, 0) * share, b = max(c.b, 0) * share }
  end }

local join = node{ name = "glow_mix", version = 1, doc = "Puts scattered light back into a picture.",
  inputs = "image light near far", space = "linear",
  params = { { "strength", "vector", { 0.03, 0.003, 0.001 }, 0, 10, "share", doc = "Share of red, green and blue that scatters." } },
  pixel = function(p, src)
    local function one(k, c, light, near, far)
      return c + k / (1 + k) * (mix(near, far, 0.3) - light)
    end
    local c, s, n, f, k = src.image, src.light, src.near, src.far, p.strength
    return one(k[1], c.r, s.r, n.r, f.r), one(k[2], c.g, s.g, n.g, f.g), one(k[3], c.b, s.b, n.b, f.b)
  end }

local glow = node{ name = "glow", version = 1, doc = "Red glow around highlights, as film has it.",
  more = "Energy is conserved: flat fields keep their value. Light comes back through the red layer first, so red "
    .. "scatters about ten times as much as green.",
  inputs = "image", category = "image",
  params = {
    { "radius", "length", "1.4%h", 0, 400, doc = "Sigma of the near glow; the far one is 2.5 times as wide." },
    { "amount", "float", 1, 0, 20, "factor", doc = "Strength; 1 is 35 mm stock." },
    { "tint", "colour", { 0.03, 0.003, 0.001 }, 0, 1, doc = "Share of red, green and blue that scatters at amount 1." },
    { "threshold", "float", 0, 0, 100, "linear", doc = "Only light above this luminance scatters; 0 is the physical form." },
  },
  example = '<glow id="halo" radius="1.4%h" amount="2"/>',
  build = function(g, p, src)
    if p.amount == 0 or p.radius == 0 then return src.image end
    local light = g.glow_light{ src.image, threshold = p.threshold }
    local k = { p.tint.r * p.amount, p.tint.g * p.amount, p.tint.b * p.amount }
    return g.glow_mix{ src.image, light = light, near = g.blur{ light, sigma = p.radius },
      far = g.blur{ light, sigma = 2.5 * p.radius }, strength = k }
  end }

return { source, join, glow }
