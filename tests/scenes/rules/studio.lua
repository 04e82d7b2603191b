-- studio - a rule of a user's own, and one that is broken.
return { rule{ id = "no-blur", doc = "We never blur.", check = function(graph)
  for _, n in ipairs(graph.nodes) do
    if n.traits.blur then graph:find(n, "sigma=" .. n.params.sigma .. " below " .. #graph:above(n) .. " nodes", "take it out") end
  end
  assert(graph:node("src").type == "pattern" and graph:pass("a").result.id == "bl")
end } }
