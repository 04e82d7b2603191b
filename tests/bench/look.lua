-- look - halation of one Gaussian for the benchmark, as its peers do it: the same blur, one mix.
-- SPDX-License-Identifier: BSD-2-Clause
local mixed = node{ name = "bench_mix", version = 1, doc = "(in + k glow) / (1 + k)",
  inputs = "image glow", space = "linear",
  pixel = function(_, src)
    local c, g = src.image, src.glow
    return (c.r + 0.03 * g.r) / 1.03, (c.g + 0.003 * g.g) / 1.003, (c.b + 0.001 * g.b) / 1.001
  end }
return { mixed }
