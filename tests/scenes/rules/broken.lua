return rule{ id = "broken", doc = "Fails.",
  check = function(graph)
    return graph.nodes[1].none.x
  end }
