/* cuts - see cuts.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cuts.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "motion.h"
#include "px_math.h"

/* The longer side that pictures are reduced to; frames kept at hand; bins of luma and of each chroma. */
enum {
	SIDE = 192, RING = 8, LUMA_BINS = 32, CHROMA_BINS = 16,
	BINS = LUMA_BINS + 2 * CHROMA_BINS, BLOCK = 8
};
/* Frames looked at on both sides of a cut; RING holds them and what lies between. */
enum { AROUND = 3 };
/* Two pictures are of different shots from here on. Neighbours in the clips at hand:
 * single shots reach 0.07, cuts 0.66. */
#define APART 0.4f
/* A cut stands out of the frames beside it by this factor; whip pans do not. */
#define STANDS_OUT 2.5f
/* Correlation at which two pictures, one shifted, are one panned over. Best shifts
 * of unrelated pictures reach 0.8. */
#define PANNED 0.88
/* Standard deviation of luma below which a picture has no structure to follow. */
#define FLAT 0.01

struct small { float *luma, hist[BINS]; bool flat; };
struct cuts {
	int w, h, factor, sw, sh, n, ncut;
	size_t cap, cutcap;
	struct small ring[RING];
	struct cut_pair *pair;
	int *number;
	struct cut *cut;
	float *mem, *acc, *flow[3], *sum[3];
	void *scratch;
	size_t numcap;
	bool ended;
};

struct cuts *cuts_new(int w, int h)
{
	struct cuts *c = xalloc(1, sizeof *c);
	int big = w > h ? w : h, f = (big + SIDE - 1) / SIDE;
	c->w = w;
	c->h = h;
	c->factor = f;
	c->sw = (w + f - 1) / f;
	c->sh = (h + f - 1) / f;
	return c;
}

void cuts_free(struct cuts **c)
{
	if (!*c) return;
	free((*c)->mem);
	free((*c)->scratch);
	free((*c)->pair);
	free((*c)->number);
	free((*c)->cut);
	free(*c);
	*c = NULL;
}

static int open_memory(struct cuts *c, struct err *e)
{
	size_t n = ((size_t)c->sw * (size_t)c->sh + 15) & ~(size_t)15,
		bytes = motion_scratch(c->sw, c->sh, MOTION_MEDIUM);
	c->mem = aligned_alloc(64, (((RING + 6) * n + (size_t)c->w) * sizeof(float) + 63) & ~(size_t)63);
	c->scratch = aligned_alloc(64, (bytes + 63) & ~(size_t)63);
	if (!c->mem || !c->scratch) return err_set(e, E_MEMORY, "no memory to look for cuts");
	c->acc = c->mem + (RING + 6) * n;
	for (int i = 0; i < RING; i++) c->ring[i].luma = c->mem + (size_t)i * n;
	for (int i = 0; i < 3; i++) {
		c->flow[i] = c->mem + (size_t)(RING + i) * n;
		c->sum[i] = c->mem + (size_t)(RING + 3 + i) * n;
	}
	return 0;
}

/* A value within 0..1 counts for the two bins beside it. */
static void vote(float *bin, int n, float v)
{
	float at = px_clamp(v, 0.0f, 1.0f) * (float)(n - 1), f = px_floor(at);
	int i = (int)f;
	bin[i] += 1.0f - (at - f);
	if (i + 1 < n) bin[i + 1] += at - f;
}

/* Means over squares of f x f pixels: columns first. */
static void reduce_row(const struct cuts *c, const float *p, int f, int y, float *o)
{
	int y1 = (y + 1) * f < c->h ? (y + 1) * f : c->h, rows = y1 - y * f;
	float *IN_RESTRICT acc = c->acc;
	memset(acc, 0, (size_t)c->w * sizeof *acc);
	for (int j = y * f; j < y1; j++) {
		const float *r = p + (size_t)j * (size_t)c->w;
		for (int x = 0; x < c->w; x++) acc[x] += px_clamp(r[x], -0.5f, 1.5f);
	}
	for (int x = 0; x < c->sw; x++) {
		int x1 = (x + 1) * f < c->w ? (x + 1) * f : c->w;
		float sum = 0;
		for (int i = x * f; i < x1; i++) sum += acc[i];
		o[x] = sum / (float)(rows * (x1 - x * f));
	}
}

static void reduce(struct cuts *c, const float *const rgb[3])
{
	for (int k = 0; k < 3; k++)
		for (int y = 0; y < c->sh; y++) reduce_row(c, rgb[k], c->factor, y, c->sum[k] + y * c->sw);
}

static void describe(struct cuts *c, struct small *s)
{
	int n = c->sw * c->sh;
	memset(s->hist, 0, sizeof s->hist);
	for (int i = 0; i < n; i++) {
		float r = c->sum[0][i], g = c->sum[1][i], b = c->sum[2][i], y = 0.2126f * r + 0.7152f * g + 0.0722f * b;
		s->luma[i] = y;
		vote(s->hist, LUMA_BINS, y);
		vote(s->hist + LUMA_BINS, CHROMA_BINS, 0.5f + (b - y) * 1.2f);
		vote(s->hist + LUMA_BINS + CHROMA_BINS, CHROMA_BINS, 0.5f + (r - y) * 1.2f);
	}
	double mean = 0, square = 0;
	for (int i = 0; i < n; i++) mean += (double)s->luma[i], square += (double)s->luma[i] * (double)s->luma[i];
	s->flat = square / n - (mean / n) * (mean / n) < FLAT * FLAT;
	for (int i = 0; i < BINS; i++) s->hist[i] /= (float)n;
}

static float chi2(const float *a, const float *b, int n)
{
	float sum = 0;
	for (int i = 0; i < n; i++) {
		float d = a[i] - b[i], s = a[i] + b[i];
		if (s > 0) sum += d * d / s;
	}
	return 0.5f * sum;
}

/* `to` where the flow leads from (x, y). */
static float moved(const struct cuts *c, const float *to, int x, int y)
{
	int at = y * c->sw + x;
	float px = px_clamp((float)x + c->flow[0][at], 0.0f, (float)(c->sw - 1));
	float py = px_clamp((float)y + c->flow[1][at], 0.0f, (float)(c->sh - 1));
	int x0 = (int)px, y0 = (int)py, x1 = x0 + 1 < c->sw ? x0 + 1 : x0, y1 = y0 + 1 < c->sh ? y0 + 1 : y0;
	float fx = px - (float)x0, fy = py - (float)y0;
	const float *a = to + y0 * c->sw, *b = to + y1 * c->sw;
	float top = a[x0] + (a[x1] - a[x0]) * fx, bot = b[x0] + (b[x1] - b[x0]) * fx;
	return top + (bot - top) * fy;
}

/* Variances of a block of a, of b as it moved there, and of their difference. */
static void block(const struct cuts *c, const float *a, const float *b, int bx, int by, double v[3])
{
	float s[3] = { 0 }, q[3] = { 0 }, n = 0;
	for (int y = by; y < by + BLOCK && y < c->sh; y++)
		for (int x = bx; x < bx + BLOCK && x < c->sw; x++, n += 1.0f) {
			float p[3] = { a[y * c->sw + x], moved(c, b, x, y) };
			p[2] = p[0] - p[1];
			for (int k = 0; k < 3; k++) s[k] += p[k], q[k] += p[k] * p[k];
		}
	for (int k = 0; k < 3; k++) {
		float var = q[k] - s[k] * s[k] / n;
		v[k] += (double)(var > 0 ? var : 0);
	}
}

static struct cut_pair compare(struct cuts *c, const struct small *a, const struct small *b)
{
	struct cut_pair p;
	struct motion_job j = { .from = a->luma, .to = b->luma, .pitch = c->sw, .w = c->sw, .h = c->sh,
		.quality = MOTION_MEDIUM,
		.dx = c->flow[0], .dy = c->flow[1], .confidence = c->flow[2], .out_pitch = c->sw, .scratch = c->scratch };
	double v[3] = { 0 }, trust = 0;
	motion_estimate(&j);
	for (int y = 0; y < c->sh; y += BLOCK)
		for (int x = 0; x < c->sw; x += BLOCK) block(c, a->luma, b->luma, x, y, v);
	for (int i = 0; i < c->sw * c->sh; i++) trust += (double)c->flow[2][i];
	/* noise of a code or two is no structure */
	double floor = 2e-5 * c->sw * c->sh;
	p.structure = (float)(v[2] / (v[0] + v[1] + floor));
	p.lost = (float)(1 - trust / (c->sw * c->sh));
	p.histogram = (chi2(a->hist, b->hist, LUMA_BINS) +
	               chi2(a->hist + LUMA_BINS, b->hist + LUMA_BINS, CHROMA_BINS) +
	               chi2(a->hist + LUMA_BINS + CHROMA_BINS, b->hist + LUMA_BINS + CHROMA_BINS,
	                    CHROMA_BINS)) / 3;
	if (p.structure > 1) p.structure = 1;
	if (a->flat || b->flat) p.lost = chi2(a->hist, b->hist, LUMA_BINS);       /* nothing to follow */
	if (a->flat && b->flat) p.structure = p.lost;
	return p;
}

static float score(struct cut_pair p) { return p.structure * p.lost; }

static bool alike(struct cuts *c, int a, int b)
{
	return score(compare(c, &c->ring[a % RING], &c->ring[b % RING])) < APART;
}

/* The middle one of the scores beside t. */
static float beside(const struct cuts *c, int t)
{
	float v[2 * AROUND];
	int n = 0;
	for (int i = t - AROUND; i <= t + AROUND; i++) {
		if (i == t || i < 1 || i >= c->n) continue;
		float s = score(c->pair[i]);
		int k = n++;
		for (; k > 0 && v[k - 1] > s; k--) v[k] = v[k - 1];
		v[k] = s;
	}
	return n ? v[n / 2] : 0;
}

/* Thumbs for pans: means over 4 x 4 pixels of the small picture. */
enum { THUMB = 4, THUMB_SIDE = SIDE / THUMB };
struct thumb_luma { int w, h; float v[THUMB_SIDE * THUMB_SIDE]; };
static void thumb_of(const struct cuts *c, const float *luma, struct thumb_luma *t)
{
	t->w = c->sw / THUMB;
	t->h = c->sh / THUMB;
	for (int y = 0; y < t->h; y++)
		for (int x = 0; x < t->w; x++) {
			float sum = 0;
			for (int j = 0; j < THUMB; j++)
				for (int i = 0; i < THUMB; i++) sum += luma[(y * THUMB + j) * c->sw + x * THUMB + i];
			t->v[y * t->w + x] = sum / (THUMB * THUMB);
		}
}

/* Correlation of what overlaps when b lies at (dx, dy) of a. */
static double overlap(const struct thumb_luma *a, const struct thumb_luma *b, int dx, int dy)
{
	double s[5] = { 0 };
	int x0 = dx > 0 ? dx : 0, x1 = dx > 0 ? a->w : a->w + dx, y0 = dy > 0 ? dy : 0,
		y1 = dy > 0 ? a->h : a->h + dy;
	for (int y = y0; y < y1; y++) {
		const float *p = a->v + y * a->w, *q = b->v + (y - dy) * a->w - dx;
		float r[5] = { 0 };
		for (int x = x0; x < x1; x++) {
			r[0] += p[x];
			r[1] += q[x];
			r[2] += p[x] * p[x];
			r[3] += q[x] * q[x];
			r[4] += p[x] * q[x];
		}
		for (int k = 0; k < 5; k++) s[k] += (double)r[k];
	}
	double n = (x1 - x0) * (y1 - y0), va = s[2] - s[0] * s[0] / n, vb = s[3] - s[1] * s[1] / n,
		co = s[4] - s[0] * s[1] / n;
	double least = FLAT * FLAT * n;
	return co > 0 && va > least && vb > least ? co * co / (va * vb) : 0;
}

/* A whip pan moves further than flow can follow, but all at once: half of the picture is still there. */
static bool panned(const struct cuts *c, const float *from, const float *to)
{
	struct thumb_luma a, b;
	double best = 0;
	thumb_of(c, from, &a);
	thumb_of(c, to, &b);
	if (a.w < 8 || a.h < 8) return false;
	for (int dy = -a.h / 2; dy <= a.h / 2; dy++)
		for (int dx = -a.w / 2; dx <= a.w / 2; dx++) {
			if (2 * (a.w - abs(dx)) * (a.h - abs(dy)) < a.w * a.h) continue;
			double o = overlap(&a, &b, dx, dy);
			if (o > best) best = o;
		}
	return best > PANNED * PANNED;
}

/* Does a shot begin at t? Frames t - 1 - AROUND to t + AROUND are at hand, where the clip has them.
 * What comes back within AROUND frames was a flash or a damaged frame. */
static void judge(struct cuts *c, int t)
{
	if (t < 1 || t >= c->n) return;
	float s = score(c->pair[t]);
	if (s < APART || s < STANDS_OUT * beside(c, t)) return;
	for (int k = 1; k <= AROUND; k++) {
		if (t + k < c->n && alike(c, t - 1, t + k)) return;
		if (t - 1 - k >= 0 && alike(c, t - 1 - k, t)) return;
	}
	if (panned(c, c->ring[(t - 1) % RING].luma, c->ring[t % RING].luma)) return;
	c->cut = grow(c->cut, (size_t)c->ncut, &c->cutcap, sizeof *c->cut);
	c->cut[c->ncut++] = (struct cut){ c->number[t], s, c->pair[t] };
}

int cuts_add(struct cuts *c, int frame, const float *const rgb[3], struct err *e)
{
	if (!c->mem && open_memory(c, e) < 0) return -1;
	struct small *s = &c->ring[c->n % RING];
	reduce(c, rgb);
	describe(c, s);
	c->pair = grow(c->pair, (size_t)c->n, &c->cap, sizeof *c->pair);
	c->number = grow(c->number, (size_t)c->n, &c->numcap, sizeof *c->number);
	c->number[c->n] = frame;
	c->pair[c->n] = c->n ? compare(c, &c->ring[(c->n - 1) % RING], s) : (struct cut_pair){ 0 };
	c->n++;
	judge(c, c->n - 1 - AROUND);
	return 0;
}

const struct cut *cuts_end(struct cuts *c, int *n)
{
	for (int t = c->n - AROUND; t < c->n && !c->ended; t++) judge(c, t);
	c->ended = true;
	*n = c->ncut;
	return c->cut;
}

const struct cut_pair *cuts_pairs(const struct cuts *c, int *n)
{
	*n = c->n;
	return c->pair;
}
