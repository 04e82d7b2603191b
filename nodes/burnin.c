/* burnin - text burnt into the corners of a picture: shot, timecodes, revision, approval state.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "draw.h"
#include "mathx.h"
#include "node.h"
#include "timecode.h"

struct burnin {
	const char *top_left, *top_right, *bottom_left, *bottom_right, *start;
	int size;
	double opacity;
	const char *cuts, *rev, *state;
};

enum { CORNERS = 4, TEXT_MAX = 200, NAME_MAX_LEN = 80 };

static const struct param params[] = {
	P_STRING(burnin, top_left, "{shot}", PF_MARKS, "Text in that corner; empty: none."),
	P_STRING(burnin, top_right, "{state}  {rev}", PF_MARKS, "Text in that corner."),
	P_STRING(burnin, bottom_left, "SRC {source} {source_tc}", PF_MARKS, "Text in that corner."),
	P_STRING(burnin, bottom_right, "REC {tc}", PF_MARKS, "Text in that corner."),
	P_STRING(burnin, start, "01:00:00:00", PF_STATIC, "Record timecode of the first frame; HH:MM:SS;FF: "
	         "drop-frame, at 29.97 and 59.94."),
	P_INT(burnin, size, 0, 0, DRAW_MAX_SIZE, "", 0,
	      "Size of the letters; 0: by the height of the picture."),
	P_FLOAT(burnin, opacity, 0.6, 0, 1, "share", "Of the plate behind the letters."),
	P_STRING(burnin, cuts, "", PF_STATIC | PF_HIDDEN,
	         "Which shot and source frame stands where; filled in by the program."),
	P_STRING(burnin, rev, "", PF_STATIC | PF_HIDDEN,
	         "git's description of the scene; filled in by the program."),
	P_STRING(burnin, state, "", PF_STATIC | PF_HIDDEN,
	         "Which approvals hold; filled in by the program."),
	P_END
};

/* Frames first .. first + count - 1 show source frames from on, step apart; fps below 0: drop-frame. Immutable
 * after open. */
struct cut { int first, count, from, step, fps; char shot[NAME_MAX_LEN], source[NAME_MAX_LEN]; };
struct state { struct cut *v; int n; struct timecode start; };

static struct rational rate(const struct node_ctx *n)
{ return n->out && n->out->fps.num > 0 ? n->out->fps : n->fps; }

static int read_cuts(struct state *s, const char *text, struct err *e)
{
	size_t cap = 0;
	for (const char *p = text; *p; ) {
		struct cut c;
		int used = 0;
		if (sscanf(p, "%d %d %d %d %d %79s %79s%n", &c.first, &c.count, &c.from, &c.step, &c.fps,
		           c.shot, c.source, &used) != 7)
			return err_set(e, E_SCENE, "cuts: \"%.40s\" is no cut", p);
		p += used;
		p += strspn(p, " ;");
		s->v = grow(s->v, (size_t)s->n, &cap, sizeof *s->v);
		s->v[s->n++] = c;
	}
	return 0;
}

static int open_state(struct node_ctx *n, struct err *e)
{
	const struct burnin *p = n->v;
	struct timecode t;
	if (timecode_read("start", p->start, rate(n), &t, e) < 0) return -1;
	struct state *s = xalloc(1, sizeof *s);
	n->state = s;
	s->start = t;
	return read_cuts(s, p->cuts, e);
}

static void close_state(struct node_ctx *n)
{
	struct state *s = n->state;
	if (s) free(s->v);
	free(s);
	n->state = NULL;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)n;
	out->data = rect_or(out->data, out->display);
	return format_check(out, e);
}

/* --- texts --- */

/* Cuts ascend. */
static const struct cut *cut_at(const struct state *s, int frame)
{
	int lo = 0, hi = s->n;
	while (lo < hi) {
		int mid = lo + (hi - lo) / 2;
		if (s->v[mid].first <= frame) lo = mid + 1;
		else hi = mid;
	}
	const struct cut *c = lo ? &s->v[lo - 1] : NULL;
	return c && frame - c->first < c->count ? c : NULL;
}

/* What a mark of len bytes stands for, or NULL. */
static const char *meaning(const struct call *c, const char *mark, size_t len, char *buf, size_t n)
{
	const struct burnin *p = c->n->v;
	const struct state *s = c->n->state;
	const struct cut *cut = cut_at(s, c->frame);
	if (len == 3 && memcmp(mark, "rev", 3) == 0) return p->rev;
	if (len == 5 && memcmp(mark, "state", 5) == 0) return p->state;
	if (len == 4 && memcmp(mark, "shot", 4) == 0) return cut ? cut->shot : "";
	if (len == 6 && memcmp(mark, "source", 6) == 0) return cut ? cut->source : "";
	if (len == 9 && memcmp(mark, "source_tc", 9) == 0) {
		if (!cut) return "--:--:--:--";
		timecode_label(&(struct timecode){ (int64_t)cut->from + (int64_t)cut->step * (c->frame - cut->first),
		               cut->fps ? abs(cut->fps) : s->start.rate, cut->fps < 0 }, buf, n);
		return buf;
	}
	if (len == 2 && memcmp(mark, "tc", 2) == 0) {
		struct timecode t = s->start;
		t.frame += c->frame - c->n->out->first;
		timecode_label(&t, buf, n);
		return buf;
	}
	return NULL;
}

static void fill_in(const struct call *c, const char *text, char out[TEXT_MAX])
{
	size_t at = 0;
	for (const char *p = text; *p && at + 1 < TEXT_MAX; ) {
		const char *end = *p == '{' ? strchr(p, '}') : NULL, *means = NULL;
		char buf[32];
		if (end) means = meaning(c, p + 1, (size_t)(end - p) - 1, buf, sizeof buf);
		if (!means) { out[at++] = *p++; continue; }
		size_t n = strlen(means), room = TEXT_MAX - 1 - at;
		memcpy(out + at, means, n < room ? n : room);
		at += n < room ? n : room;
		p = end + 1;
	}
	out[at] = 0;
	/* blanks at the ends come from marks that stand for nothing */
	while (at && out[at - 1] == ' ') out[--at] = 0;
	size_t lead = strspn(out, " ");
	memmove(out, out + lead, at - lead + 1);
}

/* --- pixels --- */

/* What white letters are in the signal: 203 nits of pq and 75 % of hlg, as graphics white
 * (BT.2408). */
static float letter_white(int space)
{
	if (space == colour_find("pq")) return 0.58f;
	return space == colour_find("hlg") ? 0.75f : 1.0f;
}

static int fitting(const struct burnin *p, struct rect d, char text[CORNERS][TEXT_MAX])
{
	int size = p->size ? p->size : rect_h(d) >= 1440 ? 4 : rect_h(d) >= 900 ? 3 : 
	           rect_h(d) >= 480 ? 2 : 1;
	for (int i = 0; i < CORNERS; i += 2)
		while (size > 1 && draw_text_width(size, text[i]) + draw_text_width(size, text[i + 1]) + 16 * size >
		                   rect_w(d)) size--;
	return size;
}

/* alpha: letters and plates as what they cover, into planes of alpha. */
static void draw_corners(const struct call *c, const struct canvas *cv, bool alpha)
{
	const struct burnin *p = c->n->v;
	const char *const given[CORNERS] = { p->top_left, p->top_right, p->bottom_left,
	                                    p->bottom_right };
	struct rect d = c->n->out->display;
	char text[CORNERS][TEXT_MAX];
	for (int i = 0; i < CORNERS; i++) fill_in(c, given[i], text[i]);
	int size = fitting(p, d, text), margin = rect_h(d) / 36;
	for (int i = 0; i < CORNERS; i++) {
		int w = draw_text_width(size, text[i]) + 4 * size, h = (DRAW_ASCENT + 2) * size + 4 * size;
		int x = i % 2 ? d.x1 - margin - w : d.x0 + margin;
		int y = i / 2 ? d.y1 - margin - h : d.y0 + margin;
		if (!text[i][0] || rect_empty(rect_and(rect_of(x, y, x + w, y + h), cv->r))) continue;
		uint8_t ink = alpha ? 255 : 235, plate = alpha ? 255 : 0, a = (uint8_t)mx_round(p->opacity * 255);
		draw_label(cv, x, y, size, (struct ink){ ink, ink, ink, 255 },
		           (struct ink){ plate, plate, plate, a }, text[i]);
	}
}

static void copy(const struct call *c, struct rect r)
{
	struct rect have = rect_and(r, c->in[0].r);
	bool some = !rect_empty(have), whole = some && rect_eq(have, r);
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1; y++) {
			float *out = view_at(c->out, k, r.x0, y);
			if (!whole) memset(out, 0, (size_t)rect_w(r) * sizeof *out);
			if (some && y >= have.y0 && y < have.y1)
				memcpy(out + (have.x0 - r.x0), view_at(&c->in[0], k, have.x0, y), (size_t)rect_w(have) * sizeof *out);
		}
}

static int tile(const struct call *c, struct rect r)
{
	static const char *const names[4] = { "R", "G", "B", "A" };
	const struct format *f = c->n->out;
	int ch[4], alpha[3];
	copy(c, r);
	for (int k = 0; k < 4; k++) ch[k] = format_channel(f, names[k]);
	if (ch[0] < 0 || ch[1] < 0 || ch[2] < 0) return 0;
	struct canvas all = canvas_float(c->out, ch, letter_white(f->space)), cv = canvas_clip(&all, r);
	draw_corners(c, &cv, false);
	if (ch[3] < 0) return 0;
	for (int k = 0; k < 3; k++) alpha[k] = ch[3];
	all = canvas_float(c->out, alpha, 1);
	cv = canvas_clip(&all, r);
	cv.plane[1] = cv.plane[2] = NULL;
	draw_corners(c, &cv, true);
	return 0;
}

const struct node_type ISA(node_burnin) = {
	.name = "burnin",
		.doc = "Text burnt into the corners of a picture: shot, timecodes, revision, approval state.",
	.more = "Marks in the texts: {shot} the <use> that is shown (else the source), {tc} the record "
	        "timecode, {source} the file that is shown and {source_tc} its timecode (as the file "
	        "says it, else counted from 0), {rev} git's description of the scene, {state} which approvals hold. "
	        "Any other {…} is an expression, so {frame} is the frame's number. What the marks "
	        "stand for is in the key of this node alone. `lock` and `verify` leave revision and "
	        "state out, since both change when the lock is committed. Letters are white of the "
	        "signal as it comes: place it behind the conversion to the display, or use the preset "
	        "review of write, which does that.",
	.category = "output", .version = 1, .size = sizeof(struct burnin), .params = params,
		.inputs = "image",
	.flags = NF_TIME, .traits = TR_OUTPUT | TR_VIEW, .want = WANT_ANY,
	.example = "<burnin id=\"notes\" in=\"graded\" top_left=\"{shot}\" bottom_right=\"{tc}\"/>",
	.open = open_state, .close = close_state, .format = format, .tile = tile,
};
