/* pictures - a hash for every node type's pictures on one instruction set, for comparison between CPUs.
 *
 * pictures ISA [TYPE...]: each type, with all that its composition is made of, over random and moving sources, in several
 * sizes and with random parameters; a line "TYPE SHAPE SEED HASH" each, then "ran" and "unseen" with the types that
 * pixels came from and those that none came from.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conform.h"
#include "mathx.h"
#include "render.h"
#include "rng.h"
#include "script.h"
#include "test.h"
#include "xml.h"

enum { SEEDS = 3, FRAMES = 5, TRIES = 24 };

/* --- the host of scripts, with the source beside what they declare --- */

struct lab { struct script_host *lua; const char *script; const char *name; const char *shape; uint32_t seed;
	bool *seen; };

static int lab_load(struct script_host *h, struct registry *reg, const char *path, const char *from, int line,
                    struct diags *d)
{
	struct lab *b = h->self;
	struct err e = ERR_INIT;
	if (strstr(path, "test-source")) return registry_add(reg, &psource_type, &e);
	return b->lua->load(b->lua, reg, path, from, line, d);
}
static int lab_eval(struct script_host *h, const char *expr, const struct eval_env *env, const struct param *p,
                    struct arena *a, struct value *out, struct err *e)
{
	struct lab *b = h->self;
	return b->lua->eval(b->lua, expr, env, p, a, out, e);
}

/* --- a scene of one type --- */

static bool connected(const struct slot *s, uint32_t seed, uint32_t try)
{ return !s->optional || (seed & 1 && try < TRIES / 2 && strcmp(s->name, "hold_skin") != 0); }

static size_t scene_head(const struct lab *b, char *out, size_t n)
{
	size_t k = (size_t)snprintf(out, n, "<graph version=\"1\" name=\"p\" fps=\"24\">\n<script file=\"test-source\"/>\n");
	if (b->script) k += (size_t)snprintf(out + k, n - k, "<script file=\"%s\"/>\n", b->script);
	return k;
}

/* A source's size is the shape's. */
static void resize(char *attrs, size_t n, const struct shape *s)
{
	static const char *const name[] = { " width=\"", " height=\"" };
	for (int i = 0; i < 2; i++) {
		char *p = strstr(attrs, name[i]);
		char *end = p ? strchr(p + strlen(name[i]), '"') + 1 : NULL;
		if (p) memmove(p, end, strlen(end) + 1);
		size_t k = strlen(attrs);
		snprintf(attrs + k, n - k, "%s%d\"", name[i], i ? s->h : s->w);
	}
}

static void scene_text(const struct lab *b, const struct node_type *t, const struct shape *s, uint32_t try, char *out, size_t n)
{
	struct slot slot[NODE_MAX_SLOTS];
	static char attrs[8192];
	int ns = node_slots(t, slot);
	size_t k = scene_head(b, out, n);
	for (int i = 0; i < ns; i++) {
		if (!connected(&slot[i], b->seed, try)) continue;
		int dx = s->dx + (strcmp(slot[i].name, "mask") == 0 && s->offset_mask ? 4 : 0);
		k += (size_t)snprintf(out + k, n - k, "<psource id=\"s%d\" w=\"%d\" h=\"%d\" dx=\"%d\" dy=\"%d\" alpha=\"%s\" "
			"smaller=\"%s\" last=\"%d\" seed=\"%d\" odd=\"%s\"/>\n", i, s->w, s->h, dx, s->dy, s->alpha ? "true" : "false",
			s->data_smaller ? "true" : "false", FRAMES, i, b->seed % 3 == 2 ? "true" : "false");
	}
	random_attrs(t, b->seed, -1, attrs, sizeof attrs);
	if (!b->seed) attrs[0] = 0;
	if (try) thin_attrs(attrs, 0.5, b->seed, try);
	if (!ns) resize(attrs, sizeof attrs, s);
	k += (size_t)snprintf(out + k, n - k, "<%s id=\"t\"", t->name);
	for (int i = 0; i < ns; i++)
		if (connected(&slot[i], b->seed, try)) k += (size_t)snprintf(out + k, n - k, " %s=\"s%d\"", slot_attr(&slot[i]), i);
	snprintf(out + k, n - k, "%s/>\n</graph>\n", attrs);
}

/* Marks the types that node nn's pixels came through. */
static void mark(const struct net *n, const struct net_node *nn, bool *seen, bool *been)
{
	int all;
	if (!nn || been[nn->index]) return;
	been[nn->index] = true;
	const struct node_type *const *types = node_types(&all);
	for (int i = 0; i < all; i++)
		if ((strcmp(types[i]->name, nn->type->name) == 0 || (types[i]->tile && types[i]->tile == nn->type->tile)) && !net_identity(nn, &nn->ctx)) seen[i] = true;
	for (int i = 0; i < nn->nconn; i++) mark(n, nn->conn[i], seen, been);
}

static void told(void *user, const struct render_event *ev)
{
	struct lab *b = user;
	char hex[33];
	pixhash_hex(ev->hash, hex);
	printf("%s %s %u %s\n", b->name, b->shape, b->seed, hex);
}

/* Renders "t" of the scene; -1 when it does not build. */
static int picture(struct lab *b, const char *text)
{
	struct diags d = { 0 };
	struct script_host host = { b, lab_load, lab_eval };
	struct load_opts lo = { &host, NULL, 0 };
	struct net_opts no = { .proxy = 1, .only = "t", .no_cache = true };
	struct err e = ERR_INIT;
	struct scene *sc = scene_load("p.xml", text, strlen(text), &lo, &d);
	struct net *n = sc && diags_status(&d) == E_OK ? net_build(sc, &no, &d) : NULL;
	if (!n && getenv("VERBOSE")) { fputs(text, stderr); diags_print(&d, false); }
	bool built = n;
	if (n) {
		struct render_opts ro = { .threads = 1, .tile = b->seed == 1 ? 20 : 0, .frames = "3", .dry = true, .event = told,
			.user = b };
		struct render_stats st = { 0 };
		bool *been = calloc((size_t)n->nnode, sizeof *been);
		int rc = b->seed == 2 ? oracle_run(n, &ro, &st, &e) : render_run(n, &ro, &st, &e);
		if (rc < 0) printf("%s %s %u fails: %s\n", b->name, b->shape, b->seed, e.msg);
		for (int i = 0; i < n->ntarget && rc == 0; i++) mark(n, n->target[i], b->seen, been);
		for (int i = 0; i < n->nwrite && rc == 0; i++) mark(n, n->write[i], b->seen, been);
		free(been);
		diags_free(&st.problems);
	}
	diags_free(&d);
	net_free(&n);
	if (sc) scene_free(&sc);
	fflush(stdout);
	return built ? 0 : -1;
}

static const struct shape sizes[] = {
	{ 61, 43, 0, 0, true, false, false, "61x43" },
	{ 50, 37, -7, 11, true, true, true, "offset" },
	{ 1, 29, 0, 0, true, false, false, "1x29" },
	{ 31, 1, 5, -3, false, false, false, "31x1" },
	{ 0, 0, 0, 0, false, false, false, NULL }
};

static bool wanted(const char *name, int n, char **list)
{
	for (int i = 0; i < n; i++) if (strcmp(list[i], name) == 0) return true;
	return n == 0;
}

static void type_pictures(struct lab *b, const struct node_type *t)
{
	b->name = t->name;
	if (t->flags & (NF_HIDDEN | NF_SINK)) return;
	for (const struct shape *s = sizes; s->name; s++)
		for (b->seed = 0; b->seed <= SEEDS; b->seed++) {
			static char text[32768];
			b->shape = s->name;
			uint32_t try = 0;
			do scene_text(b, t, s, try, text, sizeof text); while (picture(b, text) < 0 && ++try < TRIES);
			if (try == TRIES && getenv("VERBOSE")) printf("# %s %s %u: none\n", t->name, s->name, b->seed);
		}
}

/* --- what random parameters do not reach --- */

struct extra { const char *name, *source, *text; };
#define SMALL "w=\"75\" h=\"43\""
#define EVEN  "w=\"262\" h=\"134\""
static const struct extra extras[] = {
	{ "grain-16mm", SMALL, "<grain id=\"t\" in=\"s0\" profile=\"stock:16mm-coarse\" boil=\"0.3\"/>" },
	{ "grain-65mm", SMALL, "<grain id=\"t\" in=\"s0\" profile=\"stock:65mm-fine\" to_profile=\"stock:35mm-medium\" dissolve=\"0.4\"/>" },
	{ "grain-bw", SMALL, "<grain id=\"t\" in=\"s0\" profile=\"stock:35mm-bw-medium\" temporal=\"keep\"/>" },
	{ "grain-large", SMALL, "<grain id=\"t\" in=\"s0\" size=\"3.7\" amount=\"0.2\" mix=\"0.7\"/>" },
	{ "grain-plate", EVEN, "<grain id=\"t\" in=\"s0\" plate=\"s1\"/>" },
	{ "degrain-stock", SMALL, "<degrain id=\"t\" in=\"s0\" profile=\"stock:16mm-medium\"/>" },
	{ "regrain-stock", SMALL, "<regrain id=\"t\" in=\"s0\" original=\"s1\" neutral=\"s1\" profile=\"stock:16mm-fine\"/>" },
	{ "grade-cube3", SMALL, "<grade id=\"t\" in=\"s0\" lut=\"%s/three.cube\" lut_in=\"rec709\" exposure=\"0.4\"/>" },
	{ "grade-cube1", SMALL, "<grade id=\"t\" in=\"s0\" lut=\"%s/one.cube\" lut_in=\"acescct\" saturation=\"1.3\"/>" },
	{ "blur-large", EVEN, "<blur id=\"t\" in=\"s0\" sigma=\"47\"/>" },
	{ "blur-middle", EVEN, "<blur id=\"t\" in=\"s0\" sigma=\"11.3\"/>" },
	{ "upscale-learned", SMALL, "<upscale id=\"t\" in=\"s0\" method=\"learned\" scale=\"3\"/>" },
	{ "upscale-lanczos", EVEN, "<upscale id=\"t\" in=\"s0\" scale=\"2\"/>" },
	{ "upscale-odd", EVEN, "<upscale id=\"t\" in=\"s0\" scale=\"1.37\" method=\"mitchell\"/>" },
	{ "halation", EVEN, "<halation id=\"t\" in=\"s0\"/>" },
	{ "half", SMALL, "<pass id=\"t\" kind=\"look\" keep=\"always\" depth=\"half\"><grade id=\"g\" in=\"s0\" exposure=\"0.3\"/></pass>" },
	{ "write-h264", EVEN, "<write id=\"t\" in=\"s0\" file=\"t.mp4\" preset=\"h264\"/>" },
	{ "write-h265", EVEN, "<write id=\"t\" in=\"s0\" file=\"t.mp4\" preset=\"h265\" color=\"rec2020\"/>" },
	{ "write-prores", EVEN, "<write id=\"t\" in=\"s0\" file=\"t.mov\" preset=\"master-prores\"/>" },
	{ "write-4444", EVEN, "<write id=\"t\" in=\"s0\" file=\"t.mov\" preset=\"prores-4444\"/>" },
	{ "write-dnxhr", EVEN, "<write id=\"t\" in=\"s0\" file=\"t.mov\" preset=\"master-dnxhr\" matrix=\"bt601\" range=\"full\"/>" },
	{ "write-ffv1", EVEN, "<write id=\"t\" in=\"s0\" file=\"t.mkv\" preset=\"ffv1\"/>" },
	{ "write-png", SMALL, "<write id=\"t\" in=\"s0\" file=\"t.####.png\" bits=\"8\"/>" },
	{ "write-exr", SMALL, "<write id=\"t\" in=\"s0\" file=\"t.####.exr\" depth=\"half\"/>" },
};

static void write_luts(const char *dir)
{
	char path[300];
	snprintf(path, sizeof path, "%s/three.cube", dir);
	FILE *f = fopen(path, "w");
	if (!f) return;
	fprintf(f, "LUT_3D_SIZE 17\n");
	for (int i = 0; i < 17 * 17 * 17; i++) {
		double r = i % 17 / 16.0, g = i / 17 % 17 / 16.0, b = i / 289 / 16.0;
		fprintf(f, "%.6f %.6f %.6f\n", r * r * 0.9 + 0.1 * g, g * 0.8 + 0.2 * b * r, b * (1.2 - 0.3 * b) - 0.1 * g);
	}
	fclose(f);
	snprintf(path, sizeof path, "%s/one.cube", dir);
	if (!(f = fopen(path, "w"))) return;
	fprintf(f, "LUT_1D_SIZE 65\n");
	for (int i = 0; i < 65; i++)
		fprintf(f, "%.6f %.6f %.6f\n", i * i / 4096.0, i / 64.0 * 1.1 - 0.03, i / (i + 12.0));
	fclose(f);
}

static void extra_pictures(struct lab *b)
{
	static char text[8192];
	write_luts(test_tmp());
	for (size_t i = 0; i < IN_COUNT(extras); i++) {
		const struct extra *x = &extras[i];
		b->name = x->name;
		b->shape = "by-hand";
		for (b->seed = 0; b->seed <= 3; b->seed++) {
			size_t k = scene_head(b, text, sizeof text);
			for (int s = 0; s < 2; s++)
				k += (size_t)snprintf(text + k, sizeof text - k, "<psource id=\"s%d\" last=\"%d\" %s alpha=\"%s\" odd=\"%s\"/>\n", s, FRAMES, x->source,
					b->seed & 1 ? "true" : "false", b->seed == 3 ? "true" : "false");
			k += (size_t)snprintf(text + k, sizeof text - k, x->text, test_tmp());
			snprintf(text + k, sizeof text - k, "\n</graph>\n");
			if (picture(b, text) < 0) printf("%s by-hand %u not-built\n", x->name, b->seed);
		}
	}
	char rm[300];
	snprintf(rm, sizeof rm, "rm -rf '%s'", test_tmp());
	if (system(rm) != 0) printf("# %s stays\n", test_tmp());
}

static void script_pictures(struct lab *b, const char *file)
{
	struct registry reg = { 0 };
	struct diags d = { 0 };
	char real[4096];
	if (!realpath(file, real)) { printf("%s: not there\n", file); return; }
	if (b->lua->load(b->lua, &reg, real, "pictures", 0, &d) < 0) diags_print(&d, false);
	b->script = real;
	for (int i = 0; i < reg.nextra; i++) type_pictures(b, reg.extra[i]);
	free(reg.extra);
	diags_free(&d);
	b->script = NULL;
}

int main(int argc, char **argv)
{
	static const char *const isas[] = { "auto", "baseline", "avx2", "avx512" };
	static const char *const scripts[] = { "lua/nodes/bleach_bypass.lua", "lua/nodes/glow.lua",
		"tests/lua/nodes/odd.lua" };
	struct lab b = { .lua = script_host_new() };
	struct err e = ERR_INIT;
	int isa = 0, n;
	for (int i = 0; i < 4 && argc > 1; i++) if (strcmp(argv[1], isas[i]) == 0) isa = i;
	setenv("INTERNEG_SHARE", ".", 0);
	if (node_isa_set((enum isa)isa, &e) < 0) { printf("%s\n", e.msg); return 2; }
	const struct node_type *const *types = node_types(&n);
	b.seen = calloc((size_t)n, sizeof *b.seen);
	for (int i = 0; i < n; i++) if (wanted(types[i]->name, argc - 2, argv + 2)) type_pictures(&b, types[i]);
	for (size_t i = 0; i < IN_COUNT(scripts); i++)
		if (wanted(scripts[i], argc - 2, argv + 2)) script_pictures(&b, scripts[i]);
	if (wanted("extra", argc - 2, argv + 2)) extra_pictures(&b);
	for (int k = 0; k < 2; k++) {
		printf(k ? "# %s: no picture of" : "# %s: pictures of", node_isa_name());
		for (int i = 0; i < n; i++) if (b.seen[i] != (k == 1)) printf(" %s", types[i]->name);
		printf("\n");
	}
	free(b.seen);
	script_host_free(&b.lua);
	return 0;
}
