/* rig - builds a small scene around one node type; sources of random pixels, random parameters.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "conform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "rng.h"
#include "xml.h"

const struct shape shapes[] = {
	{ 61, 43, 0, 0, false, false, false, "61x43" },
	{ 61, 43, 0, 0, true, false, false, "alpha" },
	{ 40, 37, -7, 11, true, true, true, "offset windows" },
	{ 1, 1, 0, 0, false, false, false, "1x1" },
	{ 1, 29, 0, 0, true, false, false, "1x29" },
	{ 31, 1, 5, -3, false, false, false, "31x1" },
	{ 0, 0, 0, 0, false, false, false, NULL }
};

/* --- a source whose pixels the test fills in; its format comes from the shape --- */
const struct param csource_params[] = {
	P_INT(csource, w, 8, 1, 4096, "pixels", PF_STATIC, "width"), P_INT(csource, h, 8, 1, 4096, "pixels", PF_STATIC, "height"),
	P_INT(csource, dx, 0, -999, 999, "pixels", PF_STATIC, "left"), P_INT(csource, dy, 0, -999, 999, "pixels", PF_STATIC, "top"),
	P_BOOL(csource, alpha, 0, PF_STATIC, "with alpha"), P_BOOL(csource, smaller, 0, PF_STATIC, "data inside display"),
	P_INT(csource, last, 100, 1, 100, "frames", PF_STATIC, "last frame"),
	P_INT(csource, seed, 0, 0, 9999, "", PF_STATIC, "of the pixels"),
	P_BOOL(csource, odd, 0, PF_STATIC, "with NaN, infinities, huge and tiny numbers"), P_END
};
int csource_format(const struct node_ctx *n, struct format *f, struct err *e)
{
	const struct csource *v = n->v;
	(void)e;
	f->data = f->display = rect_of(v->dx, v->dy, v->dx + v->w, v->dy + v->h);
	if (v->smaller && v->w > 8 && v->h > 8) f->data = rect_grow(f->data, -3, -2);
	f->fps = (struct rational){ 24, 1 };
	f->first = 1;
	f->last = v->last;
	f->space = f->encoded = colour_find("rec709");
	format_channels(f, v->alpha ? "R G B A Z" : "R G B");
	return 0;
}
static int csource_tile(const struct call *c, struct rect r)
{
	view_clear(c->out, r);
	return 0;
}
static const struct node_type csource_type = { .name = "csource", .doc = "Test pixels.", .category = "source",
	.version = 1, .size = sizeof(struct csource), .params = csource_params, .inputs = "", .traits = TR_SOURCE,
	.format = csource_format, .tile = csource_tile };

static int rig_load(struct script_host *h, struct registry *reg, const char *path, const char *from, int line,
                    struct diags *d)
{
	struct rig *r = h->self;
	struct err e = ERR_INIT;
	if (!strstr(path, "conform-types")) return r->lua->load(r->lua, reg, path, from, line, d);
	for (int i = 0; i < r->ntypes; i++)
		if (registry_add(reg, r->types[i], &e) < 0) {
			diag_add(d, DIAG_ERROR, E_SCRIPT, from, line, "", "", "%s", e.msg);
			return -1;
		}
	return registry_add(reg, &csource_type, &e);
}

static int rig_eval(struct script_host *h, const char *expr, const struct eval_env *env, const struct param *p,
                    struct arena *a, struct value *out, struct err *e)
{
	struct rig *r = h->self;
	return r->lua->eval(r->lua, expr, env, p, a, out, e);
}

static void put_sources(char *out, size_t n, const struct node_type *t, const struct shape *s, unsigned sources)
{
	struct slot slot[NODE_MAX_SLOTS];
	int ns = node_slots(t, slot);
	for (int i = 0; i < ns; i++) {
		if (slot[i].optional && (!(sources >> i & 1) || strcmp(slot[i].name, "hold_skin") == 0)) continue;
		bool mask = strcmp(slot[i].name, "mask") == 0;
		int dx = s->dx + (mask && s->offset_mask ? 4 : 0);
		size_t k = strlen(out);
		snprintf(out + k, n - k, "<csource id=\"s%d\" w=\"%d\" h=\"%d\" dx=\"%d\" dy=\"%d\" alpha=\"%s\" smaller=\"%s\"/>\n",
		         i, s->w, s->h, dx, s->dy, s->alpha ? "true" : "false", s->data_smaller ? "true" : "false");
	}
}

static void put_node(char *out, size_t n, const struct node_type *t, const char *attrs, unsigned sources)
{
	struct slot slot[NODE_MAX_SLOTS];
	int ns = node_slots(t, slot);
	size_t k = strlen(out);
	snprintf(out + k, n - k, "<%s id=\"t\"", t->name);
	for (int i = 0; i < ns; i++) {
		if (slot[i].optional && (!(sources >> i & 1) || strcmp(slot[i].name, "hold_skin") == 0)) continue;
		k = strlen(out);
		snprintf(out + k, n - k, " %s=\"s%d\"", slot_attr(&slot[i]), i);
	}
	k = strlen(out);
	snprintf(out + k, n - k, "%s/>\n</graph>\n", attrs);
}

int rig_build(struct rig *r, const struct node_type *t, const char *attrs, const struct shape *s, unsigned sources)
{
	static char text[32768];
	struct diags d = { 0 };
	r->host = (struct script_host){ r, rig_load, rig_eval };
	snprintf(text, sizeof text, "<graph version=\"1\" name=\"c\" fps=\"24\">\n<script file=\"conform-types\"/>\n");
	if (r->script) {
		size_t k = strlen(text);
		snprintf(text + k, sizeof text - k, "<script file=\"%s\"/>\n", r->script);
	}
	put_sources(text, sizeof text, t, s, sources);
	put_node(text, sizeof text, t, attrs, sources);
	struct load_opts lo = { &r->host, NULL, 0 };
	r->opts = (struct net_opts){ .proxy = 1 };
	r->scene = scene_load("conform.xml", text, strlen(text), &lo, &d);
	if (r->scene && diags_status(&d) == E_OK) r->net = net_build(r->scene, &r->opts, &d);
	if (r->net) r->nn = net_find(r->net, "t");
	if (!r->nn && getenv("CONFORM_VERBOSE")) { fputs(text, stderr); diags_print(&d, false); }
	diags_free(&d);
	if (!r->nn) { rig_free(r); return -1; }
	r->pool = pool_new();
	return 0;
}

void rig_free(struct rig *r)
{
	net_free(&r->net);
	if (r->scene) scene_free(&r->scene);
	if (r->pool) pool_free(&r->pool);
	r->nn = NULL;
}

static double rnd(uint32_t seed, uint32_t i, uint32_t k)
{
	struct philox p = philox4x32(seed, i, k, 0, 0xC0DE, 0xF00D);
	return (p.c[0] + 0.5) / 4294967296.0;
}

/* A number inside the range, not too far from the default: tests want effects, not overflow. */
static double pick(double lo, double hi, double def, double u)
{
	double a = lo < def - 2 ? def - 2 : lo, b = hi > def + 2 ? def + 2 : hi;
	if (b - a < 1e-9) { a = lo; b = hi; }
	return a + (b - a) * u;
}

static void put_value(const struct param *p, uint32_t seed, uint32_t i, char *out, size_t n)
{
	char num[40];
	int k, choices = 1;
	out[0] = 0;
	switch (p->type) {
	case PT_FLOAT: case PT_COLOUR: case PT_VEC:
		for (k = 0; k < p->n; k++) {
			mx_print(pick(p->type == PT_COLOUR ? 0 : p->min, p->type == PT_COLOUR ? 1 : p->max, p->def[k],
			              rnd(seed, i, (uint32_t)k)), num);
			strcat(out, k ? " " : "");
			strcat(out, num);
		}
		break;
	case PT_LENGTH: snprintf(out, n, "%d.%d", (int)(1 + 4 * rnd(seed, i, 0)), (int)(10 * rnd(seed, i, 1))); break;
	case PT_INT: snprintf(out, n, "%d", (int)pick(p->min, p->max > 40 ? 40 : p->max, p->def[0], rnd(seed, i, 0))); break;
	case PT_BOOL: snprintf(out, n, "%s", rnd(seed, i, 0) < 0.5 ? "true" : "false"); break;
	case PT_CURVE: snprintf(out, n, "0,%.2f 0.5,%.2f 1,%.2f", 0.1 * rnd(seed, i, 0), 0.3 + 0.4 * rnd(seed, i, 1), 0.9 + 0.2 * rnd(seed, i, 2)); break;
	case PT_ENUM:
		for (const char *c = p->choices; *c; c++) choices += *c == '|';
		k = (int)(rnd(seed, i, 0) * choices);
		const char *c = p->choices;
		while (k-- > 0) c = strchr(c, '|') + 1;
		snprintf(out, n, "%.*s", (int)strcspn(c, "|"), c);
		break;
	default: break;
	}
}

void random_attrs(const struct node_type *t, uint32_t seed, int vary, char *out, size_t n)
{
	uint32_t i = 0;
	out[0] = 0;
	for (const struct param *p = t->params; p && p->type != PT_END; p++, i++) {
		char value[256];
		if (p->flags & (PF_HIDDEN | PF_OUTPUT)) continue;
		put_value(p, vary == (int)i ? seed + 7777 : seed, i, value, sizeof value);
		if (!value[0]) continue;
		size_t k = strlen(out);
		snprintf(out + k, n - k, " %s=\"%s\"", p->name, value);
	}
}

void thin_attrs(char *attrs, double share, uint32_t seed, uint32_t try)
{
	char *from = attrs, *to = attrs;
	for (uint32_t i = 0; *from; i++) {
		char *end = strchr(strchr(from, '"') + 1, '"') + 1;
		size_t len = (size_t)(end - from);
		if (rnd(seed + 99, i, try) > share) {
			memmove(to, from, len);
			to += len;
		}
		from = end;
	}
	*to = 0;
}

int rig_settle(struct rig *r, const struct node_type *t, char *attrs, const struct shape *s, unsigned sources,
               uint32_t seed)
{
	for (uint32_t try = 0; try < 40; try++) {
		if (rig_build(r, t, attrs, s, sources) == 0) return 0;
		thin_attrs(attrs, 0.25, seed, try);
	}
	return -1;
}
