-- look - halation of one Gaussian for the benchmark, as its peers do it: the same blur, one mix by two shares.
-- SPDX-License-Identifier: BSD-2-Clause
local mixed = node{ name = "bench_mix", version = 2, doc = "(in + k glow) / (1 + k)",
  inputs = "image glow", space = "linear",
  pixel = function(_, src)
    local c, g = src.image, src.glow
    local function mix(a, b, k) return a * (1 / (1 + k)) + b * (k / (1 + k)) end
    return mix(c.r, g.r, 0.03), mix(c.g, g.g, 0.003), mix(c.b, g.b, 0.001)
  end }
return { mixed }
