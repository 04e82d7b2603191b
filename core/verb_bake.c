/* verb_bake - `interneg bake`: the look of a node, or of a run of nodes, as a .cube, .clf or ASC CDL file.
 *
 * What is written is read back by the program's own reader and compared with the nodes themselves
 * on ramps and random colours; the largest error is printed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lut.h"
#include "mathx.h"
#include "px_rows.h"
#include "rng.h"
#include "textfile.h"
#include "verb_bake.h"

/* The shaper of a .cube: a line of numbers from what acescct calls 0 to this much light. */
#define SHAPER_TOP 32.0
enum { SHAPER_N = 65536, TEST_RANDOM = 1 << 16, TEST_RAMP = 1 << 10, TEST_N = TEST_RANDOM + 4 * TEST_RAMP };

struct text { char *s; size_t n, cap; };

static void say(struct text *t, const char *fmt, ...) IN_PRINTF(2, 3);
static void say(struct text *t, const char *fmt, ...)
{
	va_list ap;
	if (t->n + 512 > t->cap) t->s = xrealloc(t->s, t->cap = t->cap * 2 + 4096, 1);
	va_start(ap, fmt);
	int k = vsnprintf(t->s + t->n, t->cap - t->n, fmt, ap);
	va_end(ap);
	t->n += k > 0 ? (size_t)k < t->cap - t->n ? (size_t)k : t->cap - t->n - 1 : 0;
}

struct bake {
	struct session *s;
	const struct cli *c;
	struct look look;
	char first[256], last[256];
	int side, in, out;                   /* nodes a side; colour spaces */
	bool shaper;
	const char *path;
};

/* ID, ID..ID, or ID,ID,ID: the first and the last. */
static int names(struct bake *b, const char *arg, struct err *e)
{
	const char *dots = strstr(arg, ".."), *comma = strchr(arg, ','), *end = strrchr(arg, ',');
	size_t n = dots ? (size_t)(dots - arg) : comma ? (size_t)(comma - arg) : strlen(arg);
	const char *last = dots ? dots + 2 : end ? end + 1 : arg;
	if (n == 0 || n >= sizeof b->first || !*last || strlen(last) >= sizeof b->last || (dots && comma))
		return err_set(e, E_USAGE, "\"%s\": expected NODE, NODE..NODE or NODE,NODE,...", arg);
	snprintf(b->first, sizeof b->first, "%.*s", (int)n, arg);
	snprintf(b->last, sizeof b->last, "%s", last);
	return 0;
}

/* With a list, the nodes of the run must be those of the list. */
static int check_list(const struct bake *b, const char *arg, struct err *e)
{
	if (!strchr(arg, ',')) return 0;
	for (int i = 1; i < b->look.nstep; i++) {
		const char *id = b->look.step[i].nn->elem->id;
		const char *full = b->look.step[i].nn->id;
		size_t n = strcspn(full, "/");
		bool found = false;
		for (const char *p = arg; *p; p += strcspn(p, ","), p += *p == ',')
			found |= strcspn(p, ",") == n && strncmp(p, full, n) == 0;
		if (!found) return err_set(e, E_USAGE, "'%s' lies between the nodes of \"%s\"; name it too",
			id ? id : full, arg);
	}
	return 0;
}

static int space_option(const char *option, const char *name, int fallback, int *out, struct err *e)
{
	*out = name ? colour_named(option, name, e) : fallback;
	if (*out < 0) { e->code = E_USAGE; return -1; }
	if (*out == colour_find("raw")) return err_set(e, E_USAGE,
		"%s: numbers without a colour space have no look; name the space", option);
	return 0;
}

/* The encoding that people see: a picture's own one, or the display's where it is linear. */
static int shown_space(const struct format *f) { return colour_is_linear(f->space) ? f->encoded : f->space; }

/* --- colours --- */

/* From the lattice's 0..1 to the numbers that go in. */
static void unshape(const struct bake *b, float *p, size_t n)
{
	int log = colour_find("acescct");
	for (size_t i = 0; b->shaper && i < n; i++) p[i] = (float)colour_decode(log, p[i]);
}

static float *lattice(struct bake *b, struct err *e)
{
	size_t n = (size_t)b->side, all = n * n * n;
	float *v = xalloc(all * 3, sizeof *v);
	for (size_t i = 0; i < all; i++) {
		v[i] = (float)(i % n) / (float)(n - 1);
		v[all + i] = (float)(i / n % n) / (float)(n - 1);
		v[2 * all + i] = (float)(i / n / n) / (float)(n - 1);
	}
	unshape(b, v, all * 3);
	if (look_run(&b->look, v, v + all, v + 2 * all, all, e) == 0) return v;
	free(v);
	return NULL;
}

/* Ramps of grey and of each channel, and random colours: planes of TEST_N. */
static float *test_colours(const struct bake *b)
{
	float *v = xalloc((size_t)TEST_N * 3, sizeof *v);
	for (uint32_t i = 0; i < TEST_N; i++) {
		struct philox x = philox4x32(i, 0, 0, 0, 20, 6);
		for (int k = 0; k < 3; k++) {
			float at = (float)(i % TEST_RAMP) / (TEST_RAMP - 1);
			uint32_t ramp = i / TEST_RAMP;
			v[k * TEST_N + (int)i] = ramp >= 4 ? (float)(x.c[k] >> 8) * 0x1p-24f : ramp == 3
				|| (int)ramp == k ? at : 0.0f;
		}
	}
	/* what the shaper's table holds, above black */
	if (b->shaper) {
		int log = colour_find("acescct");
		double lo = colour_encode(log, 0), hi = colour_encode(log, SHAPER_TOP);
		for (int i = 0; i < TEST_N * 3; i++) v[i] = (float)(lo + (hi - lo) * v[i]);
	}
	unshape(b, v, (size_t)TEST_N * 3);
	return v;
}

/* --- files --- */

static void head(const struct bake *b, struct text *t, const char *before)
{
	say(t, "%sinterneg: %.60s%s%.60s of %.100s, frame %d\n%sin: %s, out: %s%s\n", before, b->first,
		strcmp(b->first, b->last) ? ".." : "",
	    strcmp(b->first, b->last) ? b->last : "", b->s->file, b->look.frame, before, colour_name(b->in),
		colour_name(b->out),
	    b->shaper ? ", acescct shaper" : "");
}

static void write_cube(const struct bake *b, struct text *t, const float *v)
{
	size_t n = (size_t)b->side, all = n * n * n;
	int log = colour_find("acescct");
	double lo = colour_decode(log, 0);
	head(b, t, "# ");
	if (b->shaper) say(t, "LUT_1D_SIZE %d\nLUT_1D_INPUT_RANGE %.9g %.9g\n", SHAPER_N, lo, SHAPER_TOP);
	say(t, "LUT_3D_SIZE %d\n", b->side);
	if (b->shaper) say(t, "LUT_3D_INPUT_RANGE 0 1\n");
	for (int i = 0; b->shaper && i < SHAPER_N; i++) {
		float y = (float)colour_encode(log, lo + (SHAPER_TOP - lo) * i / (SHAPER_N - 1));
		say(t, "%.9g %.9g %.9g\n", (double)y, (double)y, (double)y);
	}
	for (size_t i = 0; i < all; i++) say(t, "%.9g %.9g %.9g\n", (double)v[i], (double)v[all + i],
		(double)v[2 * all + i]);
}

static void say_escaped(struct text *t, const char *s)
{
	for (; *s; s++) {
		const char *r = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '"' ? "&quot;" : NULL;
		if (r) say(t, "%s", r);
		else say(t, "%c", *s);
	}
}

static void write_clf(const struct bake *b, struct text *t, const float *v)
{
	size_t n = (size_t)b->side, all = n * n * n;
	struct text words = { 0 };
	head(b, &words, "");
	say(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<ProcessList xmlns=\"urn:AMPAS:CLF:v3.0\" "
	    "compCLFversion=\"3.0\" id=\"");
	say_escaped(t, b->last);
	say(t, "\" name=\"");
	say_escaped(t, b->last);
	say(t, "\">\n<Description>");
	say_escaped(t, words.s);
	say(t, "</Description>\n<InputDescriptor>%s</InputDescriptor>\n<OutputDescriptor>%s</OutputDescriptor>\n",
		colour_name(b->in),
	    colour_name(b->out));
	free(words.s);
	if (b->shaper)
		say(t, "<Log inBitDepth=\"32f\" outBitDepth=\"32f\" style=\"cameraLinToLog\">\n<LogParams "
		    "base=\"2\" logSideSlope=\"%.17g\" logSideOffset=\"%.17g\" "
		    "linSideBreak=\"0.0078125\"/>\n</Log>\n", 1 / 17.52, 9.72 / 17.52);
	say(t, "<LUT3D inBitDepth=\"32f\" outBitDepth=\"32f\" interpolation=\"tetrahedral\">\n<Array "
	    "dim=\"%d %d %d 3\">\n", b->side, b->side, b->side);
	for (size_t i = 0; i < all; i++) {
		size_t k = i / n / n + n * (i / n % n + n * (i % n));      /* blue runs fastest in CLF */
		say(t, "%.9g %.9g %.9g\n", (double)v[k], (double)v[all + k], (double)v[2 * all + k]);
	}
	say(t, "</Array>\n</LUT3D>\n</ProcessList>\n");
}

/* A file of other hands is not replaced. */
static int save(const struct bake *b, const struct text *t, struct err *e)
{
	FILE *f = b->c->overwrite ? NULL : fopen(b->path, "rb");
	char begin[4096];
	if (f) {
		size_t n = fread(begin, 1, sizeof begin - 1, f);
		fclose(f);
		begin[n] = 0;
		if (!memmem(begin, n, "interneg: ", 10))
			return err_set(e, E_OUTPUT, "%s is there and not interneg's; --overwrite replaces it", b->path);
	}
	return text_write(b->path, t->s, e);
}

/* --- how far off --- */

struct miss { double most, mean, most99; float at[3]; };   /* most99: of all but the worst hundredth */

static int by_size(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Differences as shares of the value where that is above 1. */
static struct miss compare(const float *in, const float *want, const float *got)
{
	struct miss m = { 0 };
	double *all = xalloc(TEST_N, sizeof *all);
	for (int i = 0; i < TEST_N; i++) {
		double d = 0;
		for (int k = 0; k < 3; k++) {
			double w = want[k * TEST_N + i], x = w - got[k * TEST_N + i], top = w < 0 ? -w : w;
			x = (x < 0 ? -x : x) / (top > 1 ? top : 1);
			if (!(x <= d)) d = x;
		}
		m.mean += d / TEST_N;
		all[i] = d;
		if (!(d <= m.most)) {
			m.most = d;
			for (int k = 0; k < 3; k++) m.at[k] = in[k * TEST_N + i];
		}
	}
	qsort(all, TEST_N, sizeof *all, by_size);
	m.most99 = all[TEST_N - TEST_N / 100];
	free(all);
	return m;
}

static int check_table(struct bake *b, struct err *e)
{
	float *in = test_colours(b);
	size_t bytes = (size_t)TEST_N * 3 * sizeof(float);
	float *want = xalloc(bytes, 1), *got = xalloc(bytes, 1);
	memcpy(want, in, bytes);
	memcpy(got, in, bytes);
	int rc = -1;
	struct lut *l = lut_load(b->path, e);
	if (l && look_run(&b->look, want, want + TEST_N, want + 2 * TEST_N, TEST_N, e) == 0) {
		lut_apply(l, false, got, got + TEST_N, got + 2 * TEST_N, TEST_N);
		struct miss m = compare(in, want, got);
		printf("%s: %s to %s, frame %d%s; largest error %.2g at %.3g %.3g %.3g, 99 of 100 within %.2g, "
		       "mean %.2g over %d colours\n", b->path,
		       colour_name(b->in), colour_name(b->out), b->look.frame,
			b->look.animated ? " (the nodes are animated)" : "",
		       m.most, (double)m.at[0], (double)m.at[1], (double)m.at[2], m.most99, m.mean, TEST_N);
		rc = 0;
	}
	lut_free(&l);
	free(in);
	free(want);
	free(got);
	return rc;
}

static int bake_table(struct bake *b, struct err *e)
{
	struct text t = { 0 };
	float *v = lattice(b, e);
	int rc = -1;
	if (v) {
		if (b->c->clf) write_clf(b, &t, v);
		else write_cube(b, &t, v);
		rc = save(b, &t, e) < 0 ? -1 : check_table(b, e);
	}
	free(v);
	free(t.s);
	return rc;
}

/* --- CDL --- */

struct cdl { double slope[3], offset[3], power[3], saturation; };

/* The node's own numbers; false where its type has none. */
static bool cdl_of(const struct look_step *s, struct cdl *o)
{
	const struct { const char *name; double *to; int n; } want[] = {
		{ "slope", o->slope, 3 }, { "offset", o->offset, 3 }, { "power", o->power, 3 },
			{ "saturation", &o->saturation, 1 },
	};
	for (size_t i = 0; i < IN_COUNT(want); i++) {
		const struct param *p = param_find(s->nn->type->params, want[i].name);
		if (!p || p->n != want[i].n || (p->type != PT_FLOAT && p->type != PT_VEC)) return false;
		memcpy(want[i].to, (const char *)s->c.v + p->off, (size_t)p->n * sizeof(double));
	}
	return true;
}

static void cdl_row(const struct cdl *c, float *p)
{
	for (int k = 0; k < 3; k++) {
		float *q = p + (size_t)k * TEST_N;
		for (int i = 0; i < TEST_N; i++) q[i] = q[i] * (float)c->slope[k] + (float)c->offset[k];
		px_power_row(q, (float)c->power[k], POW_KEEP, TEST_N);
	}
	for (int i = 0; i < TEST_N; i++) {
		float *r = p + i, *g = r + TEST_N, *b = g + TEST_N, y = 0.2126f * *r + 0.7152f * *g + 0.0722f * *b;
		*r = y + (float)c->saturation * (*r - y);
		*g = y + (float)c->saturation * (*g - y);
		*b = y + (float)c->saturation * (*b - y);
	}
}

/* How far the CDL in a space is from the nodes. */
static int cdl_miss(struct bake *b, const struct cdl *c, int space, struct miss *m, struct err *e)
{
	float *in = test_colours(b);
	size_t bytes = (size_t)TEST_N * 3 * sizeof(float);
	float *want = xalloc(bytes, 1), *got = xalloc(bytes, 1);
	memcpy(want, in, bytes);
	memcpy(got, in, bytes);
	look_spaces(&b->look, space, space);
	int rc = look_run(&b->look, want, want + TEST_N, want + 2 * TEST_N, TEST_N, e);
	cdl_row(c, got);
	*m = compare(in, want, got);
	free(in);
	free(want);
	free(got);
	return rc;
}

static void write_cdl(const struct bake *b, struct text *t, const struct cdl *c, int space)
{
	const char *dot = strrchr(b->path, '.'), *ns = " xmlns=\"urn:ASC:CDL:v1.01\"";
	bool list = dot && !strcasecmp(dot, ".cdl"), many = dot && !strcasecmp(dot, ".ccc");
	say(t, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
	if (list) say(t, "<ColorDecisionList%s>\n<ColorDecision>\n", ns);
	if (many) say(t, "<ColorCorrectionCollection%s>\n", ns);
	say(t, "<ColorCorrection id=\"%s\"%s>\n<SOPNode>\n<Description>interneg: in %s</Description>\n", b->last,
		list || many ? "" : ns,
	    colour_name(space));
	const struct { const char *tag; const double *v; } sop[] = { { "Slope", c->slope },
		{ "Offset", c->offset }, { "Power", c->power } };
	for (int i = 0; i < 3; i++) {
		char v[3][40];
		for (int k = 0; k < 3; k++) mx_print(sop[i].v[k], v[k]);
		say(t, "<%s>%s %s %s</%s>\n", sop[i].tag, v[0], v[1], v[2], sop[i].tag);
	}
	char sat[40];
	mx_print(c->saturation, sat);
	say(t, "</SOPNode>\n<SatNode>\n<Saturation>%s</Saturation>\n</SatNode>\n</ColorCorrection>\n%s%s", sat,
	    list ? "</ColorDecision>\n</ColorDecisionList>\n" : "", many ? "</ColorCorrectionCollection>\n" : "");
}

/* The one node whose numbers are a CDL's, in the space in which they are all that it does. */
static int bake_cdl(struct bake *b, struct err *e)
{
	const double close = 1e-5;
	struct cdl c, one;
	struct miss m, best = { .most = 1e30 };
	struct text t = { 0 };
	int n = 0, space = -1, tried[4] = { colour_find("acescct"), b->s->net->working, b->look.in->fmt.encoded,
		b->in };
	for (int i = 1; i < b->look.nstep; i++)
		if (cdl_of(&b->look.step[i], &one)) { n++; c = one; }
	if (n != 1) return err_set(e, E_SCENE, "'%s': %s", b->last,
		n ? "more than one node with CDL numbers: bake them as a --cube"
	                           : "has no slope, offset, power and saturation: bake it as a --cube");
	for (int i = 0; i < 4; i++) {
		if (tried[i] < 0 || cdl_miss(b, &c, tried[i], &m, e) < 0) return -1;
		if (m.most < best.most) { best = m; space = tried[i]; }
	}
	if (best.most > close)
		return err_set(e, E_SCENE,
			"'%s' does more than its CDL: in %s, where it is nearest, colours differ by up to %.2g. Bake it as "
		               "a --cube", b->last, colour_name(space), best.most);
	write_cdl(b, &t, &c, space);
	int rc = save(b, &t, e);
	free(t.s);
	if (rc == 0) printf("%s: a CDL in %s, unclamped; largest error %.2g over %d colours\n", b->path,
		colour_name(space), best.most, TEST_N);
	return rc;
}

/* --- the verb --- */

static int options(struct bake *b, const struct cli *c, struct err *e)
{
	if (c->narg != 2) return err_set(e, E_USAGE, "bake wants SCENE and a NODE, NODE..NODE or NODE,NODE");
	if (c->cdl ? c->cube || c->clf : !c->cube && !c->clf)
		return err_set(e, E_USAGE, "bake wants one of --cube N, --clf, --cdl");
	if (!c->out) return err_set(e, E_USAGE, "bake wants -o FILE");
	const char *dot = strrchr(c->out, '.');
	bool cc = dot && (!strcasecmp(dot, ".cc") || !strcasecmp(dot, ".ccc") || !strcasecmp(dot, ".cdl"));
	if (c->cdl ? !cc : !dot || strcasecmp(dot, c->clf ? ".clf" : ".cube") != 0)
		return err_set(e, E_USAGE, "-o %s: the name must end in %s", c->out,
			c->cdl ? ".cc, .ccc or .cdl" : c->clf ? ".clf" : ".cube");
	b->side = c->cube ? c->cube : 33;
	if (b->side < 2 || b->side > 129) return err_set(e, E_USAGE, "--cube %d: 2 to 129 nodes a side", b->side);
	b->shaper = c->shaper && strcmp(c->shaper, "acescct") == 0;
	if (c->shaper && !b->shaper && strcmp(c->shaper, "none") != 0) return err_set(e, E_USAGE,
		"--shaper %s: acescct or none", c->shaper);
	if (b->shaper && c->cdl) return err_set(e, E_USAGE, "a CDL has no shaper");
	if (c->cdl && (c->space_in || c->space_out)) return err_set(e, E_USAGE,
		"a CDL works in its node's space; leave --in-space and --out-space");
	b->path = c->out;
	return names(b, c->arg[1], e);
}

static int spaces(struct bake *b, struct err *e)
{
	if (space_option("--in-space", b->c->space_in, shown_space(&b->look.in->fmt), &b->in, e) < 0) return -1;
	if (space_option("--out-space", b->c->space_out, shown_space(&b->look.last->fmt), &b->out, e) < 0) return -1;
	if (b->shaper && !colour_is_linear(b->in))
		return err_set(e, E_USAGE,
			"--shaper: %s is encoded already; a shaper is for linear light (--in-space acescg ...)",
			colour_name(b->in));
	look_spaces(&b->look, b->in, b->out);
	return 0;
}

int verb_bake(struct cli *c, struct err *e)
{
	struct session s;
	struct bake b = { .s = &s, .c = c };
	if (options(&b, c, e) < 0) return -1;
	int rc = session_open(&s, c, c->arg[0], WANT_NET, e);
	if (rc == 0) rc = look_open(&b.look, &s, b.first, b.last, e);
	if (rc == 0) rc = check_list(&b, c->arg[1], e);
	if (rc == 0) rc = spaces(&b, e);
	if (rc == 0) rc = c->cdl ? bake_cdl(&b, e) : bake_table(&b, e);
	look_close(&b.look);
	session_close(&s);
	return rc;
}
