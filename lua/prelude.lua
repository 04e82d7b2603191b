-- prelude - what every script finds beside the C functions: table, select, clamp, mix, smoothstep, luma, node, rule.
-- SPDX-License-Identifier: BSD-2-Clause
-- core: functions that only this file sees. Library code here is plain Lua on purpose, so that the
-- instruction budget counts its work. This text is part of the key of every script's nodes.
local core = ...
local base_select, traced, line, cond = core.select, core.traced, core.line, core.cond
local math, type, error = math, type, error
local min, max, floor, exp2, log2 = math.min, math.max, math.floor, math.exp2, math.log2

-- table ---------------------------------------------------------------------------------------------------

local function check(t, name)
  if type(t) ~= "table" then error("table." .. name .. ": expected a table, got a " .. type(t), 3) end
end

table = {
  concat = core.concat,
  unpack = core.unpack,
  pack = function(...) return { n = base_select("#", ...), ... } end,
}

function table.insert(t, at, ...)
  check(t, "insert")
  local n, given = #t, base_select("#", ...)
  if given == 0 then t[n + 1] = at return end
  if given > 1 then error("table.insert: wrong number of arguments", 2) end
  if math.type(at) ~= "integer" or at < 1 or at > n + 1 then error("table.insert: position out of bounds", 2) end
  for i = n, at, -1 do t[i + 1] = t[i] end
  t[at] = (...)
end

function table.remove(t, at)
  check(t, "remove")
  local n = #t
  if at == nil then at = n end
  if n == 0 and (at == 0 or at == n + 1) then return t[at] end
  if math.type(at) ~= "integer" or at < 1 or at > n + 1 then error("table.remove: position out of bounds", 2) end
  local v = t[at]
  for i = at, n - 1 do t[i] = t[i + 1] end
  if at <= n then t[n] = nil end
  return v
end

function table.move(a, from, to, at, b)
  check(a, "move")
  b = b or a
  if at > from and at <= to and a == b then
    for i = to - from, 0, -1 do b[at + i] = a[from + i] end
  else
    for i = 0, to - from do b[at + i] = a[from + i] end
  end
  return b
end

-- Merge sort: stable, and the same for every comparison function (Lua's own draws its pivots from the clock).
function table.sort(t, before)
  check(t, "sort")
  before = before or function(a, b) return a < b end
  local from, to, n, width = t, {}, #t, 1
  while width < n do
    for lo = 1, n, 2 * width do
      local mid, hi = min(lo + width, n + 1), min(lo + 2 * width, n + 1)
      local i, j = lo, mid
      for k = lo, hi - 1 do
        if i < mid and (j >= hi or not before(from[j], from[i])) then
          to[k] = from[i]
          i = i + 1
        else
          to[k] = from[j]
          j = j + 1
        end
      end
    end
    from, to = to, from
    width = width * 2
  end
  if from ~= t then for i = 1, n do t[i] = from[i] end end
end

-- The handler runs after the error has unwound: Lua would run it inside the instruction hook, which is blind there.
local pcall, pack, unpack = pcall, table.pack, table.unpack
function xpcall(f, handler, ...)
  local r = pack(pcall(f, ...))
  if r[1] then return unpack(r, 1, r.n) end
  return false, handler(r[2])
end

-- numbers, plain or traced -----------------------------------------------------------------------------------

local LOG2_E, LN_2 = 0x1.71547652b82fep+0, 0x1.62e42fefa39efp-1
local plain_exp, plain_log, plain_ceil = math.exp, math.log, math.ceil
function math.exp(x) if traced(x) then return exp2(x * LOG2_E) end return plain_exp(x) end
function math.log(x, b)
  if not traced(x) then return plain_log(x, b) end
  if b == nil then return log2(x) * LN_2 end
  return log2(x) / math.log2(b)
end
function math.ceil(x) if traced(x) then return -floor(-x) end return plain_ceil(x) end

for _, name in ipairs{ "abs", "floor", "ceil", "sqrt", "exp", "exp2", "log", "log2", "pow", "min", "max" } do
  _ENV[name] = math[name]
end

local compare = {
  ["<"] = function(a, b) return a < b end, ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end, [">="] = function(a, b) return a >= b end,
  ["=="] = function(a, b) return a == b end, ["~="] = function(a, b) return a ~= b end,
}

-- select(a, "<", b, yes, no) chooses without branching; any other call is Lua's own select.
function select(...)
  local a, op, b, yes, no = ...
  local f = base_select("#", ...) == 5 and type(op) == "string" and compare[op]
  if not f then return base_select(...) end
  if traced(a) or traced(b) or traced(yes) or traced(no) then return cond(a, op, b, yes, no) end
  if f(a, b) then return yes end
  return no
end

function clamp(x, lo, hi) return min(max(x, lo or 0), hi or 1) end
function mix(a, b, t) return a + (b - a) * t end
function smoothstep(e0, e1, x)
  local t = clamp((x - e0) / (e1 - e0), 0, 1)
  return t * t * (3 - 2 * t)
end

-- Luminance of three values or of a colour, by the primaries of the space the node works in.
function luma(r, g, b)
  if type(r) == "table" then r, g, b = r.r, r.g, r.b end
  local wr, wg, wb = core.luma()
  return r * wr + g * wg + b * wb
end

-- declarations ---------------------------------------------------------------------------------------------

local function declaration(kind)
  return function(t)
    if type(t) ~= "table" then error(kind .. ": expected a table, as in " .. kind .. "{ ... }", 2) end
    return { kind = kind, decl = t, line = line() }
  end
end
node, rule = declaration("node"), declaration("rule")

-- What rules see: nodes and passes by reference instead of by number, and the ways along the picture's edges.
function core.graph(g)
  for _, n in ipairs(g.nodes) do
    n.pass = n.pass and g.passes[n.pass]
    for _, i in ipairs(n.inputs) do i.node = g.nodes[i.node] end
  end
  for _, p in ipairs(g.passes) do p.result = p.result and g.nodes[p.result] end

  local up = {}
  -- Every node whose pixels reach this one, in the graph's order, without itself.
  function g:above(node)
    local known = up[node.index]
    if known then return known end
    local seen, list = {}, {}
    local function visit(n)
      for _, i in ipairs(n.inputs) do
        if i.picture and not seen[i.node.index] then
          seen[i.node.index] = true
          visit(i.node)
        end
      end
    end
    visit(node)
    for _, n in ipairs(g.nodes) do if seen[n.index] then list[#list + 1] = n end end
    up[node.index] = list
    return list
  end

  -- Two lists in the graph's order as one; one of the two itself where that is enough.
  local function join(a, b)
    if #a == 0 or a == b then return b end
    if #b == 0 then return a end
    local out, i, j = {}, 1, 1
    while a[i] or b[j] do
      local x, y = a[i], b[j]
      if not y or x and x.index <= y.index then
        out[#out + 1], i = x, i + 1
        if x == y then j = j + 1 end
      else
        out[#out + 1], j = y, j + 1
      end
    end
    return out
  end

  -- A function that gives the nodes above one for which pick(node) holds. Lists are shared along chains, so that a
  -- rule over ten thousand nodes stays linear in them where few are picked; they are not to be changed.
  function g:picked(pick)
    local known, none = {}, {}
    local function of(n)
      if known[n.index] then return known[n.index] end
      local list = none
      for _, i in ipairs(n.inputs) do
        if i.picture then
          list = join(list, of(i.node))
          if pick(i.node) then list = join(list, { i.node }) end
        end
      end
      known[n.index] = list
      return list
    end
    return of
  end

  function g:below(node)
    local list = {}
    for _, n in ipairs(g.nodes) do
      for _, a in ipairs(g:above(n)) do
        if a == node then list[#list + 1] = n break end
      end
    end
    return list
  end

  function g:node(id)
    for _, n in ipairs(g.nodes) do if n.id == id then return n end end
  end

  function g:pass(id)
    for _, p in ipairs(g.passes) do if p.id == id then return p end end
  end
  return g
end
