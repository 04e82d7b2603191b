-- bleach_bypass - the print's silver is left in: deep blacks, hard contrast, little colour.
-- SPDX-License-Identifier: BSD-2-Clause
-- Silver lies where the dyes lie, and is neutral: it adds density in proportion to how dark a pixel is, in a
-- log encoding where density is a difference. The midtones are lifted back, as a printer would.

return node{ name = "bleach_bypass", version = 1, doc = "Print with its silver left in: dense blacks, muted colour.",
  inputs = "image mask?", space = "log", traits = { "grade" }, category = "colour",
  params = {
    { "amount", "float", 0.7, 0, 1, "share", doc = "How much of the silver stays." },
    { "density", "float", 0.5, 0, 2, "factor", doc = "Silver density against dye density." },
    { "colour", "float", 0.55, 0, 1, "share", doc = "Colour that is left when all the silver stays." },
    { "tone", "enum", "neutral", choices = "neutral|warm|cold", doc = "Colour of the silver." },
  },
  example = '<bleach_bypass id="silver" amount="0.6"/>',
  pixel = function(p, src)
    local WHITE, GREY = 0.5548, 0.4136          -- ACEScct of 1.0 and of 0.18
    local TONES = { neutral = { 0, 0, 0 }, warm = { 0.02, 0, -0.025 }, cold = { -0.02, 0, 0.02 } }
    local c, tone = src.image, TONES[p.tone]     -- an enum is a constant of the trace: a table look-up is fine
    local y = luma(c)
    local silver = p.density * max(WHITE - y, 0)
    local lift = p.density * (WHITE - GREY)
    local keep = mix(1, p.colour, p.amount)
    local function one(v, t)
      return mix(y, v, keep) + p.amount * (lift - silver + t * silver)
    end
    return { r = one(c.r, tone[1]), g = one(c.g, tone[2]), b = one(c.b, tone[3]) }
  end }
