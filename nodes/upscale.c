/* upscale - resizes by a factor or to a size, with ringing under control.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "learned.h"
#include "mathx.h"
#include "net.h"
#include "nn_expand.h"
#include "node.h"
#include "px_resample.h"

struct upscale {
	int method; double scale, width, height, ringing; int light;
	const char *model, *model_sha256, *model_b, *model_b_sha256;
	double denoise, blend;
	int backend, overlap, lock, net_space;
	double steady;
};

enum { NEURAL = RS_LANCZOS3 + 1, LEARNED };       /* the methods after the kernels */
enum { LIGHT_AUTO, LIGHT_ENCODED, LIGHT_LINEAR };

static const struct param params[] = {
	P_ENUM(upscale, method, "lanczos3", RESAMPLE_METHODS "|neural|learned", PF_STATIC,
	       "The kernel. nearest repeats pixels; bilinear is a tent; mitchell is the soft cubic (B = "
	       "C = 1/3), catmull-rom the crisp one (B = 0, C = 1/2); lanczos3 keeps most detail. neural "
	       "runs the network in model; learned uses the program's own filters, learned from photographs."),
	P_FLOATX(upscale, scale, 2, 0, 64, "factor", PF_STATIC,
	         "Factor for both sides; below 1 reduces. Used when neither width nor height is given. 0 with "
	         "method=\"neural\": the network's own."),
	P_LENGTH(upscale, width, "0", 0, IN_MAX_SIDE, PF_STATIC,
	         "Width of the result; 0: follows from height, keeping the picture's shape."),
	P_LENGTH(upscale, height, "0", 0, IN_MAX_SIDE, PF_STATIC,
	         "Height of the result; 0: follows from width, keeping the picture's shape."),
	P_FLOAT(upscale, ringing, 0.8, 0, 1, "share",
	        "How much of an overshoot beyond the neighbouring source pixels is taken away: 0 leaves "
	        "the plain kernel with its halos, 1 allows none. On photographs 0.8 costs 0.05 to 0.3 dB "
	        "at factor 2 and at most 0.1 at 4."),
	P_ENUM(upscale, light, "auto", "auto|encoded|linear", PF_STATIC,
	       "Where pixels are mixed. auto: enlarge in the clip's own encoding, reduce in linear "
	        "light."),
	P_PATH(upscale, model, PF_STATIC, "neural: the network, an .onnx file or an ncnn .param file "
	       "with its .bin beside it."),
	P_STRING(upscale, model_sha256, "", PF_STATIC,
	         "neural: what the network must be, as `interneg model FILE` prints it."),
	P_PATH(upscale, model_b, PF_STATIC,
	       "neural: a network of the same layers, such as the twin that denoises less or more."),
	P_STRING(upscale, model_b_sha256, "", PF_STATIC, "neural: what that must be."),
	P_FLOATX(upscale, denoise, 0, 0, 1, "mix", PF_STATIC, "neural: model_b's share of the weights."),
	P_FLOATX(upscale, blend, 1, 0, 1, "mix", PF_STATIC, "neural: the network's share; the rest is lanczos3."),
	P_BOOL(upscale, lock, 1, PF_STATIC,
	       "neural: takes the low frequencies (a Gaussian of sigma 2 source pixels) from the source, so that "
	       "colour and exposure stay."),
	P_ENUM(upscale, net_space, "encoded", "encoded|linear|log", PF_STATIC,
	       "neural: what the network is shown: the clip's own encoding, linear light, or acescct."),
	P_ENUM(upscale, backend, "exact", NN_BACKENDS, PF_STATIC | PF_LATER,
	       "neural: exact: own kernels, one hash everywhere. fast: oneDNN (libdnnl2) in f32, or bf16 where the "
	       "processor has AMX. onnxruntime: .onnx files of any operators by your own ONNX Runtime "
	       "(libonnxruntime.so.1, or the file that INTERNEG_ONNXRUNTIME names), f32 on the CPU, "
	       "one thread a frame. The last two are close, but not the same bits, and the lock says "
	       "so. On AVX2 exact is quickest."),
	P_INT(upscale, overlap, 0, 0, 1024, "pixels", PF_STATIC | PF_LATER,
	      "neural by onnxruntime: runs the network in windows (of 512 pixels, or the size that the "
	      "file sets) that overlap by this at each side; below what the network sees of its "
	      "surroundings there are seams. 0: the whole picture at once."),
	P_FLOATX(upscale, steady, 0, 0, 1, "mix", PF_STATIC,
	         "neural: blends along motion where the network flickers, with one frame to either "
	         "side: weight of a neighbour that fits. Another frame each side, which costs more "
	         "memory: see the node steady."),
	P_END
};

static enum resample_method method_of(const struct upscale *p)
{
	return p->method >= NEURAL ? RS_LANCZOS3 : (enum resample_method)p->method;
}

static int round_size(double v)
{
	if (v > 2.0 * IN_MAX_SIDE) return 2 * IN_MAX_SIDE;
	int n = (int)mx_floor(v + 0.5);
	return n < 1 ? 1 : n;
}

/* Size of the output's display window. */
static void sizes(const struct upscale *p, struct rect d, int *w, int *h)
{
	double sw = rect_w(d), sh = rect_h(d);
	if (p->width > 0 && p->height > 0) *w = round_size(p->width), *h = round_size(p->height);
	else if (p->width > 0) *w = round_size(p->width), *h = round_size(sh * *w / sw);
	else if (p->height > 0) *h = round_size(p->height), *w = round_size(sw * *h / sh);
	else *w = round_size(sw * p->scale), *h = round_size(sh * p->scale);
}

/* Does it enlarge (in area)? By size this needs the input's; unknown counts as yes. */
static bool enlarges(const struct node_ctx *n)
{
	const struct upscale *p = n->v;
	int w, h;
	if (!n->in[0]) return p->width > 0 || p->height > 0 || p->scale >= 1;
	sizes(p, n->in[0]->display, &w, &h);
	return (double)w * h >= (double)rect_w(n->in[0]->display) * rect_h(n->in[0]->display);
}

/* Is either side enlarged? */
static bool larger(const struct node_ctx *n)
{
	int w, h;
	sizes(n->v, n->in[0]->display, &w, &h);
	return w > rect_w(n->in[0]->display) || h > rect_h(n->in[0]->display);
}

static struct resample_geom geom_of(const struct node_ctx *n, const struct format *f)
{
	int w, h;
	sizes(n->v, f->display, &w, &h);
	double sx = (double)w / rect_w(f->display), sy = (double)h / rect_h(f->display);
	int x0 = (int)mx_floor(f->display.x0 * sx + 0.5), y0 = (int)mx_floor(f->display.y0 * sy + 0.5);
	struct resample_geom g = { f->display, rect_of(x0, y0, x0 + w, y0 + h),
		rect_or(f->display, f->data), f->data };
	return g;
}

static unsigned gcd(unsigned a, unsigned b)
{
	while (b) { unsigned t = a % b; a = b; b = t; }
	return a;
}

/* A size that changes the shape changes the pixel aspect with it; whole-pixel rounding does not. */
static void keep_shape(struct format *out, struct rect from, int w, int h)
{
	double sw = rect_w(from), sh = rect_h(from);
	double dw = sw * h / sh - w, dh = sh * w / sw - h;
	if ((dw < 1 && dw > -1) || (dh < 1 && dh > -1)) return;
	uint64_t num = (uint64_t)out->par.num * (uint64_t)rect_w(from) * (uint64_t)h;
	uint64_t den = (uint64_t)out->par.den * (uint64_t)rect_h(from) * (uint64_t)w;
	while (num > INT32_MAX || den > INT32_MAX) num = (num + 1) / 2, den = (den + 1) / 2;
	unsigned d = gcd((unsigned)num, (unsigned)den);
	out->par = (struct rational){ (int)((unsigned)num / d), (int)((unsigned)den / d) };
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct upscale *p = n->v;
	if (p->width <= 0 && p->height <= 0 && p->scale <= 0)
		return err_set(e, E_SCENE, "scale is 0 and neither width nor height is given: set one of them");
	if (rect_empty(out->display)) return err_set(e, E_INPUT, "the picture has an empty display "
	        "window");
	struct resample_geom g = geom_of(n, out);
	if (rect_w(g.dst) > IN_MAX_SIDE || rect_h(g.dst) > IN_MAX_SIDE)
		return err_set(e, E_SCENE, "the result would be %d x %d pixels; a side may have %d at most",
		               rect_w(g.dst), rect_h(g.dst), IN_MAX_SIDE);
	out->data = resample_window(&g, method_of(p));
	out->display = g.dst;
	keep_shape(out, g.src, rect_w(g.dst), rect_h(g.dst));
	return 0;
}

static int open_tables(struct node_ctx *n, struct err *e)
{
	const struct upscale *p = n->v;
	struct resample_geom g = geom_of(n, n->in[0]);
	if (p->method == NEURAL || (p->method == LEARNED && larger(n)))
		return err_set(e, E_SCENE, "method=\"%s\" needs parameters that stand still: ringing may not be animated",
		               p->method == NEURAL ? "neural" : "learned");
	enum resample_method m = method_of(p);
	n->state = resample_new(&g, resample_window(&g, m), m, p->ringing);
	return 0;
}

static void close_tables(struct node_ctx *n)
{
	struct resample *rs = n->state;
	resample_free(&rs);
	n->state = NULL;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	need_add(out, 0, frame, n->state ? resample_need(n->state, r) : n->in[0]->data);
}

static bool identity(const struct node_ctx *n)
{
	int w, h;
	sizes(n->v, n->in[0]->display, &w, &h);
	return w == rect_w(n->in[0]->display) && h == rect_h(n->in[0]->display);
}

static size_t scratch(const struct node_ctx *n, struct rect r)
{
	return resample_scratch(n->state, r);
}

static double flops(const struct node_ctx *n)
{
	const struct resample *rs = n->state;
	return rs ? 2.0 * (rs->x.taps + rs->y.taps + 8) : 40;
}

/* What the learned filters make, brought to size by lanczos3. */
static int to_size(struct expand *x, const struct node_ctx *n, struct xnode *large, int w,
                   int h, struct err *e)
{
	static const char *const lights[] = { "auto", "encoded", "linear" };
	const struct upscale *p = n->v;
	struct xnode *k = expand_node(x, "upscale", "size", e);
	double width = w / n->scale, height = h / n->scale;
	if (!k || expand_connect(x, k, "in", large, e) < 0 || expand_set(x, k, "light", lights[p->light], e) < 0 ||
	    expand_set_num(x, k, "width", &width, 1, e) < 0 || expand_set_num(x, k, "height", &height, 1, e) < 0 ||
	    expand_set_num(x, k, "ringing", &p->ringing, 1, e) < 0) return -1;
	expand_output(x, k);
	return 0;
}

static int expand_learned(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct upscale *p = n->v;
	struct format out = *n->in[0];
	struct rect d = out.display;
	char path[4096];
	int w, h, k = LEARNED_MIN;
	if (format(n, &out, e) < 0) return -1;
	sizes(p, d, &w, &h);
	while (k < LEARNED_MAX && (w > k * rect_w(d) || h > k * rect_h(d))) k++;
	if (!learned_path(k, path, sizeof path))
		return err_set(e, E_INPUT, "the program's graphs/learned/x%d.weights is not there; set "
		               "INTERNEG_SHARE to the folder that holds graphs", k);
	struct xnode *l = expand_node(x, "learned", "filters", e);
	double factor = k;
	if (!l || expand_connect(x, l, "in", expand_input(x, 0), e) < 0 ||
	    expand_set(x, l, "weights", path, e) < 0 ||
	    expand_set_num(x, l, "factor", &factor, 1, e) < 0 ||
	    expand_set_num(x, l, "ringing", &p->ringing, 1, e) < 0 ||
	    expand_set(x, l, "light", p->light == LIGHT_LINEAR ? "linear" : "encoded", e) < 0)
		return -1;
	if (w != k * rect_w(d) || h != k * rect_h(d)) return to_size(x, n, l, w, h, e);
	expand_output(x, l);
	return 0;
}

static int expand_neural(struct expand *x, const struct node_ctx *n, const struct nn_first *f, struct err *e)
{
	static const char *const spaces[] = { "encoded", "linear", "log" };
	const struct upscale *p = n->v;
	struct upscale own = *p;
	struct node_ctx c = *n;
	struct format out = *n->in[0];
	if (p->scale <= 0 && p->width <= 0 && p->height <= 0) own.scale = (double)f->m->scale_num / f->m->scale_den;
	c.v = &own;
	if (format(&c, &out, e) < 0) return -1;
	const struct nn_ask a = { .model = p->model, .sha = p->model_sha256, .model_b = p->model_b,
		.sha_b = p->model_b_sha256, .space = spaces[p->net_space], .denoise = p->denoise, .blend = p->blend,
		.ringing = p->ringing, .lock = p->lock, .backend = (enum nn_backend)p->backend, .overlap = p->overlap,
		.steady = p->steady, .dst = out.display, .par = out.par };
	return nn_expand(x, n, &a, f, e);
}

static int expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct upscale *p = n->v;
	struct nn_first f;
	if (p->method == LEARNED && n->in[0] && (larger(n) || p->scale <= 0)) return expand_learned(x, n, e);
	if (p->method != NEURAL) return EXPAND_NOT;
	if (!n->in[0]) return err_set(e, E_SCENE, "nothing to upscale");
	int rc = nn_first_load(&f, p->model, (enum nn_backend)p->backend, e);
	if (rc == 0) rc = expand_neural(x, n, &f, e);
	nn_first_free(&f);
	return rc;
}

static unsigned traits_of(const struct node_ctx *n)
{
	const struct upscale *p = n->v;
	if (p->method == NEURAL) return TR_AI | TR_UPSCALE;
	return enlarges(n) ? TR_UPSCALE : TR_RESIZE;
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct upscale *p = n->v;
	(void)conn;
	if (p->method == NEURAL)
		return p->net_space == 1 ? WANT_LINEAR : p->net_space == 2 ? WANT_LOG : WANT_ENCODED;
	if (p->light == LIGHT_ENCODED) return WANT_ENCODED;
	if (p->light == LIGHT_LINEAR) return WANT_LINEAR;
	return enlarges(n) ? WANT_ENCODED : WANT_LINEAR;
}

static int tile(const struct call *c, struct rect r)
{
	if (c->run) return px_resample_past(c->n->state, &c->in[0], c->out, r, c->scratch, c->cancel);
	return px_resample(c->n->state, &c->in[0], c->out, r, c->scratch, c->cancel);
}

const struct node_type ISA(node_upscale) = {
	.name = "upscale", .doc = "Resizes a picture by a factor or to a size, with ringing under "
	        "control.",
	.more = "Separable resampling with half-pixel centres: output centre o lies at source position o "
	        "/ scale. Kernels: Mitchell and Netravali's cubics (1988) and sinc(x) sinc(x/3) "
	        "(Lanczos3); they are widened by 1/scale when reducing, and normalised for each output "
	        "pixel. At the picture's edge the source is mirrored. With ringing=\"0\" the result is "
	        "zimg's (filters point, bilinear, bicubic with b = c = 1/3 or b = 0, c = 1/2, and "
	        "lanczos with 3 taps) within 1e-5.\n"
	        "ringing limits each axis to the smallest and largest source pixel within the kernel's "
	        "main lobe (the two nearest when enlarging) and takes that share of what goes beyond.\n"
	        "Enlarging is done in the clip's own encoded values and reducing in linear light: "
	        "measured on Set5 and Set14, enlarging in linear light costs 0.3 to 0.7 dB and rings on "
	        "the dark side of edges. A size that does not keep the picture's shape changes the pixel "
	        "aspect accordingly.\n"
	        "method=\"neural\" runs a convolutional network in 32-bit floats: one hash for any tiles, "
	        "threads and instruction set, tiled equal to untiled with difference 0. It becomes one node a "
	        "layer. Read are ncnn's .param and .bin and .onnx files, of convolutions (grouped, strided, "
	        "transposed), activations, pixel shuffles, resizes, arithmetic, concatenations, splits, borders, "
	        "crops, pooling and means of the whole picture; any other layer or operator is an error "
	        "that names it. The network's factor comes from the file; another scale is made of its result "
	        "by lanczos3. It is shown the clip's own encoded R, G, B (or their Rec.709 luma, chroma then "
	        "being lanczos3's) clamped to 0 to 1; what it makes of them, less their lanczos3, is added to "
	        "lanczos3 of the whole picture, so that values beyond 0 to 1 survive and inside nothing "
	        "changes. lock gives back what the network took from the Gaussian band of sigma 2 source "
	        "pixels, and then from the means of 8x8 source pixels: no 32x32 block of the real frames tried "
	        "shifted by 0.5/255. Where a network redraws an edge much darker or lighter the lock leaves a "
	        "faint halo there. `interneg model FILE` tells what a model is and the hash that pins it; "
	        "measured against the same weights in doubles the result is within 3e-6.\n"
	        "method=\"learned\" makes 2, 3 or 4 times as large with filters that come with the program "
	        "(graphs/learned, made by `make train` from photographs of Debian packages that each "
	        "file names), in the manner of RAISR: how the luma around a source pixel runs chooses "
	        "one of some hundred filters of 7x7 source pixels for every channel alike, blended "
	        "with those of the pixels beside. ringing limits to the 3x3 source pixels around, and "
	        "leaves the square of the share that it leaves of lanczos3's. Another scale is the "
	        "next factor above (4 at most), brought to size by lanczos3; reducing is lanczos3's. "
	        "Flat areas keep their exact value; the hash of the filters is in the key and the "
	        "lock. Figures and where it loses: nodes/UPSCALE.md.",
	.category = "geometry", .version = 1, .size = sizeof(struct upscale), .params = params, .flags = NF_PAST,
	.inputs = "image", .want = WANT_ENCODED,
	.example = "<upscale id=\"up\" in=\"plate\" scale=\"2\" method=\"lanczos3\" ringing=\"0.8\"/>",
	.expand = expand, .traits_of = traits_of, .want_of = want_of, .format = format, .open = open_tables,
	    .close = close_tables,
	.needs = needs, .identity = identity, .scratch = scratch, .flops = flops, .tile = tile,
};
