/* write - finished pictures to a clip or to an image sequence, with tags, sound and the root
 * key.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exr.h"
#include "log.h"
#include "media.h"
#include "media_grain.h"
#include "media_hdr.h"
#include "media_write.h"
#include "node.h"
#include "px_pack.h"
#include "timecode.h"
#include "write_back.h"
#include "write_names.h"

struct write {
	const char *file;
	int preset;
	const char *color;
	int matrix, range, siting, bits;
	double crf;
	int dither, seed, depth, compression;
	const char *audio;
	int class, check_output;
	const char *mastering, *light_level, *film_grain, *timecode;
};

enum { DITHER_TPDF, DITHER_NONE };

static const struct param params[] = {
	{ "file", PT_PATH, offsetof(struct write, file), 1, { 0 }, "", 0, 0, "", NULL,
	  PF_OUTPUT | PF_NOKEY | PF_STATIC | PF_REQUIRED,
	    "Clip, or sequence (name.####.exr); {rev} is git's description of the scene." },
	P_ENUM(write, preset, "auto", PRESET_CHOICES, PF_STATIC,
	       "What is written; auto: by the file's ending (.mov master-prores, .mp4 h264, .mkv ffv1, "
	    ".png, .exr)."),
	P_STRING(write, color, "auto", PF_STATIC | PF_SPACE,
	         "Colour space of the file: a name, working, encoded (the source's own) input (as it "
	    "comes), or ocio:NAME of the OpenColorIO config; auto: rec709, and working for EXR."),
	P_ENUM(write, matrix, "auto", YUV_MATRIX_CHOICES, PF_STATIC,
	       "YCbCr matrix; auto: that of the colour space, mostly bt709."),
	P_ENUM(write, range, "auto", YUV_RANGE_CHOICES, PF_STATIC,
	       "Code range; auto: limited for YCbCr, full for RGB."),
	P_ENUM(write, siting, "auto", YUV_SITING_CHOICES, PF_STATIC,
	       "Chroma siting; auto: left, topleft for 4:2:0 in bt2020."),
	P_INT(write, bits, 0, 0, 16, "bits", PF_STATIC, "Depth of the codes; 0: the preset's."),
	P_FLOATX(write, crf, -1, -1, 51, "", PF_STATIC,
	         "h264, h265: constant quality, less is better; -1: the preset's."),
	P_ENUM(write, dither, "tpdf", "tpdf|none", PF_STATIC,
	       "Triangular noise of one code before rounding, for 12 bits and less."),
	P_INT(write, seed, 1, 0, 2147483647, "", PF_STATIC, "Of the dither."),
	P_ENUM(write, depth, "float", "float|half", PF_STATIC, "exr: size of its numbers."),
	P_ENUM(write, compression, "zip", "none|rle|zips|zip|piz", PF_STATIC,
	       "exr: all of them are lossless."),
	P_STRING(write, audio, "auto", PF_STATIC,
	         "Sound: id of the read it comes from, none, or auto: the read found upward along first "
	    "inputs."),
	P_ENUM(write, class, "auto", "auto|draft|final", PF_STATIC,
	       "final: rendered only when every look, every solved value and the picture are approved; draft: marked in "
	    "name and metadata; auto: draft in scenes with approvals or classes, else unmarked."),
	P_BOOL(write, check_output, 1, PF_STATIC | PF_NOKEY,
	       "Decode the first and the last frame back before the file appears: what cannot be read or has other frames is an "
	    "error, and colour or tags that came out bent are told."),
	P_STRING(write, mastering, "", PF_STATIC | PF_LATER,
	         "Clips in pq or hlg: the display they were mastered on (SMPTE ST 2086), as a colour space for its primaries and "
	    "its greatest and least luminance in nits: \"p3-d65 1000 0.0001\"."),
	P_STRING(write, light_level, "", PF_STATIC | PF_LATER,
	         "Clips in pq: MaxCLL and MaxFALL in nits, \"1000 400\". The render tells what the pixels measure."),
	P_STRING(write, timecode, "", PF_STATIC | PF_LATER,
	         "Clips: record timecode of the first frame, HH:MM:SS:FF, or HH:MM:SS;FF for drop-frame at 29.97 and 59.94, as a "
	    "timecode track (mov, mp4) or tag (mkv). Preset review: 01:00:00:00 unless given, and burnt in."),
	{ "film_grain", PT_PATH, offsetof(struct write, film_grain), 1, { 0 }, "", 0, 0, "", NULL, PF_FILE | PF_STATIC | PF_LATER,
	  "av1: a grain profile, a stock (stock:NAME) or a filmgrn1 table that goes along as metadata: players add the grain, the "
	  "encoder is spared it. For a picture without grain." },
	P_END
};

struct run {
	bool dry, part;                      /* hashes only; packed frames only */
	const struct node_ctx *n;
	const struct preset *preset;
	char *path;
	char root[65];
	const char *class;
	struct media_writer *writer;
	struct pack_spec s;
	_Atomic uint64_t clipped[4], samples[4];
	struct hdr_spec hdr;
	bool lit; struct light light;        /* pq: the most of all frames */
	int first, last;                     /* files: those that are read back */
};

/* ---- what the parameters mean ---- */

static const struct preset *preset_of(const struct write *p, const char *path)
{
	static const char *const names[] = { "", "master-prores", "prores-4444", "master-dnxhr", "h264",
		"h265", "ffv1", "png", "exr", "prores-fast", "av1", "review" };
	const struct preset *ps = p->preset ? preset_find(names[p->preset]) : preset_for(path);
	return ps && *p->film_grain && !strcmp(ps->name, "av1") ? preset_find("av1-grain") : ps;
}

/* The space the core brings the picture to before it comes here. */
static int out_space(const struct node_ctx *n)
{
	const struct write *p = n->v;
	const struct preset *ps = preset_of(p, p->file);
	const char *name = p->color;
	if (!*name || !strcmp(name, "auto")) name = ps && ps->kind == PRESET_EXR ? "working" : "rec709";
	if (!strcmp(name, "working")) return n->working;
	if (!strcmp(name, "input")) return SPACE_NONE;
	if (!strcmp(name, "encoded")) return n->nconn && n->in[0] ? n->in[0]->encoded : SPACE_NONE;
	return colour_find(name);
}

/* The space the pictures really come in. */
static int space_in(const struct node_ctx *n)
{
	int s = out_space(n);
	return s >= 0 ? s : n->in[0]->space;
}

static enum yuv_matrix matrix_for(const struct write *p, int space)
{
	const char *s = space >= 0 ? colour_name(space) : "";
	if (p->matrix > YM_RGB) return (enum yuv_matrix)p->matrix;
	if (!strncmp(s, "rec601", 6)) return YM_BT601;
	if (!strcmp(s, "rec2020") || !strcmp(s, "pq") || !strcmp(s, "hlg")
	    || !strcmp(s, "linear-rec2020")) return YM_BT2020;
	return YM_BT709;
}

static const char *timecode_of(const struct write *p, const struct preset *ps)
{ return *p->timecode ? p->timecode : ps->burnin ? "01:00:00:00" : ""; }

/* Tables fitted to profiles have been better since they knew siting and bits. */
static int write_revision(const struct node_ctx *n) { return *((const struct write *)n->v)->film_grain ? 1 : 0; }

/* A review copy tells what it shows. */
static const char *write_front(const struct node_ctx *n, const char *const **attrs)
{
	static const char *const none[] = { NULL };
	const struct write *p = n->v;
	const struct preset *ps = preset_of(p, p->file);
	*attrs = none;
	return ps && ps->burnin ? "burnin" : NULL;
}

static int write_open(struct node_ctx *n, struct err *e)
{
	const struct write *p = n->v;
	const struct preset *ps = preset_of(p, p->file);
	static const char *const special[] = { "", "auto", "working", "encoded", "input" };
	bool known = colour_find(p->color) >= 0 || !strncmp(p->color, "ocio:", 5);
	for (size_t i = 0; i < IN_COUNT(special); i++) known = known || !strcmp(p->color, special[i]);
	if (!known) return colour_named("color", p->color, e);
	if (!*p->file) return err_set(e, E_SCENE, "file= is empty");
	if (!ps) return err_set(e, E_SCENE,
	                        "file=\"%s\": the ending tells no preset; end it in .mov .mp4 .mkv .png "
	    "or .exr, or say preset=", p->file);
	if (preset_ending(ps, p->file, e) < 0 || preset_bits(ps, p->bits, e) < 0) return -1;
	if (*p->film_grain && strcmp(ps->name, "av1-grain") != 0)
		return err_set(e, E_SCENE, "film_grain=: preset %s carries no film grain, av1 does", ps->name);
	if (*p->film_grain) {
		char *text = film_grain_text(p->film_grain, 0, NULL, e);
		if (!text) return -1;
		free(text);
	}
	struct timecode t;
	struct rational fps = n->in[0] && n->in[0]->fps.num > 0 ? n->in[0]->fps : n->fps;
	if (*p->timecode && ps->kind != PRESET_CLIP)
		return err_set(e, E_SCENE, "timecode=: preset %s holds no timecode", ps->name);
	if (*p->timecode && timecode_read("timecode", p->timecode, fps, &t, e) < 0) return -1;
	struct hdr_spec h;
	if (hdr_parse(p->mastering, p->light_level, &h, e) < 0) return -1;
	const char *what = h.mastered ? "mastering" : h.max_cll ? "light_level" : NULL;
	if (what && ps->kind != PRESET_CLIP)
		return err_set(e, E_SCENE, "%s=: preset %s holds no HDR metadata", what, ps->name);
	if (what && strcmp(p->color, "pq") != 0 && (h.max_cll || strcmp(p->color, "hlg") != 0))
		return err_set(e, E_SCENE, "%s=: the clip is no %s: color=\"%s\"", what,
		               h.max_cll ? "pq" : "pq or hlg", p->color);
	return 0;
}

static char *target(const struct sink_job *j)
{
	const struct write *p = j->n->v;
	char *path = j->outpath ? xstrdup(j->outpath) : marked(p->file, j->class ? j->class : ""), *at;
	while ((at = strstr(path, "{rev}"))) {
		char *next = xasprintf("%.*s%s%s", (int)(at - path), path, j->rev ? j->rev : "", at + 5);
		free(path);
		path = next;
	}
	return path;
}

/* ---- which files there are already ---- */

_Static_assert((int)PACKED_HEAD == (int)SINK_PACKED_HEAD, "the engine's head is the packer's");

/* Workers that encode; 0: more of them than encoders may be, or frames hang together. */
static int coders_of(const struct preset *ps, const struct sink_job *j)
{ return j->threads <= ps->apart ? j->threads : 0; }

static unsigned write_sink(const struct sink_job *j)
{
	const struct write *p = j->n->v;
	const struct preset *ps = preset_of(p, j->outpath ? j->outpath : p->file);
	if (!ps || ps->kind == PRESET_EXR) return 0;
	if (ps->kind != PRESET_CLIP) return SINK_PACKS;
	return SINK_PACKS | SINK_ORDERED | (coders_of(ps, j) ? SINK_CODES : 0);
}

static bool write_fresh(const struct sink_job *j)
{
	char *path = target(j);
	bool same = state_of(path, j->root_key) == FILE_SAME;
	free(path);
	return same;
}

static bool frame_fresh(const struct sink_job *j, int frame, const char *root)
{
	char *path = target(j), *one = seq_is_pattern(path) ? seq_path(path, frame) : xstrdup(path);
	bool same = state_of(one, root) == FILE_SAME;
	free(one);
	free(path);
	return same;
}

static char *write_file(const struct sink_job *j, int frame)
{
	char *path = target(j), *one = seq_is_pattern(path) ? seq_path(path, frame) : xstrdup(path);
	free(path);
	return one;
}

static int check_files(const struct sink_job *j, const struct run *r, struct err *e)
{
	bool seq = seq_is_pattern(r->path);
	if (r->preset->kind == PRESET_CLIP && seq)
		return err_set(e, E_SCENE, "%s: preset %s writes one clip; leave the number out of its name",
		               r->path, r->preset->name);
	if (r->preset->kind != PRESET_CLIP && !seq && j->nframes > 1)
		return err_set(e, E_SCENE, "%s: %d frames need a name with ####", r->path, j->nframes);
	for (int i = 0; i < (seq ? j->nframes : 1) && !j->overwrite; i++) {
		char *one = seq ? seq_path(r->path, j->frames[i]) : xstrdup(r->path);
		int st = state_of(one, NULL), rc = 0;
		if (st == FILE_FOREIGN)
			rc = err_set(e, E_OUTPUT, "%s: exists and was not written by interneg; --overwrite replaces "
			             "it", one);
		free(one);
		if (rc < 0) return -1;
	}
	return 0;
}

/* ---- begin ---- */

static int find_channels(struct run *r, struct err *e)
{
	static const char *const names[] = { "R", "G", "B", "A" };
	const struct format *f = r->n->in[0];
	for (int i = 0; i < 4; i++) r->s.ch[i] = format_channel(f, names[i]);
	if (r->s.ch[0] < 0 || r->s.ch[1] < 0 || r->s.ch[2] < 0)
		return err_set(e, E_SCENE, "the picture has no channels R, G and B to write");
	return 0;
}

/* The planes that go into a packed frame of this write; -1 without a message where it cannot be told. */
static int desc_of(const struct node_ctx *n, const struct preset *ps, struct plane_desc *d, struct err *e)
{
	const struct write *p = n->v;
	const struct format *f = n->in[0];
	return preset_desc(ps, rect_w(f->display), rect_h(f->display), p->bits, format_channel(f, "A") >= 0, d, e);
}

static size_t write_packed(const struct sink_job *j)
{
	const struct write *p = j->n->v;
	const struct preset *ps = preset_of(p, j->outpath ? j->outpath : p->file);
	const struct format *f = j->n->in[0];
	struct plane_desc d;
	struct err e = ERR_INIT;
	if (!ps) return 0;
	if (ps->kind == PRESET_EXR) {
		/* the writer's chunks, and a plane for the hash */
		struct exr_write w = { .compression = (enum exr_compression)p->compression, .half = p->depth == 1 };
		return exr_writer_bytes(f, &w, 1) + rect_area(f->data) * sizeof(float);
	}
	return desc_of(j->n, ps, &d, &e) < 0 ? 0 : PACKED_HEAD + planes_bytes(&d);
}

static size_t write_scratch(const struct node_ctx *n, struct rect r)
{
	const struct write *p = n->v;
	const struct preset *ps = preset_of(p, p->file);
	struct plane_desc d;
	struct err e = ERR_INIT;
	(void)r;
	if (!ps || !n->nconn || !n->in[0] || ps->kind == PRESET_EXR || desc_of(n, ps, &d, &e) < 0) return 64;
	size_t rows = pack_scratch(&d), codes = LIGHT_CODES * sizeof(uint32_t);
	return rows > codes ? rows : codes;
}

static bool is_pq(int space) { return space >= 0 && !strcmp(colour_name(space), "pq"); }

static int begin_codes(const struct sink_job *j, struct run *r, struct err *e)
{
	const struct write *p = r->n->v;
	const struct format *f = r->n->in[0];
	struct plane_desc d;
	if (find_channels(r, e) < 0) return -1;
	if (desc_of(r->n, r->preset, &d, e) < 0) return -1;
	if (d.w != r->s.w || d.h != r->s.h)
		log_warn("%s: %dx%d has odd sides, which %s cannot hold; the last column or row is doubled",
		         r->path, r->s.w, r->s.h, r->preset->name);
	enum yuv_matrix m = matrix_for(p, space_in(r->n));
	enum yuv_range range = p->range ? (enum yuv_range)p->range : d.rgb ? YR_FULL : YR_LIMITED;
	enum yuv_siting s = m == YM_BT2020 && d.lh ? YS_TOPLEFT : YS_LEFT;
	if (p->siting) s = (enum yuv_siting)p->siting;
	yuv_coef_init(&r->s.k, &d, m, range, s);
	r->s.dither = (struct yuv_dither){ p->dither == DITHER_TPDF && d.depth <= 12, 0, (uint32_t)p->seed,
	                                0x64697468u };
	r->s.d = d;
	if (hdr_parse(p->mastering, p->light_level, &r->hdr, e) < 0) return -1;
	r->lit = r->preset->kind == PRESET_CLIP && is_pq(space_in(r->n));
	if (r->preset->kind != PRESET_CLIP || r->dry || r->part) return 0;
	struct rational fps = f->fps.num > 0 ? f->fps : r->n->fps;
	if (fps.num <= 0)
		return err_set(e, E_SCENE, "a clip needs a rate: give the graph or the read fps=");
	struct write_spec w = { .path = r->path, .preset = r->preset, .desc = d, .par = f->par,
	                       .fps = fps, .space = space_in(r->n),
		.matrix = m, .range = range, .siting = s, .crf = p->crf, .nframes = j->nframes,
			.root = r->root, .class = r->class,
		.hdr = r->hdr, .timecode = timecode_of(p, r->preset), .check = p->check_output,
		.coders = coders_of(r->preset, j),
		.sound = { strcmp(p->audio, "none") ? j->audio_file : NULL, j->audio_fps, j->audio_first } };
	char *grain = NULL;
	struct grain_picture to = { m, range == YR_FULL, d.lh > 0, s, d.depth };
	if (*p->film_grain && !(grain = film_grain_text(p->film_grain, d.h, &to, e))) return -1;
	w.grain = grain;
	int rc = media_writer_open(&w, &r->writer, e);
	free(grain);
	return rc;
}

static void run_free(struct run *r)
{
	struct err ignore = ERR_INIT;
	media_writer_close(&r->writer, false, &ignore);
	free(r->path);
	free(r);
}

static int write_begin(const struct sink_job *j, void **out, struct err *e)
{
	const struct write *p = j->n->v;
	const struct format *f = j->n->in[0];
	struct run *r = xalloc(1, sizeof *r);
	r->n = j->n;
	r->class = j->class ? j->class : "";
	r->path = target(j);
	r->preset = preset_of(p, r->path);
	r->s.display = f->display;
	r->s.w = rect_w(f->display);
	r->s.h = rect_h(f->display);
	if (j->root_key) memcpy(r->root, j->root_key, strnlen(j->root_key, 64));
	int rc = r->preset ? preset_ending(r->preset, r->path, e)
	                   : err_set(e, E_SCENE, "%s: the ending tells no preset; say preset=", r->path);
	r->dry = j->dry;
	r->part = j->part;
	r->first = j->nframes > 0 ? j->frames[0] : 0;
	r->last = j->nframes > 0 ? j->frames[j->nframes - 1] : 0;
	if (rc == 0 && !r->dry && !r->part) rc = check_files(j, r, e);
	if (rc == 0 && r->preset->kind != PRESET_EXR) rc = begin_codes(j, r, e);
	else if (rc == 0 && !r->dry) rc = make_folders(r->path, e);
	if (rc < 0) { run_free(r); return -1; }
	*out = r;
	return 0;
}

/* ---- a frame ---- */

/* Of the picture that is written; the rows in scratch have been used up. */
static void measure_light(const struct run *r, const struct view *in, void *scratch, struct packed *out)
{
	struct rect d = rect_and(r->s.display, in->r);
	uint32_t *count = scratch;
	memset(count, 0, LIGHT_CODES * sizeof *count);
	for (int y = d.y0; y < d.y1 && d.x1 > d.x0; y++)
		light_count(count, view_at(in, r->s.ch[0], d.x0, y), view_at(in, r->s.ch[1], d.x0, y),
		            view_at(in, r->s.ch[2], d.x0, y), rect_w(d));
	struct light l = light_of(count);
	out->light_max = l.max;
	out->light_mean = l.mean;
}

static int write_pack(const struct call *c)
{
	struct run *r = c->run;
	struct packer k;
	pack_begin(&k, &r->s, c->packed, c->scratch, c->frame);
	if (pack_rows(&k, &c->in[0], c->cancel) < 0) return err_set(c->err, E_CANCEL, "cancelled");
	if (r->lit) measure_light(r, &c->in[0], c->scratch, k.out);
	planes_hash(&k.p, &k.out->hash);
	if (c->hash) *c->hash = k.out->hash;
	return 0;
}

/* A frame as it goes into the clip: what its packing noted, and its packet. */
struct coded { struct packed notes; struct AVPacket *packet; };

static int write_code(const struct call *c)
{
	struct run *r = c->run;
	struct coded *o = xalloc(1, sizeof *o);
	struct planes p;
	memcpy(&o->notes, c->packed, sizeof o->notes);
	planes_at(&p, &r->s.d, (char *)c->packed + PACKED_HEAD);
	if (media_writer_code(r->writer, c->worker, &p, c->frame == r->first, c->frame == r->last, &o->packet, c->err) < 0) {
		free(o);
		return -1;
	}
	*c->coded = o;
	return 0;
}

static void write_uncode(void *coded)
{
	struct coded *o = coded;
	media_packet_free(&o->packet);
	free(o);
}

static int write_held(const struct sink_job *j, struct pixhash *out, struct err *e)
{
	const struct preset *ps = preset_of(j->n->v, ((const struct write *)j->n->v)->file);
	struct media *m = NULL;
	int rc = ps ? 0 : -1;
	for (int i = 0; i < j->nframes && rc == 0; i++) {
		char *path = write_file(j, j->frames[i]);
		if (ps->kind == PRESET_EXR)
			rc = held_exr(j->n, path, ((const struct write *)j->n->v)->depth == 1, &out[i], e);
		else rc = held_planes(path, ps->kind == PRESET_CLIP ? j->frames[i] - j->n->in[0]->first : 0,
		                      &out[i], &m, e);
		if (ps->kind != PRESET_CLIP) media_close(&m);
		free(path);
	}
	media_close(&m);
	return rc < 0 ? -1 : ps->kind == PRESET_CLIP && strcmp(ps->name, "ffv1") != 0;
}

static bool looks_back(const struct run *r, int frame)
{
	const struct write *p = r->n->v;
	return p->check_output && !r->dry && (frame == r->first || frame == r->last);
}

static int exr_frame(struct run *r, const struct call *c, const char *path)
{
	const struct write *p = r->n->v;
	struct format f = *r->n->in[0];
	int id = space_in(r->n);
	const char *space = id >= 0 ? colour_name(id) : "raw";
	const char *attr[] = { "interneg_root", c->root ? c->root : r->root, "interneg_color", space,
	                      *r->class ? "interneg_class" : NULL, r->class, NULL };
	struct exr_write w = { .compression = (enum exr_compression)p->compression,
	                      .half = p->depth == 1, .attr = attr,
		.frame = c->frame, .fps = f.fps.num > 0 ? f.fps : r->n->fps,
		    .has_chroma = strcmp(space, "raw") != 0 };
	if (w.has_chroma) colour_primaries(id, w.chroma);
	f.data = c->in[0].r;
	bool look = looks_back(r, c->frame);
	struct pixhash hash, back;
	if (c->hash || look) hash = hash_view(&c->in[0], w.half);
	if (c->hash) *c->hash = hash;
	if (r->dry) return 0;
	if (exr_write(path, &f, &c->in[0], &w, c->err) < 0) return -1;
	return look ? same_pixels(path, &hash, held_exr(r->n, path, w.half, &back, c->err), &back, c->err) : 0;
}

static int write_frame(const struct call *c)
{
	struct run *r = c->run;
	char *path = seq_is_pattern(r->path) ? seq_path(r->path, c->frame) : xstrdup(r->path);
	struct coded *coded = c->coded ? *c->coded : NULL;
	const struct packed *in = coded ? &coded->notes : c->packed;
	struct planes p;
	int rc = 0;
	if (r->preset->kind == PRESET_EXR) {
		rc = exr_frame(r, c, path);
		free(path);
		return rc;
	}
	if (c->packed) planes_at(&p, &r->s.d, (char *)c->packed + PACKED_HEAD);
	if (c->hash) *c->hash = in->hash;
	for (int i = 0; i < 4; i++) {
		atomic_fetch_add(&r->clipped[i], in->clipped[i]);
		atomic_fetch_add(&r->samples[i], in->samples[i]);
	}
	if (r->writer) {
		if (in->light_max > r->light.max) r->light.max = in->light_max;
		if (in->light_mean > r->light.mean) r->light.mean = in->light_mean;
		rc = coded ? media_writer_put(r->writer, &coded->packet, c->err) : media_writer_frame(r->writer, &p, c->err);
	}
	else if (!r->dry && !r->part) {
		int space = space_in(r->n);
		const char *text[] = { "interneg_root", c->root ? c->root : r->root, "interneg_color",
		                      space >= 0 ? colour_name(space) : "raw",
		                      *r->class ? "interneg_class" : NULL, r->class, NULL };
		rc = media_png_write(path, &p, r->n->in[0]->par, text, c->err);
		if (rc == 0 && looks_back(r, c->frame)) {
			struct media *m = NULL;
			struct pixhash back;
			rc = same_pixels(path, &in->hash, held_planes(path, 0, &back, &m, c->err), &back, c->err);
			media_close(&m);
		}
	}
	free(path);
	return rc;
}

static void warn_clipped(const struct run *r)
{
	double worst = 0;
	for (int i = 0; i < 3; i++) {
		double share = r->samples[i] ? (double)r->clipped[i] / (double)r->samples[i] : 0;
		if (share > worst) worst = share;
	}
	if (worst > .001) log_warn("%s: %.2f %% of the pixels were clipped to what %d-bit %s holds",
	                           r->path, worst * 100, r->s.d.depth, r->preset->name);
}

static void tell_light(const struct run *r)
{
	int cll = (int)(r->light.max + 0.5f), fall = (int)(r->light.mean + 0.5f);
	if (!r->lit || cll < 1) return;
	if (!r->hdr.max_cll)
		log_note("%s: measured MaxCLL %d and MaxFALL %d nits: light_level=\"%d %d\" says so",
		         r->path, cll, fall, cll, fall);
	else if (cll > r->hdr.max_cll || fall > r->hdr.max_fall)
		log_warn("%s: light_level=\"%d %d\", but the pictures reach %d and %d nits", r->path,
		         r->hdr.max_cll, r->hdr.max_fall, cll, fall);
}

static int write_end(void *run, bool commit, struct err *e)
{
	struct run *r = run;
	int rc = 0;
	if (commit) {
		warn_clipped(r);
		tell_light(r);
	}
	if (r->writer) rc = media_writer_close(&r->writer, commit, e);
	run_free(r);
	return rc;
}

/* What encoders look ahead. */
static size_t write_reserve(const struct node_ctx *n)
{
	const struct write *p = n->v;
	const struct preset *ps = preset_of(p, p->file);
	if (!n->nconn || !n->in[0] || !ps || ps->kind != PRESET_CLIP) return 0;
	return encoder_bytes(ps, rect_w(n->in[0]->display), rect_h(n->in[0]->display));
}

const struct node_type ISA(node_write) = {
	.name = "write", .doc = "Finished pictures to a clip or to an image sequence.",
	.more = "Clips carry all four colour tags, the chroma siting, pixel aspect, sound and the root "
	    "key of what they show; a file "
	        "with an equal key is up to date, a file that is not interneg's is replaced only with "
	    "--overwrite. Codes of 12 bits "
	        "and less are dithered. Values beyond nominal black and white are kept as far as the "
	    "codes reach; a write that clips "
	        "more than 0.1 % of its pixels says so. A write of class final is rendered only when `interneg "
	    "approve` has an approval that holds of the picture and of every look and solved value above it; drafts are called "
	    "NAME_draft, or the class stands where the name says {class}. The picture is the display window; EXR keeps the "
	    "data window too.",
	.category = "output", .version = 1, .size = sizeof(struct write), .params = params,
	    .inputs = "image",
	.flags = NF_SINK, .traits = TR_OUTPUT, .want = WANT_ANY, .lanes = 1,
	.example = "<write id=\"master\" in=\"grained\" file=\"out/shot_010.mov\" "
	    "preset=\"master-prores\"/>",
	.open = write_open, .revision = write_revision, .front = write_front, .out_space = out_space, .reserve = write_reserve,
		.scratch = write_scratch,
	.begin = write_begin, .sink = write_sink, .packed = write_packed, .pack = write_pack,
		.code = write_code, .uncode = write_uncode,
	.fresh = write_fresh, .frame_fresh = frame_fresh, .file = write_file, .held = write_held,
		.frame = write_frame,
	.end = write_end,
};
