/* external - runs a program of the user's over the frames: EXR or PNG out, EXR or PNG back.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "exr.h"
#include "external.h"
#include "imgfile.h"
#include "mathx.h"
#include "node.h"

struct external {
	const char *program, *program_sha256, *args, *files, *version, *version_args, *process, *color;
	int mode, format, space; double scale, timeout;
};

enum { MODE_FRAME, MODE_CLIP };
enum { FORMAT_EXR, FORMAT_PNG };

static const struct param params[] = {
	P_PATH(external, program, PF_STATIC | PF_NOKEY | PF_REQUIRED, "The program, started without a shell, in the scene's folder."),
	P_STRING(external, program_sha256, "", PF_STATIC,
	         "What it must be: the SHA-256 of the program; with files=, of the hex digests of program and files one behind "
	         "the other (sha256sum PROGRAM FILE ... | cut -c1-64 | tr -d '\\n' | sha256sum)."),
	P_STRING(external, args, "{in} {out}", PF_STATIC | PF_PLACES,
	         "Its arguments, apart by blanks; '...' and \"...\" keep blanks, a backslash takes the next character as it is; "
	         "nothing else has a meaning. {in}, {out}: a file each (mode=\"frame\") or a folder each of 000001.exr and so "
	         "on by frame number (mode=\"clip\"). {first}, {last}: frame numbers."),
	P_STRING(external, files, "", PF_STATIC | PF_NOKEY,
	         "Further files that it consists of, such as its script or weights, written as args is; part of its hash."),
	P_STRING(external, version, "", PF_STATIC, "What it calls itself, for the lock and the metadata."),
	P_STRING(external, version_args, "", PF_STATIC,
	         "Arguments that make it print its version, which must hold what version= says."),
	P_STRING(external, process, "external", PF_STATIC,
	         "What it does. One program does one process throughout a sequence (rule 7)."),
	P_ENUM(external, mode, "frame", "frame|clip", PF_STATIC,
	       "frame: one call a frame. clip: one call for all frames, at most 120, which are held in memory."),
	P_ENUM(external, format, "exr", "exr|png", PF_STATIC,
	       "Both ways. exr: 32-bit floats; comes back as half or float. png: 16 bits, 0 to 1."),
	P_ENUM(external, space, "encoded", "encoded|linear|log", PF_STATIC,
	       "What it is given: the clip's own encoding, linear light, or acescct."),
	P_STRING(external, color, "", PF_STATIC | PF_SPACE, "The colour space of what it gives back; empty: as it was given."),
	P_FLOATX(external, scale, 1, 0.0625, 16, "factor", PF_STATIC, "How much larger what it gives back is."),
	P_FLOATX(external, timeout, 600, 0.1, 86400, "seconds", PF_STATIC | PF_NOKEY, "A call that takes longer is ended and fails."),
	P_END
};

enum { MAX_CLIP = 120 };

/* The words and the hash are frozen; folder and what is done in it belong to the lane. */
struct state {
	char program[PATH_MAX], base[PATH_MAX], **arg, **file, **version_arg; int narg, nfile, nversion, space;
	struct key sha; char about[400];
	char *folder; bool versioned, ran;
};

static void close_program(struct node_ctx *n)
{
	struct state *s = n->state;
	if (!s) return;
	external_remove(&s->folder);
	external_words_free(&s->arg);
	external_words_free(&s->file);
	external_words_free(&s->version_arg);
	free(s);
	n->state = NULL;
}

static bool mentions(const struct state *s, const char *place)
{
	for (int i = 0; i < s->narg; i++)
		if (strstr(s->arg[i], place)) return true;
	return false;
}

/* Files are relative to the scene, as paths are. */
static int open_files(struct state *s, const char *text, const char *base, struct err *e)
{
	if (external_words(text, &s->file, &s->nfile, e) < 0) return -1;
	if (s->nfile > EXTERNAL_FILES)
		return err_set(e, E_SCENE, "files names %d files; %d at most", s->nfile, EXTERNAL_FILES);
	for (int i = 0; i < s->nfile; i++) {
		if (s->file[i][0] == '/') continue;
		char *full = xasprintf("%s/%s", base, s->file[i]);
		free(s->file[i]);
		s->file[i] = full;
	}
	return 0;
}

static int identify(struct state *s, const struct external *p, struct err *e)
{
	char hex[65];
	if (external_sha(s->program, s->file, &s->sha, e) < 0) return -1;
	key_hex(&s->sha, hex);
	if (*p->program_sha256 && strcmp(p->program_sha256, hex) != 0)
		return err_set(e, E_LOCK, "%s is not the pinned program: program_sha256 is %s, it has %s", p->program,
		               p->program_sha256, hex);
	const char *name = strrchr(s->program, '/');
	snprintf(s->about, sizeof s->about, "runs a program of the user's: %.120s%s%.120s (sha256 "
	         "%.16s)", name ? name + 1 : s->program, *p->version ? " " : "", p->version, hex);
	return 0;
}

static int open_program(struct node_ctx *n, struct err *e)
{
	const struct external *p = n->v;
	struct state *s = xalloc(1, sizeof *s);
	const char *base = n->base && *n->base ? n->base : ".";
	struct stat st;
	n->state = s;
	if (!*p->program) return err_set(e, E_SCENE, "needs program=\"path\"");
	if (!realpath(p->program, s->program)) return err_set(e, E_INPUT, "%s: %s", p->program, strerror(errno));
	if (!realpath(base, s->base)) return err_set(e, E_INPUT, "%s: %s", base, strerror(errno));
	if (stat(s->program, &st) < 0 || !S_ISREG(st.st_mode))
		return err_set(e, E_INPUT, "%s is no program", p->program);
	if (external_words(p->args, &s->arg, &s->narg, e) < 0 || open_files(s, p->files, base, e) < 0 ||
	    external_words(p->version_args, &s->version_arg, &s->nversion, e) < 0) return -1;
	if (!mentions(s, "{in}") || !mentions(s, "{out}"))
		return err_set(e, E_SCENE, "args has to tell the program what to read and write: {in} and {out}");
	if (s->nversion && !*p->version)
		return err_set(e, E_SCENE, "version_args without version: write the version that is expected");
	s->space = *p->color ? colour_named("color", p->color, e) : n->in[0]->space;
	if (s->space < 0) return -1;
	return identify(s, p, e);
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct external *p = n->v;
	(void)conn;
	return p->space == 1 ? WANT_LINEAR : p->space == 2 ? WANT_LOG : WANT_ENCODED;
}

static int out_space(const struct node_ctx *n) { return ((const struct state *)n->state)->space; }

static int scaled(int v, double scale) { return (int)mx_floor(v * scale + 0.5); }

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	const struct external *p = n->v;
	struct rect d = out->display;
	if (format_channel(out, "R") < 0 || format_channel(out, "G") < 0 || format_channel(out, "B") < 0)
		return err_set(e, E_SCENE, "a program is given R, G and B; the picture lacks them");
	if (p->mode == MODE_CLIP && (int64_t)out->last - out->first >= MAX_CLIP)
		return err_set(e, E_SCENE, "mode=\"clip\" holds all frames at once, %d at most; there are %lld", MAX_CLIP,
		               (long long)out->last - out->first + 1);
	int x0 = scaled(d.x0, p->scale), y0 = scaled(d.y0, p->scale);
	int w = scaled(rect_w(d), p->scale), h = scaled(rect_h(d), p->scale);
	if (w < 1 || h < 1) return err_set(e, E_SCENE, "scale leaves nothing of the picture");
	out->display = out->data = rect_of(x0, y0, x0 + w, y0 + h);
	format_channels(out, format_channel(out, "A") >= 0 ? "R G B A" : "R G B");
	return 0;
}

static void needs(const struct node_ctx *n, int frame, struct rect r, struct needs *out)
{
	const struct external *p = n->v;
	(void)r;
	if (p->mode == MODE_FRAME) { need_add(out, 0, frame, n->in[0]->display); return; }
	for (int f = n->in[0]->first; f <= n->in[0]->last; f++) need_add(out, 0, f, n->in[0]->display);
}

/* --- frames out --- */

static char *frame_file(const struct state *s, const struct external *p, const char *side, int frame)
{
	return xasprintf("%s/%s/%06d.%s", s->folder, side, frame, p->format == FORMAT_PNG ? "png" : "exr");
}

/* The display window from (0, 0), colours straight for EXR too, 0 outside the picture. */
static int hand_over(const struct call *c, int i, const char *path)
{
	const struct external *p = c->n->v;
	const struct format *f = c->n->in[0];
	struct format g = *f;
	const struct view *in = &c->in[i];
	int w = rect_w(f->display), h = rect_h(f->display), a = format_channel(f, "A"), nch = a >= 0 ? 4 : 3;
	static const char *const names[] = { "R", "G", "B", "A" };
	g.display = g.data = rect_of(0, 0, w, h);
	format_channels(&g, a >= 0 ? "R G B A" : "R G B");
	struct view v = { .r = g.data, .stride = w, .nch = nch };
	float *m = calloc((size_t)w * (size_t)h * (size_t)nch, sizeof *m);
	if (!m) return err_set(c->err, E_MEMORY, "no memory for a frame of %d x %d", w, h);
	for (int k = 0; k < nch; k++) {
		int from = format_channel(f, names[k]);
		v.plane[k] = m + (size_t)k * (size_t)w * (size_t)h;
		for (int y = in->r.y0; y < in->r.y1; y++)
			for (int x = in->r.x0; x < in->r.x1; x++) {
				float q = *view_at(in, from, x, y), al = a >= 0 && k < 3 ? *view_at(in, a, x, y) : 1.0f;
				bool straight = p->format == FORMAT_EXR && al != 0.0f;
				*view_at(&v, k, x - f->display.x0, y - f->display.y0) = straight ? q / al : q;
			}
	}
	char no[16];
	snprintf(no, sizeof no, "%d", c->need[i].frame);
	const char *attr[] = { "interneg.frame", no, "interneg.space", colour_name(f->space), NULL };
	struct exr_write ew = { .compression = EXRC_NONE, .nosync = true, .attr = attr, .frame = c->need[i].frame,
		.fps = f->fps, .has_chroma = true };
	colour_primaries(f->space, ew.chroma);
	int rc = p->format == FORMAT_PNG ? png_write(path, &g, &v, 16, a >= 0, c->err)
		: exr_write(path, &g, &v, &ew, c->err);
	free(m);
	return rc;
}

/* --- the call --- */

static int launch(const struct call *c, char *const *words, int n, const char *const *pairs, char **log)
{
	const struct external *p = c->n->v;
	struct state *s = c->n->state;
	char **argv = xalloc((size_t)n + 2, sizeof *argv);
	argv[0] = s->program;
	for (int i = 0; i < n; i++) argv[i + 1] = external_fill(words[i], pairs);
	*log = xasprintf("%s/log", s->folder);
	struct external_run x = { .program = s->program, .argv = argv, .cwd = s->base, .log = *log,
		.timeout = p->timeout,
		.cancel = c->cancel };
	int rc = external_run(&x, c->err);
	for (int i = 0; i < n; i++) free(argv[i + 1]);
	free(argv);
	return rc;
}

/* The version that it prints must hold the one written. */
static int check_version(const struct call *c)
{
	const struct external *p = c->n->v;
	struct state *s = c->n->state;
	static const char *const none[] = { NULL };
	char *log = NULL, text[4096];
	if (!s->nversion || s->versioned) return 0;
	int rc = launch(c, s->version_arg, s->nversion, none, &log);
	FILE *f = rc == 0 ? fopen(log, "r") : NULL;
	size_t k = f ? fread(text, 1, sizeof text - 1, f) : 0;
	if (f) fclose(f);
	free(log);
	text[k] = 0;
	if (rc < 0) return -1;
	if (!strstr(text, p->version))
		return err_set(c->err, E_LOCK, "%s is not version \"%s\"; it says: %.300s", p->program, p->version, text);
	s->versioned = true;
	return 0;
}

static int make_folder(const struct call *c)
{
	struct state *s = c->n->state;
	const char *const side[] = { "in", "out" };
	if (s->folder) return 0;
	if (!(s->folder = external_folder(c->n->leave, c->err))) return -1;
	for (int i = 0; i < 2; i++) {
		char *dir = xasprintf("%s/%s", s->folder, side[i]);
		int rc = mkdir(dir, 0700) < 0 ? err_set(c->err, E_OUTPUT, "%s: %s", dir, strerror(errno)) : 0;
		free(dir);
		if (rc < 0) return -1;
	}
	return 0;
}

/* How many files it left in its folder. */
static int results(const struct state *s)
{
	char *dir = xasprintf("%s/out", s->folder);
	DIR *d = opendir(dir);
	int n = 0;
	for (struct dirent *de; d && (de = readdir(d)); ) n += de->d_name[0] != '.';
	if (d) closedir(d);
	free(dir);
	return n;
}

/* Writes what is needed, runs, counts. */
static int produce(const struct call *c)
{
	const struct external *p = c->n->v;
	struct state *s = c->n->state;
	int first = c->need[0].frame, last = c->need[c->nin - 1].frame, rc = 0;
	char a[16], b[16], *log = NULL, *in = NULL, *out = NULL;
	if (p->mode == MODE_CLIP) in = xasprintf("%s/in", s->folder), out = xasprintf("%s/out", s->folder);
	else in = frame_file(s, p, "in", first), out = frame_file(s, p, "out", first);
	for (int i = 0; i < c->nin && rc == 0; i++) {
		char *file = frame_file(s, p, "in", c->need[i].frame);
		rc = hand_over(c, i, file);
		free(file);
	}
	snprintf(a, sizeof a, "%d", first);
	snprintf(b, sizeof b, "%d", last);
	const char *pairs[] = { "in", in, "out", out, "first", a, "last", b, NULL };
	if (rc == 0) rc = launch(c, s->arg, s->narg, pairs, &log);
	int n = rc == 0 ? results(s) : 0;
	if (rc == 0 && n != c->nin)
		rc = err_set(c->err, E_INPUT, "%s was given %d frame%s and left %d file%s", p->program,
		             c->nin, c->nin == 1 ? "" : "s", n, n == 1 ? "" : "s");
	free(log);
	free(in);
	free(out);
	return rc;
}

/* --- frames back --- */

static int check_exr(const struct call *c, const char *path, const struct view *v)
{
	struct exr_info info;
	const struct state *s = c->n->state;
	double xy[8], d;
	int rc = 0;
	if (exr_probe(path, &info, c->err) < 0) return -1;
	struct rect r = info.fmt.display;
	if (rect_w(r) != rect_w(v->r) || rect_h(r) != rect_h(v->r) || r.x0 || r.y0)
		rc = err_set(c->err, E_INPUT, "%s: its window is %d,%d %d x %d; 0,0 %d x %d was asked for",
		             path, r.x0, r.y0, rect_w(r), rect_h(r), rect_w(v->r), rect_h(v->r));
	for (int k = 0; k < c->n->out->nch && rc == 0; k++)
		if (format_channel(&info.fmt, c->n->out->ch[k]) < 0)
			rc = err_set(c->err, E_INPUT, "%s: it has no channel %s", path, c->n->out->ch[k]);
	colour_primaries(s->space, xy);
	for (int k = 0; k < 8 && rc == 0 && info.has_chroma; k++)
		if ((d = info.chroma[k] - xy[k]) > 2e-3 || d < -2e-3)
			rc = err_set(c->err, E_INPUT, "%s: its primaries are not those of %s: say with color= "
			             "what it gives back", path, colour_name(s->space));
	if (rc == 0) rc = exr_readable(path, &info, c->err);
	exr_info_free(&info);
	return rc;
}

static int fetch(const struct call *c, const char *path)
{
	const struct external *p = c->n->v;
	struct format g = *c->n->out;
	struct view v = *c->out;
	int a = format_channel(&g, "A");
	g.data = g.display = v.r = rect_of(0, 0, rect_w(c->out->r), rect_h(c->out->r));
	if (p->format == FORMAT_PNG) {
		if (external_png(path, &v, a >= 0, c->err) < 0) return -1;
	} else if (check_exr(c, path, &v) < 0 || exr_read(path, &g, &v, c->err) < 0) return -1;
	for (int k = 0; k < 3 && a >= 0; k++)
		for (int y = 0; y < rect_h(v.r); y++)
			for (int x = 0; x < rect_w(v.r); x++) *view_at(&v, k, x, y) *= *view_at(&v, a, x, y);
	return 0;
}

static int frame(const struct call *c)
{
	const struct external *p = c->n->v;
	struct state *s = c->n->state;
	int rc;
	if (!external_allowed(c->n->leave, s->program)) return external_refuse(c->n->leave, s->program, c->err);
	if (make_folder(c) < 0 || check_version(c) < 0) return -1;
	if (!s->ran && produce(c) < 0) {
		external_remove(&s->folder);
		return -1;
	}
	s->ran = p->mode == MODE_CLIP;
	char *file = frame_file(s, p, "out", c->frame);
	rc = fetch(c, file);
	free(file);
	if (rc < 0 || !s->ran) external_remove(&s->folder), s->ran = false;
	return rc;
}

/* --- what it is --- */

static int content(const struct node_ctx *n, int f, struct sha *sha, struct err *e)
{
	const struct state *s = n->state;
	(void)f;
	(void)e;
	sha_key(sha, &s->sha);
	return 0;
}

static const char *outside(const struct node_ctx *n)
{ return n->state ? ((const struct state *)n->state)->about : NULL; }

static int files(const struct node_ctx *n, int i, char *name, size_t size, const char **path)
{
	const struct state *s = n->state;
	if (!s || i > s->nfile) return 0;
	*path = i ? s->file[i - 1] : s->program;
	snprintf(name, size, "%s", *path);
	return 1;
}

static unsigned traits_of(const struct node_ctx *n)
{
	const struct external *p = n->v;
	return p->scale > 1 ? TR_UPSCALE : p->scale < 1 ? TR_RESIZE : 0u;
}

static size_t reserve(const struct node_ctx *n)
{
	return rect_area(n->in[0]->display) * 4 * 2 * sizeof(float) + ((size_t)8 << 20);
}

static double flops(const struct node_ctx *n)
{
	(void)n;
	return 1e5;
}

const struct node_type ISA(node_external) = {
	.name = "external", .doc = "Runs a program of the user's over the frames: EXR or PNG out, EXR or PNG back.",
	.more = "It runs only where the user allows it, with --allow-external or with a line "
	        "\"allow_external /path/of/program\" in $XDG_CONFIG_HOME/interneg/settings "
	        "(~/.config/interneg/settings); a scene alone never can. There is no shell. The frames "
	        "stand in a private folder in the cache, windows from 0,0, colours not multiplied by "
	        "alpha; what comes back must be as many frames, of the asked size, with R, G, B (and A "
	        "where it was given). A status other than 0, a timeout or anything missing fails the "
	        "frame and shows the last lines that the program said. An interruption ends it with "
	        "its children. The result is an intermediate, keyed by the program's hash, its "
	        "arguments and the frames; the lock names it as outside the promise of equal bits.",
	.category = "image", .version = 1, .size = sizeof(struct external), .params = params, .inputs = "image",
	.flags = NF_TIME, .traits = TR_AI, .traits_of = traits_of, .want_of = want_of,
		.out_space = out_space, .lanes = 1,
	.example = "<external id=\"clean\" in=\"plate\" program=\"tools/restore\" args=\"--input {in} "
	        "--output {out}\" process=\"restore\" version=\"2.1\" program_sha256=\"…\"/>",
	.open = open_program, .close = close_program, .format = format, .needs = needs, .content = content,
	.outside = outside, .files = files, .reserve = reserve, .flops = flops, .frame = frame,
};
