/* yuv - planes in memory, and the coefficients of matrix, range and chroma siting.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "yuv.h"

#include <stdlib.h>
#include <string.h>

#include "hashrun.h"
#include "image.h"
#include "mem.h"

static const char *const matrix_names[] =
    { "auto", "rgb", "bt709", "bt601", "bt2020", "fcc", "smpte240m", "ycgco" };
static const char *const range_names[] = { "auto", "limited", "full" };
static const char *const siting_names[] =
    { "auto", "left", "center", "topleft", "top", "bottomleft", "bottom" };

const char *yuv_matrix_name(enum yuv_matrix m) { return matrix_names[m]; }
const char *yuv_range_name(enum yuv_range r) { return range_names[r]; }
const char *yuv_siting_name(enum yuv_siting s) { return siting_names[s]; }

static bool is_chroma(const struct plane_desc *d, int i)
{
	return !d->rgb && (i == 1 || i == 2);
}

int plane_width(const struct plane_desc *d, int i)
{
	return is_chroma(d, i) ? (d->w + (1 << d->lw) - 1) >> d->lw : d->w;
}

int plane_height(const struct plane_desc *d, int i)
{
	return is_chroma(d, i) ? (d->h + (1 << d->lh) - 1) >> d->lh : d->h;
}

bool plane_there(const struct plane_desc *d, int i)
{
	if (i == 3) return d->alpha;
	return i == 0 || !d->gray;
}

/* Places the planes behind mem (NULL: only counts); the bytes they take. */
static size_t lay_planes(struct planes *p, const struct plane_desc *d, char *mem)
{
	size_t elem = d->flt ? sizeof(float) : sizeof(uint16_t), total = 0;
	*p = (struct planes){ .d = *d };
	for (int i = 0; i < 4; i++) {
		if (!plane_there(d, i)) continue;
		p->stride[i] = (plane_width(d, i) + 31) & ~31;
		if (mem && d->flt) p->f[i] = (float *)(void *)(mem + total);
		else if (mem) p->p[i] = (uint16_t *)(void *)(mem + total);
		total += (size_t)p->stride[i] * (size_t)plane_height(d, i) * elem;
		total = (total + 63) & ~(size_t)63;
	}
	return p->bytes = total;
}

size_t planes_bytes(const struct plane_desc *d)
{
	struct planes p;
	return lay_planes(&p, d, NULL);
}

void planes_at(struct planes *p, const struct plane_desc *d, void *mem)
{
	lay_planes(p, d, mem);
}

int planes_new(struct planes *p, const struct plane_desc *d, struct err *e)
{
	memset(p, 0, sizeof *p);
	if (d->w < 1 || d->h < 1 || d->w > IN_MAX_SIDE || d->h > IN_MAX_SIDE
	    || (size_t)d->w * (size_t)d->h > IN_MAX_PIXELS)
		return err_set(e, E_MEMORY, "a picture of %dx%d is over the limit of %d a side and %zu Mpixel",
		               d->w, d->h, IN_MAX_SIDE, IN_MAX_PIXELS >> 20);
	void *mem = aligned_alloc(64, planes_bytes(d));
	if (!mem) return err_set(e, E_MEMORY, "no memory for a picture of %dx%d", d->w, d->h);
	lay_planes(p, d, mem);
	p->mem = mem;
	return 0;
}

void planes_free(struct planes *p)
{
	free(p->mem);
	memset(p, 0, sizeof *p);
}

/* The bytes of a plane's rows one after the other, codes of 8 bits as bytes. */
static struct pixhash plane_hash(const struct planes *p, int i)
{
	size_t w = (size_t)plane_width(&p->d, i), h = (size_t)plane_height(&p->d, i);
	size_t elem = p->d.flt ? 4 : p->d.depth <= 8 ? 1 : 2;
	uint8_t *narrow = elem == 1 ? xalloc(w, 1) : NULL;
	struct pixhash_run run;
	pixhash_begin(&run);
	for (size_t y = 0; y < h; y++) {
		const void *row = p->d.flt ? (const void *)(p->f[i] + (ptrdiff_t)y * p->stride[i])
			: (const void *)(p->p[i] + (ptrdiff_t)y * p->stride[i]);
		if (narrow) {
			const uint16_t *s = row;
			for (size_t x = 0; x < w; x++) narrow[x] = (uint8_t)s[x];
			row = narrow;
		}
		pixhash_add(&run, row, w * elem);
	}
	free(narrow);
	return pixhash_end(&run);
}

void planes_hash(const struct planes *p, struct pixhash *out)
{
	struct pixhash part[4];
	size_t n = 0;
	for (int i = 0; i < 4; i++)
		if (plane_there(&p->d, i)) part[n++] = plane_hash(p, i);
	*out = pixhash_join(part, n);
}

void yuv_weights(enum yuv_matrix m, double *kr, double *kb)
{
	switch (m) {
	case YM_BT601:     *kr = 0.299;  *kb = 0.114; break;
	case YM_BT2020:    *kr = 0.2627; *kb = 0.0593; break;
	case YM_FCC:       *kr = 0.30;   *kb = 0.11; break;
	case YM_SMPTE240M: *kr = 0.212;  *kb = 0.087; break;
	default:           *kr = 0.2126; *kb = 0.0722; break;
	}
}

static void init_matrix(struct yuv_coef *k, enum yuv_matrix m)
{
	if (m == YM_YCGCO) {       /* H.273 equations 30-36: plane 1 is Cg, plane 2 is Co */
		static const float inv[3][2] = { { -1, 1 }, { 1, 0 }, { -1, -1 } };
		static const float fwd[3][3] = { { .25f, .5f, .25f }, { -.25f, .5f, -.25f }, { .5f, 0, -.5f } };
		memcpy(k->inv, inv, sizeof inv);
		memcpy(k->fwd, fwd, sizeof fwd);
		return;
	}
	double kr, kb;
	yuv_weights(m, &kr, &kb);
	double kg = 1 - kr - kb;
	double inv[3][2] = { { 0, 2 * (1 - kr) }, { -2 * (1 - kb) * kb / kg, -2 * (1 - kr) * kr / kg },
	                    { 2 * (1 - kb), 0 } };
	double fwd[3][3] = { { kr, kg, kb },
		{ -kr / (2 * (1 - kb)), -kg / (2 * (1 - kb)), .5 },
		{ .5, -kg / (2 * (1 - kr)), -kb / (2 * (1 - kr)) } };
	for (int c = 0; c < 3; c++) {
		for (int i = 0; i < 2; i++) k->inv[c][i] = (float)inv[c][i];
		for (int i = 0; i < 3; i++) k->fwd[c][i] = (float)fwd[c][i];
	}
}

/* Codes of black, white and the excursion of chroma (H.273 equations 20-29). */
static void init_range(struct yuv_coef *k, const struct plane_desc *d, enum yuv_range r)
{
	if (d->flt) {
		k->yoff = 0; k->yscale = 1; k->coff = 0; k->cscale = 1; k->ascale = 1; k->lo = 0; k->hi = 1;
		return;
	}
	int max = (1 << d->depth) - 1;
	k->ascale = (float)max;
	k->coff = (float)(1 << (d->depth - 1));
	k->lo = 0; k->hi = (float)max;
	if (r != YR_LIMITED || d->depth < 8) {
		k->yoff = 0; k->yscale = (float)max; k->cscale = (float)max;
		return;
	}
	int unit = 1 << (d->depth - 8);
	k->yoff = (float)(16 * unit); k->yscale = (float)(219 * unit); k->cscale = (float)(224 * unit);
	/* sync codes: BT.709 section 4.6, BT.2020 table 5 */
	k->lo = (float)unit; k->hi = (float)(255 * unit - 1);
}

/* Catmull-Rom, the interpolating cubic with a = -1/2 (Keys 1981). */
static double keys(double x)
{
	if (x < 0) x = -x;
	if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
	if (x < 2) return ((-.5 * x + 2.5) * x - 4) * x + 2;
	return 0;
}

/* Taps for output phase p of s: the sample wanted lies at (p - off) / s. */
static void init_tap(struct yuv_tap *t, int p, int s, double off)
{
	double pos = (p - off) / s;
	int i0 = 0;
	while (i0 > pos) i0--;
	while (i0 + 1 <= pos) i0++;
	t->base = i0 - 1;
	for (int k = 0; k < 4; k++) t->w[k] = (float)keys(pos - (i0 - 1 + k));
}

/* The same kernel stretched over s samples: the filter for reducing by s, about offset off. */
static void init_down(float *w, int *first, int *n, int s, double off)
{
	int a = 0, b = 0;
	while (a - 1 > off - 2 * s) a--;
	while (b + 1 < off + 2 * s) b++;
	*first = a;
	*n = b - a + 1;
	for (int k = 0; k < *n; k++) w[k] = (float)(keys((a + k - off) / s) / s);
}

void yuv_coef_init(struct yuv_coef *k, const struct plane_desc *d, enum yuv_matrix m,
                   enum yuv_range r,
                   enum yuv_siting s)
{
	memset(k, 0, sizeof *k);
	k->rgb = d->rgb; k->gray = d->gray; k->alpha = d->alpha;
	k->depth = d->depth; k->lw = d->lw; k->lh = d->lh;
	init_range(k, d, r);
	init_matrix(k, m);
	int sw = 1 << d->lw, sh = 1 << d->lh;
	bool left = s == YS_LEFT || s == YS_TOPLEFT || s == YS_BOTTOMLEFT;
	double hoff = left ? 0 : (sw - 1) / 2.0, voff = (sh - 1) / 2.0;
	if (s == YS_TOPLEFT || s == YS_TOP) voff = 0;
	if (s == YS_BOTTOMLEFT || s == YS_BOTTOM) voff = sh - 1;
	for (int p = 0; p < sw; p++) init_tap(&k->htap[p], p, sw, hoff);
	for (int p = 0; p < sh; p++) {
		/* Interlaced 4:2:0: in field lines, chroma sits at 1/4 (top) or 3/4 (bottom field) of a pair
		 * (H.264 fig. 6-2). */
		init_tap(&k->vtap[0][p], p, sh, voff);
		init_tap(&k->vtap[1][p], p, sh, voff - .25 * (sh - 1));
		init_tap(&k->vtap[2][p], p, sh, voff + .25 * (sh - 1));
	}
	init_down(k->hdown, &k->hfirst, &k->hn, sw, hoff);
	init_down(k->vdown, &k->vfirst, &k->vn, sh, voff);
}
