-- gate - a worn camera gate as a user's own node: the picture weaves by fractions of a pixel, and dust lies on the film.
-- SPDX-License-Identifier: BSD-2-Clause
-- Weave and dust are a taste, not part of the film look, and so they are no node of the program.

-- A number in 0..1 from two integers, the same for ever.
local function chance(i, k)
  local h = (i * 0x9E3779B1 + k * 0x85EBCA77) & 0xFFFFFFFF
  h = ((h ~ (h >> 15)) * 0x2C1B3C6D) & 0xFFFFFFFF
  h = ((h ~ (h >> 12)) * 0x297A2D39) & 0xFFFFFFFF
  return ((h ~ (h >> 15)) & 0xFFFFFF) / 0x1000000
end

-- Slow drift and a jump from frame to frame, -1..1.
local function weave(frame, seed)
  local slow, at = frame // 6, frame % 6 / 6
  local drift = mix(chance(slow, seed), chance(slow + 1, seed), at * at * (3 - 2 * at))
  return 2 * (0.7 * drift + 0.3 * chance(frame, seed + 1)) - 1
end

-- Places and sizes of this frame's dust.
local function dust(p, frame, w, h)
  local spots = {}
  for i = 1, p.dust do
    if chance(frame * 64 + i, p.seed + 7) < 0.5 then
      spots[#spots + 1] = { x = chance(frame * 64 + i, p.seed + 8) * w, y = chance(frame * 64 + i, p.seed + 9) * h,
        r = p.size * (0.4 + chance(frame * 64 + i, p.seed + 10)) }
    end
  end
  return spots
end

local function add_dust(row, y, spots, w)
  for _, s in ipairs(spots) do
    local dy = (y - s.y) / s.r
    for x = max(1, floor(s.x - s.r)), min(w, floor(s.x + s.r) + 1) do
      local dx = (x - 0.5 - s.x) / (0.6 * s.r)
      local k = 1 - smoothstep(0.4, 1, dx * dx + dy * dy)
      row[x] = row[x] + k * (0.8 - row[x])
    end
  end
end

local gate = node{ name = "worn_gate", version = 1, doc = "Weaves the picture and puts dust on it.",
  inputs = "image", space = "linear", time = true,
  params = {
    { "weave", "length", "0.04%h", 0, 20, doc = "How far the picture moves at most." },
    { "dust", "int", 4, 0, 60, doc = "Most specks in a frame." },
    { "size", "length", "0.25%h", 0.5, 50, doc = "Radius of a speck." },
    { "seed", "int", 1, 0, 1000000, doc = "Another seed is another roll." },
  },
  frame = function(p, src, out)
    local im, frame = src.image, src.frame
    local w, h = im.width, im.height
    local dx, dy = weave(frame, p.seed) * p.weave, weave(frame, p.seed + 3) * p.weave
    local ix, iy = floor(dx), floor(dy)
    local fx, fy = dx - ix, dy - iy
    local spots = dust(p, frame, w, h)
    for _, c in ipairs{ "r", "g", "b" } do
      local plane = im[c]
      local function row_at(y) return plane:row(max(0, min(h - 1, y))) end
      local below = row_at(iy)
      for y = 0, h - 1 do
        local above, row = below, {}
        below = row_at(y + iy + 1)
        for x = 1, w do
          local a, b = max(1, min(w, x + ix)), max(1, min(w, x + ix + 1))
          local t, u = above[a] + fx * (above[b] - above[a]), below[a] + fx * (below[b] - below[a])
          row[x] = t + fy * (u - t)
        end
        add_dust(row, y + 0.5, spots, w)
        out[c]:set_row(y, row)
      end
    end
  end }

return { gate }
