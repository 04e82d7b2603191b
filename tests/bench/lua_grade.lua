-- A grade of ten operations a channel (gain, offset, floor at 0, saturation, contrast about a pivot, ceiling) and the
-- five of the luminance that its channels share; tests/bench/lua_hand.c is the same in C.
return node{ name="bench_grade", version=1, doc="The grade that the bench measures.",
  params = { { "gain", "colour", { 1.1, 1, 0.9 } }, { "offset", "colour", { 0.01, 0.02, 0.03 } },
    { "saturation", "float", 0.9, 0, 4 }, { "pivot", "float", 0.18, 0, 1 }, { "contrast", "float", 1.1, 0, 4 },
    { "ceiling", "float", 1.2, 0, 100 } },
  pixel = function(p, src)
    local c, v = src.image, {}
    for _, k in ipairs{ "r", "g", "b" } do v[k] = max(c[k] * p.gain[k] + p.offset[k], 0) end
    local y = luma(v)
    for _, k in ipairs{ "r", "g", "b" } do
      v[k] = y + (v[k] - y) * p.saturation
      v[k] = min((v[k] - p.pivot) * p.contrast + p.pivot, p.ceiling)
    end
    return v
  end }
