/* script_decl - node{...} of a script becomes a node type: parameters laid out, slots, traits,
 * flags.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_int.h"

#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "mathx.h"

enum { MAX_PARAMS = 64 };

static const char *const fields[] = {
	"name", "version", "doc", "more", "params", "inputs", "build", "pixel", "frame", "traits",
	"category", "space", "channels", "time", "example" };
static const char *const type_names[] = {
	"float", "int", "bool", "enum", "string", "path", "colour", "vector", "length", "curve" };
static const enum ptype types[] = {
	PT_FLOAT, PT_INT, PT_BOOL, PT_ENUM, PT_STRING, PT_PATH, PT_COLOUR, PT_VEC, PT_LENGTH, PT_CURVE };
const char *const script_traits[SCRIPT_TRAITS] = {
	"ai", "upscale", "neutral", "grade", "lut", "blur", "tone", "grain", "resize", "retime", "clips",
	"output", "source", "convert", "geometry", "cleanup", "dissolve", "view" };
static const char *const categories[] = {
	"source", "image", "colour", "composite", "geometry", "time", "output" };
static const char *const spaces[] = { "any", "linear", "log", "encoded" };

struct decl { lua_State *L; struct host *h; struct script_type *st; const char *name; };

/* Index of word in names, or an error that names the nearest. */
static int choice(lua_State *L, const char *what, const char *word, const char *const *names,
                  size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], word) == 0) return (int)i;
	const char *near = nearest_name(word, names, n);
	return luaL_error(L, "no %s '%s'%s%s", what, word, near ? "; did you mean " : "",
	    near ? near : "");
}

static bool good_name(const char *s)
{
	if (!(*s >= 'a' && *s <= 'z')) return false;
	return strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == strlen(s) && strlen(s) < 32;
}

/* The string field of the table on top, or def. */
static const char *text(struct decl *d, const char *field, const char *def)
{
	lua_State *L = d->L;
	const char *s = def;
	int t = lua_getfield(L, -1, field);
	if (t == LUA_TSTRING) {
		s = arena_strdup(d->h->a, lua_tostring(L, -1));
		if (strlen(s) != lua_rawlen(L, -1)) luaL_error(L, "%s: a zero byte in a text", field);
	} else if (t != LUA_TNIL) luaL_error(L, "%s must be a string", field);
	lua_pop(L, 1);
	return s;
}

static bool flag(struct decl *d, const char *field)
{
	int t = lua_getfield(d->L, -1, field);
	if (t != LUA_TNIL && t != LUA_TBOOLEAN) luaL_error(d->L, "%s must be true or false", field);
	bool v = lua_toboolean(d->L, -1);
	lua_pop(d->L, 1);
	return v;
}

static void check_fields(struct decl *d)
{
	lua_State *L = d->L;
	vm_keys(L, -1);
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
		if (lua_type(L, -1) != LUA_TSTRING)
			luaL_error(L, "node{...}: unexpected item; fields have names");
		choice(L, "field of node{...}", lua_tostring(L, -1), fields, IN_COUNT(fields));
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
}

/* --- parameters --- */

static size_t type_size(const struct param *p)
{
	switch (p->type) {
	case PT_COLOUR: case PT_VEC: return sizeof(double) * (size_t)p->n;
	case PT_CURVE: return sizeof(struct curve);
	default: return 8;
	}
}

static void default_numbers(struct decl *d, struct param *p)
{
	lua_State *L = d->L;
	if (lua_type(L, -1) == LUA_TNUMBER) {
		if (p->n == 0)
			luaL_error(L, "parameter '%s': the default of a vector is a list, as in {0, 0}",
			    p->name);
		for (int i = 0; i < p->n; i++) p->def[i] = lua_tonumber(L, -1);
		return;
	}
	if (lua_type(L, -1) != LUA_TTABLE)
		luaL_error(L, "parameter '%s': the default must be a list of numbers", p->name);
	lua_Integer n = luaL_len(L, -1);
	if (p->n == 0) p->n = n >= 2 && n <= 4 ? (int)n : 0;
	if (n != p->n || n == 0)
		luaL_error(L, "parameter '%s': the default needs %s numbers", p->name, p->n == 3 ? "3"
		    : "2 to 4");
	for (int i = 0; i < p->n; i++) {
		if (lua_rawgeti(L, -1, i + 1) != LUA_TNUMBER)
			luaL_error(L, "parameter '%s': the default must be numbers", p->name);
		p->def[i] = lua_tonumber(L, -1);
		lua_pop(L, 1);
	}
}

/* The default is on top of the stack. */
static void param_default(struct decl *d, struct param *p)
{
	lua_State *L = d->L;
	int t = lua_type(L, -1);
	char num[40];
	p->n = p->type == PT_COLOUR ? 3 : p->type == PT_VEC ? 0 : 1;
	switch (p->type) {
	case PT_FLOAT: case PT_INT:
		if (t != LUA_TNUMBER)
			luaL_error(L, "parameter '%s': the default must be a number", p->name);
		p->def[0] = lua_tonumber(L, -1);
		if (p->type == PT_INT && p->def[0] != mx_floor(p->def[0]))
			luaL_error(L, "parameter '%s': the default must be whole", p->name);
		break;
	case PT_BOOL:
		if (t != LUA_TBOOLEAN)
			luaL_error(L, "parameter '%s': the default must be true or false", p->name);
		p->def[0] = lua_toboolean(L, -1);
		break;
	case PT_COLOUR: case PT_VEC: default_numbers(d, p); break;
	case PT_LENGTH:
		if (t == LUA_TNUMBER) {
			mx_print(lua_tonumber(L, -1), num);
			p->sdef = arena_strdup(d->h->a, num);
			break;
		}
		/* fall through */
	default:
		if (t == LUA_TNIL) p->sdef = "";
		else if (t == LUA_TSTRING) p->sdef = arena_strdup(d->h->a, lua_tostring(L, -1));
		else luaL_error(L, "parameter '%s': the default must be a string", p->name);
	}
}

static double limit(struct decl *d, const char *field, int place, double none)
{
	lua_State *L = d->L;
	int t = lua_getfield(L, -1, field);
	if (t == LUA_TNIL) {
		lua_pop(L, 1);
		t = lua_rawgeti(L, -1, place);
	}
	if (t != LUA_TNIL && t != LUA_TNUMBER)
		luaL_error(L, "a parameter's %s must be a number", field);
	double v = t == LUA_TNUMBER ? lua_tonumber(L, -1) : none;
	lua_pop(L, 1);
	return v;
}

/* Field by name, or by place in the list form {name, type, default, min, max, unit}. */
static void named_or_placed(lua_State *L, const char *name, int place)
{
	if (lua_getfield(L, -1, name) != LUA_TNIL) return;
	lua_pop(L, 1);
	lua_rawgeti(L, -1, place);
}

static const char *word(struct decl *d, const char *name, int place, const char *def)
{
	lua_State *L = d->L;
	named_or_placed(L, name, place);
	if (lua_isnil(L, -1) && def) { lua_pop(L, 1); return def; }
	if (lua_type(L, -1) != LUA_TSTRING)
		luaL_error(L, "a parameter needs a %s: {name, type, default, min, max, unit, doc=}", name);
	const char *s = arena_strdup(d->h->a, lua_tostring(L, -1));
	lua_pop(L, 1);
	return s;
}

static void param_fields(struct decl *d)
{
	static const char *const known[] = { "name", "type", "default", "min", "max", "unit", "doc",
	    "choices", "static",
		"file", "required" };
	lua_State *L = d->L;
	vm_keys(L, -1);
	for (lua_Integer i = 1; lua_rawgeti(L, -1, i) != LUA_TNIL; i++) {
		if (lua_type(L, -1) == LUA_TSTRING)
			choice(L, "field of a parameter", lua_tostring(L, -1), known, IN_COUNT(known));
		lua_pop(L, 1);
	}
	lua_pop(L, 2);
}

static void check_default(struct decl *d, const struct param *p)
{
	struct value v = { 0 };
	struct err e = ERR_INIT;
	struct param once = *p;
	once.flags &= ~(unsigned)PF_REQUIRED;
	bool parsed = p->sdef && (p->sdef[0] || p->type == PT_ENUM || p->type == PT_LENGTH);
	int rc = parsed ? value_parse(&once, p->sdef, d->h->a, &v, &e)
	    : value_default(&once, d->h->a, &v);
	if (rc == 0) rc = value_check(&once, &v, &e);
	if (rc < 0) luaL_error(d->L, "default of parameter %s", e.msg);
}

static void param_flags(struct decl *d, struct param *p)
{
	if (flag(d, "static")) p->flags |= PF_STATIC;
	if (flag(d, "required")) p->flags |= PF_REQUIRED;
	if (flag(d, "file")) {
		if (p->type != PT_PATH)
			luaL_error(d->L, "parameter '%s': only a path can be a file", p->name);
		p->flags |= PF_FILE | PF_STATIC;
	}
	if (p->type == PT_CURVE && d->st->kind == SCRIPT_PIXEL)
		luaL_error(d->L, "parameter '%s': a pixel function cannot read a curve", p->name);
}

/* The parameter's table is on top. */
static void one_param(struct decl *d, struct param *p, size_t *off)
{
	lua_State *L = d->L;
	if (lua_type(L, -1) != LUA_TTABLE)
		luaL_error(L, "params: each one is a table {name, type, default, min, max, unit, doc=}");
	param_fields(d);
	p->name = word(d, "name", 1, NULL);
	if (!good_name(p->name) || strcmp(p->name, "id") == 0 || strcmp(p->name, "in") == 0 ||
	    strcmp(p->name, "mix") == 0 || strcmp(p->name, "mask_invert") == 0)
		luaL_error(L, "'%s' cannot name a parameter: small letters, digits and _; not id, in, mix, "
		           "mask_invert", p->name);
	const char *type = word(d, "type", 2, NULL);
	p->type = types[choice(L, "parameter type", type, type_names, IN_COUNT(types))];
	p->unit = word(d, "unit", 6, p->type == PT_LENGTH ? "pixels" : "");
	p->doc = text(d, "doc", "");
	p->choices = text(d, "choices", NULL);
	if ((p->type == PT_ENUM) != (p->choices != NULL))
		luaL_error(L, "parameter '%s': choices=\"a|b|c\" goes with type enum", p->name);
	p->min = limit(d, "min", 4, p->type == PT_INT ? -2147483648.0 : p->type == PT_BOOL ? 0
	    : -(double)INFINITY);
	p->max = limit(d, "max", 5, p->type == PT_INT ? 2147483647.0 : p->type == PT_BOOL ? 1
	    : (double)INFINITY);
	if (p->min > p->max) luaL_error(L, "parameter '%s': min is above max", p->name);
	named_or_placed(L, "default", 3);
	param_default(d, p);
	lua_pop(L, 1);
	param_flags(d, p);
	check_default(d, p);
	p->off = *off;
	*off += type_size(p);
}

static void params(struct decl *d)
{
	lua_State *L = d->L;
	size_t off = 0;
	lua_Integer n = 0;
	int t = lua_getfield(L, -1, "params");
	if (t == LUA_TTABLE) n = luaL_len(L, -1);
	else if (t != LUA_TNIL) luaL_error(L, "params must be a list");
	if (n > MAX_PARAMS) luaL_error(L, "a node has at most %d parameters", MAX_PARAMS);
	struct param *p = arena_alloc(d->h->a, (size_t)n + 1, sizeof *p);
	for (int i = 0; i < (int)n; i++) {
		lua_rawgeti(L, -1, i + 1);
		one_param(d, &p[i], &off);
		lua_pop(L, 1);
		for (int k = 0; k < i; k++)
			if (strcmp(p[k].name, p[i].name) == 0)
				luaL_error(L, "two parameters named '%s'", p[i].name);
	}
	lua_pop(L, 1);
	d->st->type.params = p;
	d->st->type.size = off ? off : 8;
}

/* --- the type --- */

/* pixel(p, src): more arguments, or other ones by their names, would only fail later and in riddles. */
static void signature(struct decl *d)
{
	static const char *const pictures[] = { "src", "source", "image", "r", "rgb" };
	lua_State *L = d->L;
	lua_Debug ar;
	lua_getfield(L, -1, "pixel");
	const char *first = lua_getlocal(L, NULL, 1);
	bool wrong = false;
	for (size_t i = 0; i < IN_COUNT(pictures); i++) wrong |= first && strcmp(first, pictures[i]) == 0;
	if (lua_getinfo(L, ">Su", &ar) && (wrong || ar.nparams > 2)) {
		vm_of(L)->decl_line = ar.linedefined;
		luaL_error(L, "pixel is called as pixel(p, src): parameters first, then the inputs, as in "
		    "src.image.r, with src.x and src.y; it has %d argument%s%s%s here", ar.nparams,
		    ar.nparams == 1 ? "" : "s", first ? " that begin with " : "", first ? first : "");
	}
}

static void kind(struct decl *d)
{
	static const char *const names[] = { "build", "pixel", "frame" };
	int found = 0;
	for (int i = 0; i < 3; i++) {
		int t = lua_getfield(d->L, -1, names[i]);
		lua_pop(d->L, 1);
		if (t == LUA_TNIL) continue;
		if (t != LUA_TFUNCTION) luaL_error(d->L, "%s must be a function", names[i]);
		d->st->kind = (enum script_kind)i;
		found++;
	}
	if (found != 1)
		luaL_error(d->L, "node '%s' needs exactly one of build, pixel and frame", d->name);
	if (d->st->kind == SCRIPT_PIXEL) signature(d);
}

static void inputs(struct decl *d)
{
	struct node_type *t = &d->st->type;
	struct slot slot[NODE_MAX_SLOTS];
	t->inputs = text(d, "inputs", "image");
	size_t n = strlen(t->inputs), words = 0;
	if (strspn(t->inputs, "abcdefghijklmnopqrstuvwxyz0123456789_?* ") != n || n > 160)
		luaL_error(d->L, "inputs=\"%s\": names with spaces between, ? marks optional ones",
		    t->inputs);
	for (const char *s = t->inputs; *(s += strspn(s, " ")); s += strcspn(s, " ")) {
		if (++words > NODE_MAX_SLOTS || strcspn(s, " ") > 20)
			luaL_error(d->L, "inputs: at most %d, with short names", NODE_MAX_SLOTS);
	}
	int ns = node_slots(t, slot);
	bool build = d->st->kind == SCRIPT_BUILD;
	if (ns == 0 && !build) luaL_error(d->L, "a pixel or frame node needs the input image");
	if (ns > 0 && strcmp(slot[0].name, "image") != 0)
		luaL_error(d->L, "the first input is called image");
	for (int i = 0; i < ns; i++) {
		bool mask = strcmp(slot[i].name, "mask") == 0;
		if (slot[i].list && !build)
			luaL_error(d->L, "input '%s': only build nodes take lists", slot[i].name);
		if (mask && (!slot[i].optional || i != ns - 1))
			luaL_error(d->L, "inputs: mask? comes last and is optional");
		if (mask && !build) t->flags |= NF_MASKED;
		if (param_find(t->params, slot[i].name))
			luaL_error(d->L, "'%s' is an input and a parameter", slot[i].name);
	}
}

static void traits(struct decl *d)
{
	lua_State *L = d->L;
	int t = lua_getfield(L, -1, "traits");
	if (t != LUA_TNIL && t != LUA_TTABLE) luaL_error(L, "traits must be a list, as in {\"ai\"}");
	lua_Integer n = t == LUA_TTABLE ? luaL_len(L, -1) : 0;
	for (lua_Integer i = 1; i <= n && i <= 32; i++) {
		if (lua_rawgeti(L, -1, i) != LUA_TSTRING) luaL_error(L, "traits must be strings");
		d->st->type.traits |= 1u << choice(L, "trait", lua_tostring(L, -1), script_traits,
		    SCRIPT_TRAITS);
		lua_pop(L, 1);
	}
	lua_pop(L, 1);
}

static void functions(struct decl *d)
{
	struct node_type *t = &d->st->type;
	const struct node_type *pp;
	switch (d->st->kind) {
	case SCRIPT_BUILD:
		t->expand = script_expand;
		return;
	case SCRIPT_PIXEL:
		if (!(pp = node_type_find("pixel_program")))
			luaL_error(d->L, "this program has no pixel_program node");
		t->open = script_pixel_open;
		t->close = script_pixel_close;
		t->tile = pp->tile;
		t->in_place = pp->in_place;
		t->scratch = pp->scratch;
		t->flops = pp->flops;
		break;
	default:
		t->frame = script_frame;
	}
	if (!d->st->rgba) t->flags |= NF_RGB;
	if (d->st->time) t->flags |= NF_TIME;
}

static void headline(struct decl *d)
{
	struct node_type *t = &d->st->type;
	d->name = t->name = text(d, "name", NULL);
	if (!t->name || !good_name(t->name))
		luaL_error(d->L, "a node needs name=\"...\": small letters, digits and _");
	if (!(t->doc = text(d, "doc", NULL)))
		luaL_error(d->L, "node '%s' needs doc=\"one sentence\"", t->name);
	t->more = text(d, "more", NULL);
	t->example = text(d, "example", NULL);
	lua_getfield(d->L, -1, "version");
	int whole;
	lua_Integer v = lua_tointegerx(d->L, -1, &whole);
	if (!whole || v < 1 || v > 1000000)
		luaL_error(d->L, "node '%s' needs version=1 or higher", t->name);
	lua_pop(d->L, 1);
	t->version = (int)v;
}

void decl_node(lua_State *L, struct host *h, struct script_type *st)
{
	struct decl d = { L, h, st, "" };
	struct node_type *t = &st->type;
	check_fields(&d);
	headline(&d);
	kind(&d);
	params(&d);
	inputs(&d);
	traits(&d);
	t->category = categories[choice(L, "category",
	    text(&d, "category", st->kind == SCRIPT_PIXEL ? "colour" : "image"),
	                                categories, IN_COUNT(categories))];
	const char *space = text(&d, "space", st->kind == SCRIPT_BUILD ? "any" : "linear");
	t->want = (enum want)choice(L, "space", space, spaces, IN_COUNT(spaces));
	const char *ch = text(&d, "channels", "rgb");
	st->rgba = strcmp(ch, "rgba") == 0;
	if (!st->rgba && strcmp(ch, "rgb") != 0) luaL_error(L, "channels is \"rgb\" or \"rgba\"");
	st->time = flag(&d, "time");
	functions(&d);
	t->user = st;
	t->source_hash = st->file->hex;
}
