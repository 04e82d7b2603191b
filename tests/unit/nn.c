/* nn - networks against a naive evaluator in doubles, colour and range around them, and hostile models.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "graph.h"
#include "mathx.h"
#include "nn_model.h"
#include "render.h"
#include "rng.h"
#include "test.h"
#include "xml.h"

/* --- small models, written by hand --- */

struct writer { char text[8192]; unsigned char bin[1 << 20]; size_t nbin; uint32_t at; int layers, blobs; char body[8192]; };

static float noise(struct writer *w) { return (float)(philox4x32(w->at++, 7, 0, 0, 1, 2).c[0] >> 8) * 0x1p-23f - 1.0f; }
static void put(struct writer *w, const void *p, size_t n)
{
	memcpy(w->bin + w->nbin, p, n);
	w->nbin += n;
}
static void numbers(struct writer *w, int n, float scale)
{
	for (int i = 0; i < n; i++) {
		float v = noise(w) * scale;
		put(w, &v, sizeof v);
	}
}
__attribute__((format(printf, 3, 4)))
static void line(struct writer *w, int blobs, const char *fmt, ...)
{
	va_list ap;
	size_t n = strlen(w->body);
	va_start(ap, fmt);
	vsnprintf(w->body + n, sizeof w->body - n, fmt, ap);
	va_end(ap);
	strcat(w->body, "\n");
	w->layers++;
	w->blobs += blobs;
}
static void conv(struct writer *w, const char *type, const char *in, const char *out, int cin, int cout, int k, const char *more)
{
	uint32_t tag = 0;
	line(w, 1, "%s c_%s 1 1 %s %s 0=%d 1=%d 5=1 6=%d %s", type, out, in, out, cout, k, cin * cout * k * k, more);
	put(w, &tag, sizeof tag);
	numbers(w, cin * cout * k * k, 1.6f / (float)(cin * k));
	numbers(w, cout, 0.1f);
}
static void finish(struct writer *w) { snprintf(w->text, sizeof w->text, "7767517\n%d %d\n%.8000s", w->layers, w->blobs, w->body); }

/* Compact form: x2 by shuffle onto the nearest pixels; 3x3, 1x1, 5x5, dilation, every joint and activation. */
static void residual(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	line(w, 2, "Split s 1 2 x x0 x1");
	conv(w, "Convolution", "x0", "a", 3, 20, 3, "4=1");
	line(w, 1, "PReLU p 1 1 a b 0=20");
	numbers(w, 20, 0.5f);
	conv(w, "Convolution", "b", "c", 20, 33, 3, "4=1 9=2 -23310=1,0.2");
	conv(w, "Convolution", "c", "d", 33, 20, 1, "");
	line(w, 1, "Sigmoid g 1 1 d e");
	line(w, 1, "Concat k 2 1 e b f");
	conv(w, "Convolution", "f", "g", 40, 20, 3, "4=2 2=2 9=1");
	line(w, 1, "Eltwise m 2 1 g e h 0=1 -23301=2,0.5,1.5");
	conv(w, "Convolution", "h", "i", 20, 12, 5, "4=2");
	line(w, 1, "PixelShuffle ps 1 1 i j 0=2");
	line(w, 1, "Interp n 1 1 x1 l 0=1 1=2.0 2=2.0");
	line(w, 1, "BinaryOp add 2 1 j l o 0=0");
	finish(w);
}
/* Unpadded layers and a deconvolution, as waifu2x's upconv has them; a bicubic reduction behind. */
static void upconv(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	conv(w, "Convolution", "x", "a", 3, 16, 3, "9=2 -23310=1,0.1");
	conv(w, "Convolution", "a", "b", 16, 24, 3, "9=3 -23310=2,-0.5,0.5");
	conv(w, "Deconvolution", "b", "c", 24, 3, 4, "3=2 4=3");
	finish(w);
}

/* Luma alone. */
static void luma(struct writer *w)
{
	line(w, 1, "Input in 0 1 x");
	line(w, 2, "Split s 1 2 x x0 x1");
	conv(w, "Convolution", "x0", "a", 1, 18, 3, "4=1 9=1");
	conv(w, "Convolution", "a", "b", 18, 4, 3, "4=1");
	line(w, 1, "PixelShuffle ps 1 1 b c 0=2");
	line(w, 1, "Interp n 1 1 x1 d 0=1 1=2.0 2=2.0");
	line(w, 1, "BinaryOp add 2 1 c d o 0=0");
	finish(w);
}

static void save(const struct writer *w, const char *name)
{
	char path[400];
	snprintf(path, sizeof path, "%s/%s.param", test_tmp(), name);
	FILE *f = fopen(path, "w");
	if (f) fputs(w->text, f), fclose(f);
	snprintf(path, sizeof path, "%s/%s.bin", test_tmp(), name);
	f = fopen(path, "w");
	if (f) fwrite(w->bin, 1, w->nbin, f), fclose(f);
}

/* --- the naive evaluator: every blob a plane of doubles over its window --- */

struct map { struct rect r; int c; double *v; };

static double at(const struct map *m, int c, int x, int y, bool hold)
{
	if (hold) {
		x = x < m->r.x0 ? m->r.x0 : x >= m->r.x1 ? m->r.x1 - 1 : x;
		y = y < m->r.y0 ? m->r.y0 : y >= m->r.y1 ? m->r.y1 - 1 : y;
	}
	if (x < m->r.x0 || y < m->r.y0 || x >= m->r.x1 || y >= m->r.y1) return 0;
	return m->v[((size_t)c * (size_t)rect_h(m->r) + (size_t)(y - m->r.y0)) * (size_t)rect_w(m->r) + (size_t)(x - m->r.x0)];
}
static double act(const struct nn_layer *l, const float *slopes, int c, double v)
{
	switch (l->act) {
	case NN_SLOPE: return v > 0 ? v : v * l->lo;
	case NN_SLOPES: return v > 0 ? v : v * (double)slopes[c];
	case NN_CLIP: return v < l->lo ? l->lo : v > l->hi ? l->hi : v;
	case NN_SIGMOID: return 1 / (1 + mx_exp(-v));
	default: return v;
	}
}
/* A convolution reads around itself; a deconvolution is one over the input with stride - 1 zeros between its pixels. */
static double conv_at(const struct nn_layer *l, const float *w, const struct map *in, int o, int x, int y)
{
	double sum = 0;
	int s = l->stride, lead = (s + 2 * l->pad - l->k) / 2, mid = (l->k - 1) * l->dilation / 2;
	for (int i = 0; i < in->c; i++)
		for (int j = 0; j < l->k; j++)
			for (int k = 0; k < l->k; k++) {
				double wt = (double)w[((o * in->c + i) * l->k + j) * l->k + k];
				int sx = x + k * l->dilation - mid, sy = y + j * l->dilation - mid;
				if (l->op == NN_DECONV) {
					sx = x - lead + l->pad - k + 64 * s, sy = y - lead + l->pad - j + 64 * s;
					if (sx % s || sy % s) continue;
					sx = sx / s - 64, sy = sy / s - 64;
				}
				sum += wt * at(in, i, sx, sy, false);
			}
	return sum;
}
static double layer_at(const struct nn_layer *l, const struct map *m, const float *w, const float *bias, const float *sl,
                       int nc, int c, int x, int y)
{
	const struct map *in = &m[l->in[0]];
	int f = l->stride, k = c;
	double v;
	switch (l->op) {
	case NN_CONV: case NN_DECONV: return act(l, sl, c, conv_at(l, w, in, c, x, y) + (bias ? (double)bias[c] : 0));
	case NN_ACT: return act(l, sl, c, at(in, c, x, y, false));
	case NN_SHUFFLE: return at(in, c * f * f + (y % f) * f + x % f, x / f, y / f, false);
	case NN_INTERP: return at(in, c, x * l->den / l->num, y * l->den / l->num, true);
	case NN_CONCAT:
		for (f = 0; k >= m[l->in[f]].c; f++) k -= m[l->in[f]].c;
		return at(&m[l->in[f]], k, x, y, false);
	default:
		v = l->coef[0] * at(in, c, x, y, false);
		(void)nc;
		for (int i = 1; i < l->nin; i++) v += l->coef[i] * at(&m[l->in[i]], c, x, y, false);
		return v;
	}
}
static struct map *evaluate(const struct nn_model *m, const struct image *src)
{
	struct map *b = calloc((size_t)m->nblob, sizeof *b);
	struct err e = ERR_INIT;
	struct rect base = rect_grow(src->fmt.data, m->pad, m->pad);
	for (int i = 0; i < m->nlayer; i++) {
		const struct nn_layer *l = &m->layer[i];
		struct map *o = &b[l->out];
		float *w = l->w.n ? nn_weights(m, &l->w, &e) : NULL, *bias = l->bias.n ? nn_weights(m, &l->bias, &e) : NULL;
		float *sl = l->slopes.n ? nn_weights(m, &l->slopes, &e) : NULL;
		size_t n = 0;
		*o = (struct map){ nn_window(&m->blob[l->out], base), m->blob[l->out].c, NULL };
		o->v = calloc(rect_area(o->r) * (size_t)o->c + 1, sizeof *o->v);
		struct rect d = src->fmt.data;
		for (int c = 0; c < o->c; c++)
			for (int y = o->r.y0; y < o->r.y1; y++)
				for (int x = o->r.x0; x < o->r.x1; x++) {
					int sx = x < d.x0 ? d.x0 : x >= d.x1 ? d.x1 - 1 : x, sy = y < d.y0 ? d.y0 : y >= d.y1 ? d.y1 - 1 : y;
					o->v[n++] = l->op == NN_INPUT ? (double)*view_at(&src->view, c, sx, sy)
					                              : layer_at(l, b, w, bias, sl, o->c, c, x, y);
				}
		free(w);
		free(bias);
		free(sl);
	}
	return b;
}
static void maps_free(struct map *b, int n)
{
	for (int i = 0; i < n; i++) free(b[i].v);
	free(b);
}

/* --- scenes --- */

struct src { int kind, w, h; };
static const struct param src_params[] = {
	P_INT(src, kind, 0, 0, 2, "", PF_STATIC, "0: noise within 0 to 1; 1: waves; 2: waves beyond it."),
	P_INT(src, w, 20, 1, 1000, "", PF_STATIC, "Width."),
	P_INT(src, h, 16, 1, 1000, "", PF_STATIC, "Height."),
	P_END
};
static int src_format(const struct node_ctx *n, struct format *f, struct err *e)
{
	const struct src *p = n->v;
	(void)e;
	f->data = f->display = rect_of(0, 0, p->w, p->h);
	f->first = f->last = 1;
	f->space = f->encoded = colour_find("rec709");
	format_channels(f, "R G B");
	return 0;
}
static int src_tile(const struct call *c, struct rect r)
{
	const struct src *p = c->n->v;
	for (int k = 0; k < 3; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) {
				double v = (double)(philox4x32((uint32_t)x, (uint32_t)y, (uint32_t)k, 0, 1, 2).c[0] >> 8) * 0x1p-24;
				if (p->kind) v = 0.5 + 0.3 * mx_sin(x * 0.21 + k) * mx_cos(y * 0.17) + 0.12 * mx_sin(x * 1.3 - y * 0.9);
				if (p->kind == 2 && x > p->w / 2) v += y > p->h / 2 ? 2 : -1;
				*view_at(c->out, k, x, y) = (float)v;
			}
	return 0;
}
static const struct node_type src_type = { .name = "tsrc", .doc = "A picture.", .version = 1, .size = sizeof(struct src),
	.params = src_params, .inputs = "", .traits = TR_SOURCE, .format = src_format, .tile = src_tile };

static int load(struct script_host *h, struct registry *reg, const char *path, const char *from, int ln, struct diags *d)
{
	struct err e = ERR_INIT;
	(void)h; (void)path; (void)from; (void)ln; (void)d;
	return registry_add(reg, &src_type, &e);
}
static int eval(struct script_host *h, const char *x, const struct eval_env *env, const struct param *p, struct arena *a,
                struct value *out, struct err *e)
{
	(void)h; (void)x; (void)env; (void)p; (void)a; (void)out;
	return err_set(e, E_SCRIPT, "none here");
}
static struct script_host host = { NULL, load, eval };

struct taken { struct image *im; struct pool *pool; };
static int take(void *user, const struct net_node *n, int frame, const struct image *im, struct err *e)
{
	struct taken *t = user;
	(void)n; (void)frame;
	t->im = image_new(t->pool, &im->fmt, "test", e);
	if (!t->im) return -1;
	for (int c = 0; c < im->view.nch; c++)
		for (int y = im->fmt.data.y0; y < im->fmt.data.y1; y++)
			memcpy(view_at(&t->im->view, c, im->fmt.data.x0, y), view_at(&im->view, c, im->fmt.data.x0, y),
			       (size_t)rect_w(im->fmt.data) * sizeof(float));
	return 0;
}
/* The picture of node id in a scene of one source and one upscale; NULL after printing why. */
static struct image *shot(struct pool *pool, const char *source, const char *up, const char *id, int threads, int tile)
{
	char text[2000];
	struct net_opts o = { .proxy = 1 };
	struct diags d = { 0 };
	struct load_opts lo = { &host, NULL, 0 };
	struct taken t = { NULL, pool };
	struct err e = ERR_INIT;
	snprintf(text, sizeof text, "<graph version=\"1\" fps=\"24\"><script file=\"t\"/><tsrc id=\"n\" %s/>"
	         "<upscale id=\"up\" in=\"n\" %s/></graph>", source, up);
	struct scene *sc = scene_load("nn.xml", text, strlen(text), &lo, &d);
	struct net *n = sc ? net_build(sc, &(struct net_opts){ .proxy = o.proxy, .only = id }, &d) : NULL;
	if (!n) diags_print(&d, false);
	else {
		struct render_opts ro = { .threads = threads, .tile = tile, .result = take, .user = &t };
		struct render_stats st = { 0 };
		if (render_run(n, &ro, &st, &e) < 0) printf("# %s\n", e.msg);
		diags_free(&st.problems);
	}
	diags_free(&d);
	net_free(&n);
	scene_free(&sc);
	return t.im;
}

static void against_doubles(struct pool *pool, const char *param, const char *source, double tolerance)
{
	struct err e = ERR_INIT;
	char up[800];
	struct nn_model *m = nn_load(param, &e);
	const char *name = strrchr(param, '/') + 1;
	test_ok(m != NULL, "%s is read: %s", name, e.msg);
	if (!m) return;
	snprintf(up, sizeof up, "method=\"neural\" lock=\"no\" scale=\"0\" model=\"%s\"", param);
	struct image *src = shot(pool, source, up, "n", 2, 0), *got = shot(pool, source, up, "up", 2, 0);
	struct image *tiled = shot(pool, source, up, "up", 1, 16);
	double worst = 9;
	if (src && got) {
		struct map *b = evaluate(m, src);
		worst = 0;
		for (int c = 0; c < 3; c++)
			for (int y = got->fmt.data.y0; y < got->fmt.data.y1; y++)
				for (int x = got->fmt.data.x0; x < got->fmt.data.x1; x++) {
					double q = (double)*view_at(&got->view, c, x, y) - at(&b[m->output], c, x, y, false);
					if (!(q <= worst && q >= -worst)) worst = q < 0 ? -q : q;
				}
		maps_free(b, m->nblob);
	}
	test_ok(worst <= tolerance, "%s within %.0e of doubles: %.2e", name, tolerance, worst);
	struct pixhash h = { 0, 0 }, g = { 1, 1 };
	if (got && tiled) h = image_hash(got), g = image_hash(tiled);
	test_ok(memcmp(&h, &g, sizeof h) == 0, "%s in tiles of 16 is the same", name);
	image_unref(&src);
	image_unref(&got);
	image_unref(&tiled);
	nn_free(&m);
}

/* The largest mean difference of any 32x32 block, times 255. */
static double block_shift(const struct image *a, const struct image *b)
{
	double worst = 0;
	struct rect d = a->fmt.data;
	for (int c = 0; c < 3; c++)
		for (int y = d.y0; y + 32 <= d.y1; y += 32)
			for (int x = d.x0; x + 32 <= d.x1; x += 32) {
				double s = 0;
				for (int i = 0; i < 1024; i++)
					s += (double)*view_at(&a->view, c, x + i % 32, y + i / 32) -
					     (double)*view_at(&b->view, c, x + i % 32, y + i / 32);
				s = (s < 0 ? -s : s) / 1024 * 255;
				if (s > worst) worst = s;
			}
	return worst;
}

static void colour(struct pool *pool, const char *param)
{
	char up[800];
	const char *source = "kind=\"1\" w=\"64\" h=\"48\"";
	struct image *plain = shot(pool, source, "scale=\"4\"", "up", 2, 0);
	snprintf(up, sizeof up, "method=\"neural\" scale=\"4\" model=\"%s\"", param);
	struct image *locked = shot(pool, source, up, "up", 2, 0);
	snprintf(up, sizeof up, "method=\"neural\" scale=\"4\" lock=\"no\" model=\"%s\"", param);
	struct image *open = shot(pool, source, up, "up", 2, 0);
	double with = plain && locked ? block_shift(locked, plain) : 99, without = plain && open ? block_shift(open, plain) : 0;
	test_ok(with < 0.5 && with < without, "colour shift of 32x32 blocks: %.3f / 255, without the lock %.3f", with, without);
	snprintf(up, sizeof up, "method=\"neural\" scale=\"4\" blend=\"0\" model=\"%s\"", param);
	struct image *none = shot(pool, source, up, "up", 2, 0);
	test_ok(plain && none && block_shift(none, plain) == 0, "blend 0 is the plain resample");
	image_unref(&plain);
	image_unref(&locked);
	image_unref(&open);
	image_unref(&none);
	source = "kind=\"2\" w=\"64\" h=\"48\"";
	plain = shot(pool, source, "scale=\"4\"", "up", 2, 0);
	snprintf(up, sizeof up, "method=\"neural\" scale=\"4\" model=\"%s\"", param);
	locked = shot(pool, source, up, "up", 2, 0);
	double hi = 0, lo = 0;
	if (locked) hi = (double)*view_at(&locked->view, 0, 220, 160), lo = (double)*view_at(&locked->view, 0, 220, 40);
	test_ok(hi > 2 && lo < -0.2, "values beyond 0 to 1 survive: %.3f, %.3f", hi, lo);
	with = plain && locked ? block_shift(locked, plain) : 99;
	test_ok(with < 0.5, "and are shifted by %.3f / 255", with);
	image_unref(&plain);
	image_unref(&locked);
}

static double largest(const struct image *a, const struct image *b, int c)
{
	double worst = 0;
	for (int y = a->fmt.data.y0; y < a->fmt.data.y1; y++)
		for (int x = a->fmt.data.x0; x < a->fmt.data.x1; x++) {
			double d = (double)*view_at(&a->view, c, x, y) - (double)*view_at(&b->view, c, x, y);
			if (d < 0) d = -d;
			if (d > worst) worst = d;
		}
	return worst;
}

static void twins(struct pool *pool)
{
	char up[1400], a[300], b[300], hex[65];
	struct err e = ERR_INIT;
	snprintf(a, sizeof a, "%s/residual.param", test_tmp());
	snprintf(b, sizeof b, "%s/twin.param", test_tmp());
	struct nn_model *m = nn_load(b, &e);
	if (!m) { test_ok(0, "the twin is read: %s", e.msg); return; }
	key_hex(&m->sha, hex);
	nn_free(&m);
	struct image *im[3];
	for (int i = 0; i < 3; i++) {
		snprintf(up, sizeof up, "method=\"neural\" scale=\"2\" model=\"%s\" model_b=\"%s\" model_b_sha256=\"%s\" denoise=\"%g\"",
		         a, b, hex, i * 0.5);
		im[i] = shot(pool, "", up, "up", 2, 0);
	}
	snprintf(up, sizeof up, "method=\"neural\" scale=\"2\" model=\"%s\"", b);
	struct image *own = shot(pool, "", up, "up", 2, 0);
	bool all = im[0] && im[1] && im[2] && own;
	test_ok(all && largest(im[2], own, 0) < 1e-6, "denoise 1 is the second model");
	test_ok(all && largest(im[0], im[1], 0) > 1e-3 && largest(im[1], im[2], 0) > 1e-3, "denoise 0.5 is neither");
	snprintf(up, sizeof up, "method=\"neural\" scale=\"2\" model=\"%s\" model_b=\"%s\" denoise=\"1\"", a, b);
	struct image *none = shot(pool, "", up, "up", 2, 0);
	test_ok(!none, "a second model without a pin is refused");
	for (int i = 0; i < 3; i++) image_unref(&im[i]);
	image_unref(&own);
	image_unref(&none);
}

static void luma_net(struct pool *pool)
{
	char up[400];
	const char *source = "kind=\"1\" w=\"40\" h=\"30\"";
	snprintf(up, sizeof up, "method=\"neural\" scale=\"2\" model=\"%s/luma.param\"", test_tmp());
	struct image *net = shot(pool, source, up, "up", 2, 0), *plain = shot(pool, source, "scale=\"2\"", "up", 2, 0);
	double chroma = 0, change = net && plain ? largest(net, plain, 0) : 0;
	for (int y = 0; y < 60 && net && plain; y++)
		for (int x = 0; x < 80; x++)
			for (int c = 1; c < 3; c++) {
				double d = (double)*view_at(&net->view, 0, x, y) - (double)*view_at(&net->view, c, x, y) -
				           (double)*view_at(&plain->view, 0, x, y) + (double)*view_at(&plain->view, c, x, y);
				if (d < 0) d = -d;
				if (d > chroma) chroma = d;
			}
	test_ok(change > 1e-3 && chroma < 1e-6, "a luma network leaves colour differences to the plain resample (%.1e)", chroma);
	image_unref(&net);
	image_unref(&plain);
}

/* --- hostile models --- */

static void refuse(const char *what, const char *text, const void *bin, size_t nbin, const char *word)
{
	struct err e = ERR_INIT;
	struct nn_model *m = nn_parse("bad.param", text, strlen(text), bin, nbin, &e);
	test_ok(!m && e.code == E_INPUT && strstr(e.msg, word), "%s is refused: %s", what, e.msg);
	nn_free(&m);
}

static void hostile(struct writer *w)
{
	static const char head[] = "7767517\n2 2\nInput in 0 1 x\n";
	char text[4096];
	unsigned char bin[64] = { 0 };
	refuse("an empty file", "", bin, 0, "7767517");
	refuse("another format", "7767518\n1 1\n", bin, 0, "7767517");
	refuse("a billion layers", "7767517\n1000000000 2\n", bin, 0, "1000000000");
	snprintf(text, sizeof text, "%sConvolution c 1 1 x y 0=1000000000 1=3 6=27\n", head);
	refuse("a billion channels", text, bin, sizeof bin, "channels");
	snprintf(text, sizeof text, "%sConvolution c 1 1 x y 0=1024 1=9 6=248832\n", head);
	refuse("weights that are not there", text, bin, sizeof bin, "end early");
	snprintf(text, sizeof text, "%sConvolution c 1 1 z y 0=3 1=1 6=9\n", head);
	refuse("a cycle", text, bin, sizeof bin, "no layer before it");
	snprintf(text, sizeof text, "%sConvolution c 1 1 x y 0=3 1=1 2=1 3=1 4=60 6=9\n", head);
	refuse("a picture that grows", text, bin, 40, "padding");
	snprintf(text, sizeof text, "%sLSTM c 1 1 x y\n", head);
	refuse("an unknown layer", text, bin, 0, "LSTM");
	refuse("leftover weights", w->text, w->bin, w->nbin + 4, "no pair");
	refuse("missing weights", w->text, w->bin, w->nbin - 4, "end early");
}

static void nan_weights(struct pool *pool, struct writer *w)
{
	char path[400], up[800];
	float bad = __builtin_nanf("");
	memcpy(w->bin + 40, &bad, sizeof bad);
	save(w, "nan");
	snprintf(path, sizeof path, "%s/nan.param", test_tmp());
	snprintf(up, sizeof up, "method=\"neural\" model=\"%s\"", path);
	struct image *im = shot(pool, "", up, "up", 1, 0);
	test_ok(!im, "a weight that is no number is refused");
	image_unref(&im);
}

/* Changed bytes, words, lines; each must be read or refused. Returns how many were read. */
static int fuzz(const struct writer *w, uint32_t cases)
{
	static const char *const words[] = { "0", "-1", "1000000000", "1e300", "nan", "=", ",", "-23310=9,1", "x", "Concat", "7=7" };
	static char text[16384];
	static unsigned char bin[1 << 20];
	int good = 0;
	for (uint32_t i = 0; i < cases; i++) {
		size_t n = strlen(w->text), nbin = w->nbin;
		struct err e = ERR_INIT;
		memcpy(text, w->text, n + 1);
		memcpy(bin, w->bin, nbin);
		for (uint32_t k = 0; k < 1 + i % 4; k++) {
			struct philox p = philox4x32(i, k, 99, 0, 1, 2);
			const char *put_in = words[p.c[1] % IN_COUNT(words)];
			size_t pos = p.c[2] % n, len = strlen(put_in);
			switch (p.c[0] % 5) {
			case 0: text[pos] = (char)(p.c[3] & 0x7f); break;
			case 1: n = pos + 1; break;
			case 2: if (pos + len < n) memcpy(text + pos, put_in, len); break;
			case 3: bin[p.c[3] % nbin] ^= (unsigned char)(1u << p.c[1] % 8); break;
			default: nbin = nbin > 1 ? p.c[3] % nbin + 1 : nbin;
			}
		}
		struct nn_model *m = nn_parse("fuzz.param", text, n, bin, nbin, &e);
		if (!m && e.code != E_INPUT) { printf("# case %u: %d %s\n", i, e.code, e.msg); return -1; }
		good += m != NULL;
		nn_free(&m);
	}
	return good;
}

int main(void)
{
	static struct writer res, up, twin, one;
	struct pool *pool = pool_new();
	struct err e = ERR_INIT;
	char path[600];
	const char *data = test_data();
	if (node_isa_set(ISA_AUTO, &e) < 0) return 1;
	residual(&res);
	upconv(&up);
	save(&res, "residual");
	save(&up, "upconv");
	snprintf(path, sizeof path, "%s/residual.param", test_tmp());
	against_doubles(pool, path, "w=\"37\" h=\"29\"", 2e-5);
	snprintf(path, sizeof path, "%s/upconv.param", test_tmp());
	against_doubles(pool, path, "w=\"23\" h=\"31\"", 2e-5);
	twin.at = 100000;
	residual(&twin);
	luma(&one);
	save(&twin, "twin");
	save(&one, "luma");
	twins(pool);
	luma_net(pool);
	hostile(&res);
	for (int i = 0; i < 2; i++) {
		int good = fuzz(i ? &up : &res, 3000);
		test_ok(good >= 0, "3000 damaged models are read (%d) or refused", good);
	}
	nan_weights(pool, &up);
	if (data) {
		snprintf(path, sizeof path, "%s/weights/realesr-animevideov3-x4.param", data);
		against_doubles(pool, path, "w=\"22\" h=\"18\" kind=\"1\"", 2e-4);
		colour(pool, path);
	} else test_skip("real weights: no ../shared/data");
	pool_free(&pool);
	snprintf(path, sizeof path, "rm -rf '%s'", test_tmp());
	if (system(path) != 0) return 1;
	TEST_END();
}
