-- mine - a user's own node file: one pixel node and one studio rule. Named by <script> in scene.xml; no build.

local vignette = node{ name = "soft_vignette", version = 1, doc = "Darkens towards the corners.",
  inputs = "image mask?", space = "linear",
  params = {
    { "amount", "float", 0.35, 0, 1, "share", doc = "Light lost at the radius." },
    { "radius", "length", "60%h", 1, 100000, doc = "Distance from the centre at which the amount is lost." },
    { "centre", "vector", { 240, 135 }, doc = "Centre, in pixels at full resolution." },
  },
  pixel = function(p, src)
    local dx, dy = (src.x - p.centre[1]) / p.radius, (src.y - p.centre[2]) / p.radius
    local k = 1 - p.amount * smoothstep(0, 1, dx * dx + dy * dy)
    local c = src.image
    return c.r * k, c.g * k, c.b * k
  end }

local house = rule{ id = "house-halation", doc = "Our house never halates more than 4 times.",
  check = function(graph)
    for _, n in ipairs(graph.nodes) do
      local amount = n.type == "glow" and tonumber(n.params.amount)
      if amount and amount > 4 then graph:find(n, "amount=\"" .. n.params.amount .. "\"", "4 is enough") end
    end
  end }

return { vignette, house }
