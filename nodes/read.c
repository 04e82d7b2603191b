/* read - a clip, a still or an image sequence, frame by frame and exact.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "exr.h"
#include "graph.h"
#include "media.h"
#include "node.h"
#include "px_yuv.h"
#include "timecode.h"

struct read {
	const char *file, *color;
	int matrix, range, siting;
	const char *fps, *raw, *first, *trim_first, *trim_last;
	int outside, missing, alpha, stream;
	int film_grain;
	const char *origin, *generator;
	double expand, expand_cap;
};

enum { EDGE_ERROR, EDGE_HOLD, EDGE_BLACK };
enum { ALPHA_AUTO, ALPHA_STRAIGHT, ALPHA_PREMULTIPLIED };

static const struct param params[] = {
	{ "file", PT_PATH, offsetof(struct read, file), 1, { 0 }, "", 0, 0, "", NULL,
	 PF_MEDIA | PF_STATIC | PF_REQUIRED,
	  "Clip, still, or sequence (name.####.exr, name.%04d.png)." },
	P_STRING(read, color, "auto", PF_STATIC | PF_SPACE,
	         "Colour space of the pictures; auto: as tagged, or guessed as `interneg probe` says; "
	         "ocio:NAME: space NAME of the OpenColorIO config, brought to the working space."),
	P_ENUM(read, matrix, "auto", YUV_MATRIX_CHOICES, PF_STATIC,
	       "YCbCr matrix; auto: as tagged or guessed."),
	P_ENUM(read, range, "auto", YUV_RANGE_CHOICES, PF_STATIC,
	       "Limited (16-235) or full code range; auto: as tagged or guessed."),
	P_ENUM(read, siting, "auto", YUV_SITING_CHOICES, PF_STATIC,
	       "Where chroma samples sit; auto: as tagged or guessed."),
	P_STRING(read, fps, "", PF_STATIC | PF_EDIT,
	         "Rate: the grid of variable-rate clips, the rate of sequences and stills; a clip of "
	    "constant rate is "
	         "shown at this rate, every frame once. Empty: the clip's own."),
	P_STRING(read, raw, "", PF_STATIC,
	         "Size, format and rate of a headerless file: \"320x192 yuv420p 12\"."),
	P_STRING(read, first, "", PF_STATIC | PF_EDIT,
	         "Number of the first frame. Empty: 1; sequences keep their numbers."),
	P_STRING(read, trim_first, "", PF_STATIC | PF_EDIT,
	         "First frame used, in the numbers of `first`. Empty: the clip's first."),
	P_STRING(read, trim_last, "", PF_STATIC | PF_EDIT, "Last frame used. Empty: the clip's last."),
	P_ENUM(read, outside, "error", "error|hold|black", PF_STATIC,
	       "What is beyond the last frame: nothing (reading there is an error), the last frame for "
	    "ever, or black."),
	P_ENUM(read, missing, "error", "error|hold|black", PF_STATIC,
	       "What a missing or damaged frame shows: an error, the last good frame before it, or "
	    "black."),
	P_ENUM(read, alpha, "auto", "auto|straight|premultiplied", PF_STATIC,
	       "What the file's colours are multiplied with; auto: EXR is premultiplied, everything else "
	    "straight."),
	P_INT(read, stream, 0, 0, 63, "", PF_STATIC, "Which video stream of a clip, counted from 0."),
	P_ENUM(read, film_grain, "apply", "apply|ignore", PF_STATIC | PF_LATER,
	       "AV1: the film grain that the stream describes goes into the pictures, or is left out."),
	P_STRING(read, origin, "", PF_STATIC | PF_NOKEY,
	         "Where the pictures come from: ai, camera, cg; for people and rules."),
	P_STRING(read, generator, "", PF_STATIC | PF_NOKEY,
	         "What made them, such as veo-3.1; for people."),
	P_FLOATX(read, expand, 0, 0, 10000, "cd/m2", PF_STATIC | PF_LATER,
	         "Lift the highlights of a display-referred clip to scene light by the inverse of the tone with this peak "
	         "(100 or more); 0: leave them. A tone with the same peak and cap has to stand below."),
	P_FLOATX(read, expand_cap, 64, 1, 1024, "", PF_STATIC | PF_LATER,
	         "Scene light that no expanded highlight goes beyond."),
	P_END
};

/* Lane of one: frame() has the reader and the rows to itself. */
struct read_state {
	struct media *m;
	int start;                           /* number of the clip's first frame */
	int lo, hi;                          /* used frames, 0-based */
	float *tmp, *row[4];
	int space;
	bool premultiply;
	struct pixhash *note; bool *noted;   /* per used frame from lo: what it decodes to, when that is asked for */
};

static int parse_int(const char *name, const char *text, int *out, struct err *e)
{
	char *end;
	long v = strtol(text, &end, 10);
	if (!*text || *end || v < -1000000000 || v > 1000000000)
		return err_set(e, E_SCENE, "%s=\"%s\": expected a whole number", name, text);
	*out = (int)v;
	return 0;
}

static int set_range(const struct read *p, struct read_state *s, struct err *e)
{
	const struct media_info *in = media_about(s->m);
	s->start = in->first;
	if (*p->first && parse_int("first", p->first, &s->start, e) < 0) return -1;
	int a = s->start, b = s->start + in->frames - 1, last = b;
	if (*p->trim_first && parse_int("trim_first", p->trim_first, &a, e) < 0) return -1;
	if (*p->trim_last && parse_int("trim_last", p->trim_last, &b, e) < 0) return -1;
	if (a < s->start || b > last || a > b)
		return err_set(e, E_SCENE, "trimmed to frames %d-%d, but %s has frames %d-%d", a, b, p->file,
		               s->start, last);
	s->lo = a - s->start;
	s->hi = b - s->start;
	int first = 0, gaps = 0;
	if (p->missing == EDGE_ERROR && in->kind == MEDIA_CLIP)
		gaps = media_gaps(s->m, s->lo, s->hi, &first);
	if (gaps)
		return err_set(e, E_INPUT, "%s: %d of its %d frames cannot be read, from frame %d on (the file "
		               "is cut off or damaged); "
		               "missing=\"hold\" or \"black\" reads it nevertheless", p->file, gaps, in->frames,
		    s->start + first);
	return 0;
}

static int set_space(const struct read *p, struct read_state *s, struct err *e)
{
	const struct media_info *in = media_about(s->m);
	const char *name = !*p->color || !strcmp(p->color, "auto") ? in->color.value : p->color;
	if (!strncmp(name, "ocio:", 5)) name = "raw";       /* the core puts an ocio node behind */
	s->space = colour_named("color", name, e);
	return s->space < 0 ? -1 : 0;
}

static void read_close(struct node_ctx *n)
{
	struct read_state *s = n->state;
	if (!s) return;
	media_close(&s->m);
	free(s->tmp);
	free(s->note);
	free(s->noted);
	free(s);
	n->state = NULL;
}

static int read_open(struct node_ctx *n, struct err *e)
{
	const struct read *p = n->v;
	struct media_opts o = MEDIA_OPTS_INIT;
	struct read_state *s = xalloc(1, sizeof *s);
	n->state = s;
	o.raw = p->raw;
	o.stream = p->stream;
	o.no_grain = p->film_grain == 1;
	o.matrix = (enum yuv_matrix)p->matrix;
	o.range = (enum yuv_range)p->range;
	o.siting = (enum yuv_siting)p->siting;
	if (!*p->file) { err_set(e, E_SCENE, "file= is empty"); goto fail; }
	if (p->expand > 0 && p->expand < 100) {
		err_set(e, E_SCENE, "expand=\"%g\": a peak is at least 100 cd/m2", p->expand);
		goto fail;
	}
	if (*p->fps && fps_parse(p->fps, &o.fps) < 0) {
		err_set(e, E_SCENE, "fps=\"%s\": expected a rate such as 24, 23.976 or 24000/1001", p->fps);
		goto fail;
	}
	if (media_open(p->file, &o, &s->m, e) < 0 || set_range(p, s, e) < 0 || set_space(p, s, e) < 0)
		goto fail;
	if (p->expand > 0 && !colour_is_display(s->space)) {
		err_set(e, E_SCENE, "expand= is for display-referred clips; this one is %s", colour_name(s->space));
		goto fail;
	}
	const struct media_info *in = media_about(s->m);
	s->premultiply = in->desc.alpha
	    && (p->alpha == ALPHA_STRAIGHT || (p->alpha == ALPHA_AUTO && !in->exr));
	size_t w = ((size_t)in->desc.w + 31) & ~(size_t)31;
	s->tmp = xalloc(yuv_row_scratch(in->desc.w) + 4 * w, sizeof *s->tmp);
	for (int c = 0; c < 4; c++) s->row[c] = s->tmp + yuv_row_scratch(in->desc.w) + (size_t)c * w;
	return 0;
fail:
	read_close(n);
	return -1;
}

static int read_format(const struct node_ctx *n, struct format *f, struct err *e)
{
	const struct read *p = n->v;
	const struct read_state *s = n->state;
	const struct media_info *in = media_about(s->m);
	(void)e;
	bool turned = in->rotation == 90 || in->rotation == 270;
	if (in->exr) {
		f->data = in->data;
		f->display = in->display;
	} else {
		f->data = rect_of(0, 0, turned ? in->desc.h : in->desc.w, turned ? in->desc.w : in->desc.h);
		f->display = f->data;
	}
	f->par = turned ? (struct rational){ in->par.den, in->par.num } : in->par;
	f->fps = in->kind == MEDIA_STILL && !*p->fps ? (struct rational){ 0, 1 } : in->fps;
	f->first = s->start + s->lo;
	struct timecode tc = { 0, 0, false };
	struct err unfit = ERR_INIT;   /* another rate's, or damaged: counted from 0 */
	if (in->timecode[0] && timecode_read("timecode", in->timecode, f->fps, &tc, &unfit) < 0) tc = (struct timecode){ 0, 0, false };
	f->start = (int)tc.frame + s->lo;
	f->drop = tc.drop;
	f->last = p->outside == EDGE_ERROR ? s->start + s->hi : INT_MAX;
	f->space = s->space;
	f->encoded = colour_is_linear(s->space) ? colour_find("acescct") : s->space;
	format_channels(f, in->exr ? in->channels : in->desc.alpha ? "R G B A" : "R G B");
	return 0;
}

/* 0-based source frame of graph frame f; -1 for black. */
static int source_frame(const struct node_ctx *n, int f)
{
	const struct read *p = n->v;
	const struct read_state *s = n->state;
	int i = f - s->start;
	if (i < s->lo) i = s->lo;
	if (i > s->hi) i = p->outside == EDGE_BLACK ? -1 : s->hi;
	return i;
}

static int add_file(struct sha *s, const char *path, struct err *e)
{
	struct key k;
	if (hash_file(path, &k, e) < 0) return -1;
	sha_key(s, &k);
	return 0;
}

static int read_content(const struct node_ctx *n, int frame, struct sha *sha, struct err *e)
{
	const struct read *p = n->v;
	const struct read_state *s = n->state;
	const struct media_info *in = media_about(s->m);
	int i = source_frame(n, frame);
	if (i < 0) { sha_str(sha, "black"); return 0; }
	sha_str(sha, colour_name(s->space));
	if (in->kind == MEDIA_CLIP) {
		sha_u64(sha, (uint64_t)media_slot(s->m, i));
		return add_file(sha, p->file, e);
	}
	/* A file that is not there, and what it shows instead: with hold that is decided by the files
	 * before it. */
	for (; i >= s->lo; i--) {
		char *path = media_file_of(s->m, i);
		int rc = path ? add_file(sha, path, e) : 0;
		bool there = path;
		free(path);
		if (rc < 0) return -1;
		sha_u64(sha, there);
		if (there || p->missing != EDGE_HOLD) break;
	}
	return 0;
}

static void put_turned(const struct read_state *s, const struct view *out, int nch, int y, int w,
                       int h, int rotation)
{
	for (int c = 0; c < nch; c++) {
		const float *r = s->row[c];
		float *o = out->plane[c];
		if (rotation == 90)       for (int x = 0; x < w; x++) o[x * out->stride + (h - 1 - y)] = r[x];
		else if (rotation == 270) for (int x = 0; x < w; x++) o[(w - 1 - x) * out->stride + y] = r[x];
		else                      for (int x = 0; x < w;
		                               x++) o[(h - 1 - y) * out->stride + (w - 1 - x)] = r[x];
	}
}

static int put_planes(const struct call *c, const struct planes *p)
{
	struct read_state *s = c->n->state;
	const struct yuv_coef *k = media_coef(s->m);
	int w = p->d.w, nch = p->d.alpha ? 4 : 3, rot = media_about(s->m)->rotation;
	for (int y = 0; y < p->d.h; y++) {
		float *o[4] = { s->row[0], s->row[1], s->row[2], s->row[3] };
		for (int i = 0; i < nch && !rot; i++) o[i] = c->out->plane[i] + y * c->out->stride;
		yuv_row_rgb(p, k, y, s->tmp, o[0], o[1], o[2], nch == 4 ? o[3] : NULL);
		if (s->premultiply)
			for (int i = 0; i < 3; i++)
				for (int x = 0; x < w; x++) o[i][x] *= o[3][x];
		if (rot) put_turned(s, c->out, nch, y, w, p->d.h, rot);
		if (y % 64 == 0 && c->cancel && atomic_load_explicit(c->cancel, memory_order_relaxed))
			return err_set(c->err, E_CANCEL, "cancelled");
	}
	return 0;
}

static enum media_status get_exr(const struct call *c, int i)
{
	struct read_state *s = c->n->state;
	char *path = media_file_of(s->m, i);
	if (!path) {
		err_set(c->err, E_INPUT, "%s: no sound file for frame %d",
		        ((const struct read *)c->n->v)->file, i + s->start);
		return MEDIA_MISSING;
	}
	int rc = exr_read(path, c->n->out, c->out, c->err);
	free(path);
	if (rc < 0) return c->err->code == E_MEMORY ? MEDIA_FAIL : MEDIA_MISSING;
	int a = format_channel(c->n->out, "A");
	for (int k = 0; k < 3 && s->premultiply && a >= 0; k++) {
		int ch = format_channel(c->n->out, k == 0 ? "R" : k == 1 ? "G" : "B");
		for (int y = c->out->r.y0; ch >= 0 && y < c->out->r.y1; y++) {
			float *v = view_at(c->out, ch, c->out->r.x0, y);
			const float *m = view_at(c->out, a, c->out->r.x0, y);
			for (int x = 0; x < rect_w(c->out->r); x++) v[x] *= m[x];
		}
	}
	return MEDIA_OK;
}

static void note(struct read_state *s, int i, struct pixhash h)
{
	if (!s->note) return;
	s->note[i - s->lo] = h;
	s->noted[i - s->lo] = true;
}

static void note_planes(struct read_state *s, int i, const struct planes *p)
{
	struct pixhash h;
	if (!s->note || s->noted[i - s->lo]) return;
	planes_hash(p, &h);
	note(s, i, h);
}

static enum media_status get(const struct call *c, int i)
{
	struct read_state *s = c->n->state;
	const struct planes *p;
	if (media_about(s->m)->exr) return get_exr(c, i);
	enum media_status st = media_frame(s->m, i, &p, c->err);
	if (st == MEDIA_OK) note_planes(s, i, p);
	if (st == MEDIA_OK && put_planes(c, p) < 0) return MEDIA_FAIL;
	return st;
}

/* The whole picture of an EXR, by a call of its own. */
static int decode_exr(const struct node_ctx *n, int i, struct pixhash *out, struct err *e)
{
	struct pool *pool = pool_new();
	struct image *im = image_new(pool, n->out, n->id, e);
	struct call c = { .n = n, .out = im ? &im->view : NULL, .err = e };
	enum media_status st = im ? get_exr(&c, i) : MEDIA_FAIL;
	if (st == MEDIA_OK) {
		view_canon_nan(&im->view, n->out->data);
		*out = image_hash(im);
	}
	image_unref(&im);
	pool_free(&pool);
	return (int)st;
}

/* A frame that is missing counts as such: its hash is 0. */
static int read_decoded(const struct node_ctx *n, int frame, struct pixhash *out, struct err *e)
{
	struct read_state *s = n->state;
	const struct planes *p;
	size_t used = (size_t)(s->hi - s->lo) + 1;
	int i = source_frame(n, frame);
	if (!out && !s->note) {
		s->note = xalloc(used, sizeof *s->note);
		s->noted = xalloc(used, sizeof *s->noted);
	}
	if (!out) return 0;
	*out = (struct pixhash){ 0, 0 };
	if (i < 0) return 0;
	if (s->noted && s->noted[i - s->lo]) { *out = s->note[i - s->lo]; return 0; }
	int st = MEDIA_OK;
	if (media_about(s->m)->exr) st = decode_exr(n, i, out, e);
	else if ((st = media_frame(s->m, i, &p, e)) == MEDIA_OK) planes_hash(p, out);
	if (st == MEDIA_FAIL) return -1;
	if (st == MEDIA_MISSING) err_clear(e);
	note(s, i, *out);
	return 0;
}

static const char *read_decoder(const struct node_ctx *n)
{
	const struct read_state *s = n->state;
	return media_about(s->m)->decoder;
}

static int read_frame(const struct call *c)
{
	const struct read *p = c->n->v;
	struct read_state *s = c->n->state;
	int i = source_frame(c->n, c->frame);
	enum media_status st = MEDIA_MISSING;
	if (i >= 0) st = get(c, i);
	if (i >= 0 && st == MEDIA_MISSING && p->missing == EDGE_ERROR) return -1;
	while (st == MEDIA_MISSING && p->missing == EDGE_HOLD && i > s->lo) {
		err_clear(c->err);
		st = get(c, --i);
	}
	if (st == MEDIA_FAIL) return -1;
	if (st == MEDIA_MISSING && i >= 0 && p->missing == EDGE_HOLD)
		return err_set(c->err, E_INPUT, "%s: no readable frame before frame %d to hold", p->file,
		               c->frame);
	if (st == MEDIA_MISSING) {
		err_clear(c->err);
		view_clear(c->out, c->out->r);
	}
	return 0;
}

/* The reader's cache and what decoders hold back. */
static size_t read_reserve(const struct node_ctx *n)
{
	const struct read_state *s = n->state;
	if (!s || media_about(s->m)->exr) return 0;
	const struct plane_desc *d = &media_about(s->m)->desc;
	return ((size_t)96 << 20) + (size_t)d->w * (size_t)d->h * 3 * 20;
}

const struct node_type ISA(node_read) = {
	.name = "read", .doc = "A clip, a still or an image sequence, frame by frame and exact.",
	.more = "Frame N of a constant-rate clip is the N-th frame that a full decode outputs, edit lists "
	    "applied; it is the same "
	        "picture whether asked alone, backwards, or in another process. Variable-rate clips stand "
	    "on the even grid of their "
	        "snapped average rate, or of fps. Reads what FFmpeg decodes, and EXR, PNG, TIFF, DPX and "
	    "JPEG files, alone or "
	        "numbered. Code values beyond nominal black and white become values below 0 and above 1. "
	    "Rotation tags are obeyed.",
	.category = "source", .version = 1, .size = sizeof(struct read), .params = params, .inputs = "",
	.traits = TR_SOURCE, .want = WANT_ANY, .lanes = 1,
	.example = "<read id=\"plate\" file=\"media/shot_010.mp4\" color=\"rec709\" origin=\"ai\" "
	    "generator=\"veo-3.1\"/>",
	.open = read_open, .close = read_close, .format = read_format, .reserve = read_reserve,
	.content = read_content, .decoder = read_decoder, .decoded = read_decoded, .frame = read_frame,
};
