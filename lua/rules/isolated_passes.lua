-- isolated_passes - the rules of isolated passes: one transformation a pass, in an order that cannot hurt.
-- SPDX-License-Identifier: BSD-2-Clause
-- Each rule looks along the edges that carry pixels (not masks, not references), never at the order of lines.

local KINDS = { geometry = 1, cleanup = 2, detail = 3, motion = 4, neutral = 5, look = 6, integrate = 7, deliver = 8 }
local ORDER = "geometry, cleanup, detail, motion, neutral, look, integrate, deliver"

local function kind(n) return n.pass and n.pass.kind end
local function any(n, ...)
  for _, t in ipairs{ ... } do if n.traits[t] then return t end end
end

-- What is known of the nodes above each node, by index: of(node, known) says what a node adds to it and join(a, b) puts
-- two such things together. One way through the graph, so that a rule stays linear in its nodes.
local function gather(g, of, join)
  local known = {}
  for _, n in ipairs(g.nodes) do
    local k
    for _, i in ipairs(n.inputs) do
      if i.picture then k = join(join(k, known[i.node.index]), of(i.node)) end
    end
    known[n.index] = k
  end
  return known
end

local function either(a, b) return a or b end
local function higher(a, b)
  if a and b then return max(a, b) end
  return a or b
end
-- Two that differ are enough to know that one of them is not the asked one.
local function two(a, b)
  if not a or not b then return a or b end
  if a[2] or a[1] == b[1] and not b[2] then return a end
  return { a[1], a[1] == b[1] and b[2] or b[1] }
end

local outside = rule{ id = "0-in-a-pass",
  doc = "Outside passes stand only read, pattern, edit, use, write and viewing nodes.",
  check = function(g)
    for _, n in ipairs(g.nodes) do
      if not n.pass and not n.sink and not any(n, "source", "view") then
        g:find(n, n.type .. " stands outside any pass", "put it into a <pass>")
      end
    end
  end }

local one_ai = rule{ id = "1-one-ai", doc = "At most one AI process stands in a pass.",
  check = function(g)
    local first = {}
    for _, n in ipairs(g.nodes) do
      if n.traits.ai and n.pass then
        local f = first[n.pass.index]
        if f then
          g:find(n, "second AI process in pass '" .. n.pass.id .. "', after '" .. f.id .. "'",
            "give it a pass of its own, so that each result can be looked at and approved")
        end
        first[n.pass.index] = f or n
      end
    end
  end }

local intermediate = rule{ id = "2-intermediate",
  doc = "The result of a pass with an AI process, or with keep=\"always\", is an intermediate on disk.",
  check = function(g)
    for _, p in ipairs(g.passes) do
      if p.traits.ai and p.keep == "never" then
        g:find(p, "keep=\"never\" on a pass with an AI process", "take keep= away: AI results are kept for approval")
      elseif (p.traits.ai or p.keep == "always") and not p.kept then
        g:find(p, "the result would not be kept on disk", "write keep=\"always\" on the pass")
      end
    end
  end }

local pass_order = rule{ id = "3-pass-order", doc = "Pass kinds run in the order " .. ORDER .. ".",
  check = function(g)
    local told = {}
    -- Only a pass's result is seen outside it.
    local function result(a) return a.pass and KINDS[a.pass.kind] and (a.pass.result or a) == a end
    local results, highest = g:picked(result), gather(g, function(a) return result(a) and KINDS[a.pass.kind] end, higher)
    for _, n in ipairs(g.nodes) do
      local q = n.pass
      local own = q and KINDS[q.kind]
      for _, a in ipairs(own and (highest[n.index] or 0) > own and results(n) or {}) do
        local p = a.pass
        if p ~= q and KINDS[p.kind] > KINDS[q.kind] and not told[p.index .. ">" .. q.index] then
          told[p.index .. ">" .. q.index] = true
          g:find(q, "this " .. q.kind .. " pass reads the result of '" .. p.id .. "', a " .. p.kind .. " pass",
            "the order is " .. ORDER)
        end
      end
    end
  end }

local ungraded = rule{ id = "4-ungraded-source",
  doc = "AI processes and upscales read ungraded pixels; only geometry and cleanup passes stand before an upscale.",
  check = function(g)
    local function altered(a) return any(a, "neutral", "grade", "lut", "blur", "grain") end
    local function early(p) return not p or p.kind == "geometry" or p.kind == "cleanup" end
    local changed = gather(g, altered, either)
    local passes = gather(g, function(a) return not early(a.pass) and { a.pass } end, two)
    local function clean(n)
      local p = n.traits.upscale and passes[n.index]
      return not changed[n.index] and not (p and (p[1] ~= n.pass or p[2]))
    end
    for _, n in ipairs(g.nodes) do
      if any(n, "ai", "upscale") and not clean(n) then
        local what = n.traits.ai and "an AI process" or "an upscale"
        for _, a in ipairs(g:above(n)) do
          local t, p = altered(a), a.pass
          if t then
            g:find(n, what .. " reads pixels that '" .. a.id .. "' (" .. t .. ") has changed",
              "move '" .. a.id .. "' below '" .. n.id .. "'")
          elseif n.traits.upscale and p ~= n.pass and not early(p) then
            g:find(n, "an upscale stands below pass '" .. p.id .. "' (" .. (p.kind or "no kind") .. ")",
              "only geometry and cleanup passes may stand before an upscale")
          end
        end
      end
    end
  end }

local neutral_first = rule{ id = "5-neutral-first", doc = "Neutral comes before look; a look pass never contains grain.",
  check = function(g)
    local function look(a) return any(a, "grade", "lut", "tone") and kind(a) == "look" end
    local looked = gather(g, look, either)
    for _, n in ipairs(g.nodes) do
      if n.traits.grain and kind(n) == "look" then
        g:find(n, "grain in a look pass", "move it to an integrate pass: grain is not part of the look, and what follows would grade or clip it")
      end
      if n.traits.neutral and looked[n.index] then
        for _, a in ipairs(g:above(n)) do
          if look(a) then
            g:find(n, "neutral correction below the look of '" .. a.id .. "'", "balance and match first, then the look")
          end
        end
      end
    end
  end }

-- A trim that only nudges: what rule 6 lets stand below the grain.
local TRIM = { exposure = { 0, 0.25 }, temperature = { 0, 10 }, tint = { 0, 10 }, contrast = { 1, 0.1 }, saturation = { 1, 0.1 } }
local function small_trim(n)
  if n.type ~= "grade" then return false end
  for name in pairs(n.written) do
    local limit, v = TRIM[name], tonumber(n.params[name])
    if name ~= "space" and not (limit and v and abs(v - limit[1]) <= limit[2] + 1e-9) then return false end
  end
  return true
end

local FINE = { output = true, convert = true, tone = true, view = true }
local function may_follow_grain(n)
  if n.sink or n.type == "merge" then return true end
  local some = false
  for t in pairs(n.traits) do
    some = true
    if not FINE[t] and not ((t == "lut" or t == "clips" or t == "grade") and n.traits.lut and kind(n) == "deliver") then
      return false
    end
  end
  return some
end

-- Why what stands below must not read grain.
local HARM = { ai = "it would be taken for detail, smeared or frozen", upscale = "it would grow with the picture",
  resize = "its size and strength would change with the picture's", retime = "a retime or freeze would repeat or blend patterns that are new in every frame",
  dissolve = "two patterns averaged lose strength halfway" }

local grain_last = rule{ id = "6-grain-last",
  doc = "Grain comes after AI, dissolves, retimes and the last resize, once a delivery size; below it only output and one small trim.",
  check = function(g)
    local grained, trimmed = g:picked(function(a) return a.traits.grain end)
    trimmed = g:picked(function(a) return #grained(a) > 0 and #trimmed(a) == 0 and small_trim(a) end)
    for _, n in ipairs(g.nodes) do
      local grains, trims = grained(n), trimmed(n)
      local top = grains[#grains]
      if top then
        local t = any(n, "ai", "upscale", "resize", "retime", "dissolve")
        if n.traits.grain then
          g:find(n, "a second grain, below '" .. top.id .. "'", "grain once for each delivery size")
        elseif t then
          g:find(top, "grain above '" .. n.id .. "' (" .. t .. "): " .. HARM[t],
            "grain comes after it; move '" .. top.id .. "' below" .. (t == "dissolve" and ", where dissolve= mixes two grains by variance" or ""))
        elseif n.sink and #grains > 1 then
          g:find(n, "two grains reach this delivery: '" .. grains[1].id .. "' and '" .. top.id .. "'", "grain once, after they are joined")
        elseif small_trim(n) and #trims == 0 then
          g:find(n, "small trim below the grain", "", "note")
        elseif not may_follow_grain(n) then
          g:find(n, n.type .. " stands below the grain '" .. top.id .. "'",
            "below grain stand only output nodes and one small trim (exposure to 0.25 stops, temperature and tint to 10, "
            .. "contrast and saturation to 10 %)")
        end
      end
    end
  end }

local pinned = rule{ id = "7-pinned-model",
  doc = "Every AI process pins its model by sha256, and its seed where it draws one; one model a process kind in a sequence.",
  check = function(g)
    local first = {}
    for _, n in ipairs(g.nodes) do
      if n.traits.ai then
        local name = n.params.program_sha256 and "program_sha256" or "model_sha256"
        local what = n.params.program_sha256 and "program" or "model"
        local pin, locked, seed = n.params[name] or "", g.lock.model[n.id], g.lock.seed[n.id]
        if pin == "" then
          local now = n.model_on_disk and ("write " .. name .. "=\"" .. n.model_on_disk .. "\"")
          g:find(n, n.params[name] and "the " .. what .. " is not pinned" or "this AI process has no model_sha256 to pin its model with",
            now or "write " .. name .. "=\"...\"")
        else
          if n.model_on_disk and n.model_on_disk ~= pin then
            g:find(n, "the " .. what .. " on disk is not the pinned one: its sha256 is " .. n.model_on_disk, "get the pinned one, or pin this one", "lock")
          end
          if locked and locked ~= pin then
            g:find(n, name .. " is not what SCENE.lock has: " .. locked, "restore the pin, or lock again", "lock")
          end
          local process = n.type .. " " .. (n.params.process or "")
          local f = first[process]
          if f and (f.params[name] or "") ~= pin then
            g:find(n, "another " .. what .. " than '" .. f.id .. "' for the same process", "one model for each process in a sequence")
          end
          first[process] = f or n
        end
        if n.params.seed and not n.written.seed then
          g:find(n, "the seed is not written down", "write seed=\"" .. n.params.seed .. "\"")
        end
        if seed and n.params.seed ~= seed then
          g:find(n, "seed=\"" .. (n.params.seed or "") .. "\" is not what SCENE.lock has: " .. seed, "restore it, or lock again", "lock")
        end
      end
    end
  end }

-- What a fact is called in a message: the source's file, or the attribute.
local FACT = { ["file-content"] = "the content of its file", ["frame-range"] = "its frames", ["frame-rate"] = "its rate",
  ["of-type"] = "its type", sources = "what reaches it", ["in"] = "what it reads" }

local picture_lock = rule{ id = "8-picture-lock",
  doc = "Under picture lock no source, cut, trim or speed above the first AI process changes.",
  check = function(g)
    if not g.picture_locked or g.relock then return end
    if not g.lock.present then
      g:find(nil, "picture_locked=\"yes\", but there is no SCENE.lock", "run: interneg lock " .. g.file)
      return
    end
    local again = "restore it, or run: interneg lock --relock " .. g.file
    if g.picture_error then g:find(nil, "the sources cannot be compared with the lock: " .. g.picture_error, "") return end
    if not next(g.lock.picture) then g:find(nil, "SCENE.lock holds no picture to compare with", "run: interneg lock --relock " .. g.file) return end
    local here, known, told, exists = {}, {}, {}, {}
    for k in pairs(g.lock.picture) do known[k:match("^(.*)%.[^.]*$")] = true end
    for _, f in ipairs(g.picture) do
      local key = f.id .. "." .. f.name
      local was, n = g.lock.picture[key], g.nodes[f.node]
      here[key] = true
      exists[f.id] = n
      if not known[f.id] and f.name ~= "sources" then
        if not told[f.id] then g:find(n, "'" .. f.id .. "' was not there when the picture was locked", again, "lock") end
        told[f.id] = true
      elseif known[f.id] and was ~= f.value then
        g:find(n, "changed after picture lock: " .. (FACT[f.name] or f.name) .. ", locked " .. (was or "(default)") .. ", now " .. f.value,
          again, "lock")
      end
    end
    for k, was in pairs(g.lock.picture) do
      local id, name = k:match("^(.*)%.([^.]*)$")
      if not here[k] and name ~= "sources" and not told[id] then
        if exists[id] then
          g:find(exists[id], "changed after picture lock: " .. (FACT[name] or name) .. ", locked " .. was .. ", now (default)", again, "lock")
        else
          told[id] = true
          g:find(nil, "source or edit '" .. id .. "' of SCENE.lock is gone from the scene", again, "lock")
        end
      end
    end
  end }

local frame_rate = rule{ id = "9-frame-rate", doc = "No mixed frame rates without an explicit retime.",
  check = function(g)
    for _, n in ipairs(g.nodes) do
      local seen
      for _, i in ipairs(n.inputs) do
        local fps = i.picture and i.node.fps
        if fps and seen and fps ~= seen.fps and not n.traits.retime then
          g:find(n, "'" .. seen.id .. "' runs at " .. seen.fps .. " and '" .. i.node.id .. "' at " .. fps, "retime one of them first")
        end
        if fps then seen = seen or i.node end
      end
      if n.sink and seen and g.fps and seen.fps ~= g.fps then
        g:find(n, "'" .. seen.id .. "' runs at " .. seen.fps .. " frames/s in a graph of " .. g.fps, "retime it, or set fps= of the graph")
      end
    end
  end }

local no_clipping = rule{ id = "10-no-clipping", doc = "Nothing clips highlights before the deliver passes.",
  check = function(g)
    for _, n in ipairs(g.nodes) do
      if n.traits.clips and not n.sink and kind(n) ~= "deliver" then
        g:find(n, "clips highlights before the deliver passes", "move it to a deliver pass, or let values above 1 through")
      end
    end
  end }

-- What an expansion is known by; a tone that undoes it has the same words.
local function expansion(n)
  if n.type == "read" and tonumber(n.params.expand) and tonumber(n.params.expand) > 0 then
    return "peak=\"" .. n.params.expand .. "\" cap=\"" .. n.params.expand_cap .. "\""
  elseif n.type == "tone" then
    return "peak=\"" .. n.params.peak .. "\" cap=\"" .. n.params.cap .. "\"", n.params.direction == "forward"
  end
end

local paired_expand = rule{ id = "11-paired-expand",
  doc = "What expands highlights (expand= of a read, tone with direction=\"expand\") is undone by a tone of the same peak and cap.",
  check = function(g)
    local open = {}
    for _, n in ipairs(g.nodes) do
      local k
      for _, i in ipairs(n.inputs) do
        if i.picture and not k then k = open[i.node.index] end
      end
      local words, undoes = expansion(n)
      if words and not undoes then
        k = { words, n }
      elseif undoes and k then
        if k[1] ~= words then
          g:find(n, "'" .. k[2].id .. "' expanded by " .. k[1] .. ", this tone has " .. words, "use the same peak and cap on both")
        end
        k = nil
      elseif n.sink and k then
        g:find(n, "'" .. k[2].id .. "' expanded highlights, and no tone brings them back", "put <tone " .. k[1] .. "/> into a deliver pass")
      end
      open[n.index] = k
    end
  end }

return { outside, one_ai, intermediate, pass_order, ungraded, neutral_first, grain_last, pinned, picture_lock, frame_rate,
  no_clipping, paired_expand }
