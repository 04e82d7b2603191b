/* px_motion - dense inverse search: pyramids, patches and their densification.
 *
 * Sums over a patch are eight columns, added up in one fixed tree, so that any
 * vector width gives the same bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_MOTION_H
#define IN_PX_MOTION_H

#include <string.h>

#include "motion_job.h"
#include "px_math.h"

/* Patch side; replicated pixels around a level's pictures; most levels. */
enum { MO_PATCH = 8, MO_BORDER = 16, MO_LEVELS = 12 };
#define MO_WHITE 255.0f                 /* what 1 becomes: thresholds are in 8-bit codes */

typedef int mo8i __attribute__((vector_size(32)));
typedef float mo8 __attribute__((vector_size(32), aligned(4), may_alias));
#define mo8_load(p) (*(const mo8 *)(const void *)(p))
#define mo8_store(p, v) (*(mo8 *)(void *)(p) = (v))

struct mo_plane { float *p; ptrdiff_t pitch; };       /* p: pixel (0, 0) */

struct mo_setup { int finest, stride, iterations, outer, inner; };
IN_INLINE struct mo_setup mo_setup_of(int quality)
{
	if (quality == MOTION_FAST) return (struct mo_setup){ 2, 4, 16, 5, 5 };
	if (quality == MOTION_MEDIUM) return (struct mo_setup){ 1, 3, 16, 5, 5 };
	return (struct mo_setup){ 0, 3, 16, 5, 5 };
}

/* One level. from, to, gx, gy have borders; u, v (the flow) and the sums have
 * MO_PATCH more columns on both sides and as many rows below. */
struct mo_level { int w, h; struct mo_plane from, to, gx, gy, u, v, bu, bv; };
struct mo {
	struct mo_setup s;
	int top, finest;
	struct mo_level l[MO_LEVELS];
	float *pu, *pv;                      /* flow of the patches of the level at hand */
	struct mo_plane su, sv, sw;
	float *work;                         /* for refinement (px_motion_refine.h) */
	const atomic_int *cancel;
};

IN_INLINE size_t mo_up16(size_t n) { return (n + 15) & ~(size_t)15; }
IN_INLINE ptrdiff_t mo_pitch(int w) { return (ptrdiff_t)mo_up16((size_t)w + 2 * MO_BORDER); }
IN_INLINE size_t mo_bordered(int w, int h) { return (size_t)mo_pitch(w) * (size_t)(h + 2 * MO_BORDER) + 16; }
IN_INLINE ptrdiff_t mo_flow_pitch(int w) { return (ptrdiff_t)mo_up16((size_t)w + 2 * MO_PATCH); }
IN_INLINE size_t mo_flow_area(int w, int h)
{ return (size_t)mo_flow_pitch(w) * (size_t)(h + 2 * MO_PATCH) + 16; }

/* Places along an axis of n pixels: every stride, and a last one at the end. */
IN_INLINE int mo_places(int n, int stride)
{ return n <= MO_PATCH ? 1 : 1 + (n - MO_PATCH + stride - 1) / stride; }
IN_INLINE int mo_place(int i, int n, int stride)
{
	int at = i * stride, last = n - MO_PATCH;
	return at <= last ? at : last > 0 ? last : 0;
}

/* Takes n floats of the scratch, or only counts them (base NULL). */
struct mo_take { float *base; size_t at; };
IN_INLINE float *mo_take(struct mo_take *t, size_t n)
{
	float *p = t->base ? t->base + t->at : NULL;
	t->at += mo_up16(n);
	return p;
}
IN_INLINE struct mo_plane mo_take_bordered(struct mo_take *t, int w, int h)
{
	float *p = mo_take(t, mo_bordered(w, h));
	ptrdiff_t pitch = mo_pitch(w);
	return (struct mo_plane){ p ? p + MO_BORDER * pitch + MO_BORDER : NULL, pitch };
}
IN_INLINE struct mo_plane mo_take_flow(struct mo_take *t, int w, int h)
{
	float *p = mo_take(t, mo_flow_area(w, h));
	return (struct mo_plane){ p ? p + MO_PATCH : NULL, mo_flow_pitch(w) };
}

/* Levels halve, rounding up, while the longer side keeps about 28 pixels and the shorter 8. */
static IN_UNUSED size_t px_motion_layout(struct mo *m, int w, int h, int quality, float *base, size_t refine)
{
	struct mo_take t = { base, 0 };
	m->s = mo_setup_of(quality);
	for (m->top = 0; m->top + 1 < MO_LEVELS; m->top++) {
		int big = w > h ? w : h, small = w > h ? h : w, k = m->top + 1;
		if ((big >> k) < 28 || (small >> k) < MO_PATCH) break;
	}
	m->finest = m->s.finest < m->top ? m->s.finest : m->top;
	for (int i = 0; i <= m->top; i++) {
		struct mo_level *l = &m->l[i];
		l->w = i ? (m->l[i - 1].w + 1) / 2 : w;
		l->h = i ? (m->l[i - 1].h + 1) / 2 : h;
		if (i == 0 && m->finest > 0) continue;
		l->from = mo_take_bordered(&t, l->w, l->h);
		l->to = mo_take_bordered(&t, l->w, l->h);
		if (i < m->finest) continue;
		l->gx = mo_take_bordered(&t, l->w, l->h);
		l->gy = mo_take_bordered(&t, l->w, l->h);
		l->u = mo_take_flow(&t, l->w, l->h);
		l->v = mo_take_flow(&t, l->w, l->h);
	}
	struct mo_level *f = &m->l[m->finest];
	f->bu = mo_take_flow(&t, f->w, f->h);
	f->bv = mo_take_flow(&t, f->w, f->h);
	m->su = mo_take_flow(&t, f->w, f->h);
	m->sv = mo_take_flow(&t, f->w, f->h);
	m->sw = mo_take_flow(&t, f->w, f->h);
	size_t n = (size_t)mo_places(f->w, m->s.stride) * (size_t)mo_places(f->h, m->s.stride);
	m->pu = mo_take(&t, n);
	m->pv = mo_take(&t, n);
	m->work = mo_take(&t, refine);
	return t.at;
}

/* --- pyramid --- */

static IN_UNUSED void mo_border(struct mo_plane q, int w, int h)
{
	for (int y = 0; y < h; y++) {
		float *r = q.p + y * q.pitch;
		for (int i = 1; i <= MO_BORDER; i++) r[-i] = r[0], r[w - 1 + i] = r[w - 1];
	}
	size_t n = (size_t)(w + 2 * MO_BORDER) * sizeof(float);
	for (int i = 1; i <= MO_BORDER; i++) {
		memcpy(q.p - i * q.pitch - MO_BORDER, q.p - MO_BORDER, n);
		memcpy(q.p + (h - 1 + i) * q.pitch - MO_BORDER, q.p + (h - 1) * q.pitch - MO_BORDER, n);
	}
}

/* NaN: the lower end. */
IN_INLINE float mo_code(float v)
{ return (v > -1.0f ? v < 3.0f ? v : 3.0f : v == v ? -1.0f : 0.0f) * MO_WHITE; }

/* The first row pair straight from the caller's plane, of n pixels. */
static IN_UNUSED void mo_halve_source(const float *a, const float *b, int n, float *IN_RESTRICT d, int dn)
{
	for (int x = 0; x < n / 2; x++)
		d[x] = 0.25f * ((mo_code(a[2 * x]) + mo_code(a[2 * x + 1])) + (mo_code(b[2 * x]) + mo_code(b[2 * x + 1])));
	if (n & 1) d[dn - 1] = 0.5f * (mo_code(a[n - 1]) + mo_code(b[n - 1]));
}
static IN_UNUSED void mo_halve(const float *a, const float *b, int n, float *IN_RESTRICT d, int dn)
{
	for (int x = 0; x < n / 2; x++) d[x] = 0.25f * ((a[2 * x] + a[2 * x + 1]) + (b[2 * x] + b[2 * x + 1]));
	if (n & 1) d[dn - 1] = 0.5f * (a[n - 1] + b[n - 1]);
}

static IN_UNUSED void mo_pyramid(struct mo *m, const float *src, ptrdiff_t pitch, bool to)
{
	if (m->finest == 0) {
		struct mo_plane q = to ? m->l[0].to : m->l[0].from;
		for (int y = 0; y < m->l[0].h; y++)
			for (int x = 0; x < m->l[0].w; x++) q.p[y * q.pitch + x] = mo_code(src[y * pitch + x]);
		mo_border(q, m->l[0].w, m->l[0].h);
	}
	for (int i = 1; i <= m->top; i++) {
		struct mo_level *l = &m->l[i], *o = l - 1;
		struct mo_plane d = to ? l->to : l->from, s = to ? o->to : o->from;
		for (int y = 0; y < l->h; y++) {
			int b = 2 * y + 1 < o->h ? 2 * y + 1 : 2 * y;
			float *row = d.p + y * d.pitch;
			if (i == 1 && m->finest > 0) mo_halve_source(src + 2 * y * pitch, src + b * pitch, o->w, row, l->w);
			else mo_halve(s.p + 2 * y * s.pitch, s.p + b * s.pitch, o->w, row, l->w);
		}
		mo_border(d, l->w, l->h);
	}
}

/* Sobel's derivatives, per pixel; a frame of two pixels beyond the picture too, for
 * patches at the rim of small ones. */
static IN_UNUSED void mo_gradients(const struct mo_level *l)
{
	const struct mo_plane s = l->from;
	for (int y = 0; y < l->h + MO_PATCH; y++) {
		const float *a = s.p + (y - 1) * s.pitch, *b = a + s.pitch, *c = b + s.pitch;
		float *IN_RESTRICT gx = l->gx.p + y * l->gx.pitch, *IN_RESTRICT gy = l->gy.p + y * l->gy.pitch;
		for (int x = 0; x < l->w + MO_PATCH; x++) {
			gx[x] = 0.125f * (((a[x + 1] - a[x - 1]) + (c[x + 1] - c[x - 1])) + 2.0f * (b[x + 1] - b[x - 1]));
			gy[x] = 0.125f * (((c[x - 1] - a[x - 1]) + (c[x + 1] - a[x + 1])) + 2.0f * (c[x] - a[x]));
		}
	}
}

/* --- patches --- */

struct mo_patch {
	const struct mo_level *l;
	const float *t, *gx, *gy;            /* of the patch's first pixel */
	int x, y;
	/* inverse of the mean-normalised structure tensor; sums of the gradients */
	float i11, i12, i22, mx, my;
};
struct mo_sums { float ssd, bx, by; };

/* Sums of the lanes of four vectors. */
IN_INLINE v4f mo_fold(const mo8 *a)
{
	v4f s[4];
	for (int i = 0; i < 4; i++) {
		v4f lo = __builtin_shufflevector(a[i], a[i], 0, 1, 2, 3),
			hi = __builtin_shufflevector(a[i], a[i], 4, 5, 6, 7);
		s[i] = lo + hi;
	}
	v4f p = v4f_mix(s[0], s[1], 0, 4, 1, 5) + v4f_mix(s[0], s[1], 2, 6, 3, 7);
	v4f q = v4f_mix(s[2], s[3], 0, 4, 1, 5) + v4f_mix(s[2], s[3], 2, 6, 3, 7);
	return v4f_mix(p, q, 0, 1, 4, 5) + v4f_mix(p, q, 2, 3, 6, 7);
}

/* Where a patch at (x, y) moved by (u, v) is read: whole and broken part, kept within the border. */
struct mo_at { const float *p; float fx, fy; };
IN_INLINE struct mo_at mo_at(const struct mo_level *l, int x, int y, float u, float v)
{
	float px = px_clamp((float)x + u, 1 - MO_BORDER, (float)(l->w + MO_BORDER - MO_PATCH - 2));
	float py = px_clamp((float)y + v, 1 - MO_BORDER, (float)(l->h + MO_BORDER - MO_PATCH - 2));
	float qx = px_floor(px), qy = px_floor(py);
	return (struct mo_at){ l->to.p + (ptrdiff_t)qy * l->to.pitch + (ptrdiff_t)qx, px - qx, py - qy };
}

/* Error of the patch moved by (u, v), and the right side of the step from there. */
IN_INLINE struct mo_sums mo_look(const struct mo_patch *k, float u, float v)
{
	struct mo_at at = mo_at(k->l, k->x, k->y, u, v);
	ptrdiff_t pitch = k->l->to.pitch, gp = k->l->gx.pitch, tp = k->l->from.pitch;
	mo8 fx = at.fx - (mo8){ 0 }, fy = at.fy - (mo8){ 0 }, sum[4] = { { 0 } };
	mo8 last = mo8_load(at.p) + (mo8_load(at.p + 1) - mo8_load(at.p)) * fx;
	for (int i = 0; i < MO_PATCH; i++) {
		const float *r = at.p + (i + 1) * pitch;
		mo8 next = mo8_load(r) + (mo8_load(r + 1) - mo8_load(r)) * fx;
		mo8 d = (last + (next - last) * fy) - mo8_load(k->t + i * tp);
		sum[0] += d;
		sum[1] += d * d;
		sum[2] += d * mo8_load(k->gx + i * gp);
		sum[3] += d * mo8_load(k->gy + i * gp);
		last = next;
	}
	v4f s = mo_fold(sum);
	float mean = s[0] * (1.0f / 64.0f);
	return (struct mo_sums){ s[1] - s[0] * mean, s[2] - k->mx * mean, s[3] - k->my * mean };
}

IN_INLINE void mo_patch_open(struct mo_patch *k, const struct mo_level *l, int x, int y)
{
	ptrdiff_t gp = l->gx.pitch;
	mo8 sum[4] = { { 0 } }, more[4] = { { 0 } };
	*k = (struct mo_patch){ .l = l, .x = x, .y = y, .t = l->from.p + y * l->from.pitch + x,
		.gx = l->gx.p + y * gp + x, .gy = l->gy.p + y * gp + x };
	for (int i = 0; i < MO_PATCH; i++) {
		mo8 a = mo8_load(k->gx + i * gp), b = mo8_load(k->gy + i * gp);
		sum[0] += a * a;
		sum[1] += a * b;
		sum[2] += b * b;
		sum[3] += a;
		more[0] += b;
	}
	v4f s = mo_fold(sum), t = mo_fold(more);
	k->mx = s[3];
	k->my = t[0];
	float xx = s[0] - k->mx * k->mx * (1.0f / 64.0f), xy = s[1] - k->mx * k->my * (1.0f / 64.0f);
	float yy = s[2] - k->my * k->my * (1.0f / 64.0f), det = xx * yy - xy * xy;
	float inv = 1.0f / (det > 1e-3f ? det : 1e-3f);
	k->i11 = yy * inv;
	k->i12 = -xy * inv;
	k->i22 = xx * inv;
}

/* Steps from (u, v) while the error falls; the best place goes back. A walk further than a patch is none. */
IN_INLINE void mo_descend(const struct mo_patch *k, int steps, struct mo_sums s, float *u, float *v)
{
	float bu = *u, bv = *v, cu = bu, cv = bv, best = s.ssd;
	for (int i = 0; i < steps; i++) {
		float du = k->i11 * s.bx + k->i12 * s.by, dv = k->i12 * s.bx + k->i22 * s.by;
		cu -= du;
		cv -= dv;
		float ru = cu - *u, rv = cv - *v;
		if (!(ru * ru + rv * rv <= (float)(MO_PATCH * MO_PATCH))) break;
		s = mo_look(k, cu, cv);
		if (!(s.ssd < best)) break;
		best = s.ssd;
		bu = cu;
		bv = cv;
		if (du * du + dv * dv < 1e-4f) break;
	}
	*u = bu;
	*v = bv;
}

/* One patch, starting from the best of its own and its neighbours' motion. */
IN_INLINE void mo_patch_search(const struct mo *m, const struct mo_level *l, int i, int j, int nx,
                               int ny, int dir)
{
	struct mo_patch k;
	int at = j * nx + i, ni = i - dir, nj = j - dir;
	mo_patch_open(&k, l, mo_place(i, l->w, m->s.stride), mo_place(j, l->h, m->s.stride));
	float u = m->pu[at], v = m->pv[at];
	struct mo_sums s = mo_look(&k, u, v);
	int other[2] = { ni >= 0 && ni < nx ? j * nx + ni : -1, nj >= 0 && nj < ny ? nj * nx + i : -1 };
	for (int c = 0; c < 2; c++) {
		if (other[c] < 0) continue;
		float ou = m->pu[other[c]], ov = m->pv[other[c]];
		struct mo_sums o = mo_look(&k, ou, ov);
		if (o.ssd < s.ssd) s = o, u = ou, v = ov;
	}
	mo_descend(&k, m->s.iterations / 2, s, &u, &v);
	m->pu[at] = u;
	m->pv[at] = v;
}

static IN_UNUSED void mo_search(const struct mo *m, const struct mo_level *l)
{
	int nx = mo_places(l->w, m->s.stride), ny = mo_places(l->h, m->s.stride), n = nx * ny;
	for (int j = 0; j < ny; j++)
		for (int i = 0; i < nx; i++) {
			int x = mo_place(i, l->w, m->s.stride) + MO_PATCH / 2, y = mo_place(j, l->h, m->s.stride) + MO_PATCH / 2;
			x = x < l->w ? x : l->w - 1;
			y = y < l->h ? y : l->h - 1;
			m->pu[j * nx + i] = l->u.p[y * l->u.pitch + x];
			m->pv[j * nx + i] = l->v.p[y * l->v.pitch + x];
		}
	for (int k = 0; k < n; k++) mo_patch_search(m, l, k % nx, k / nx, nx, ny, 1);
	for (int k = n - 1; k >= 0; k--) mo_patch_search(m, l, k % nx, k / nx, nx, ny, -1);
}

/* --- densification: what patches say of a pixel, weighed by how well each fits there --- */

IN_INLINE void mo_spread(const struct mo *m, const struct mo_level *l, int x, int y, float u, float v)
{
	struct mo_at at = mo_at(l, x, y, u, v);
	mo8 fx = at.fx - (mo8){ 0 }, fy = at.fy - (mo8){ 0 }, one = 1.0f - (mo8){ 0 };
	mo8 last = mo8_load(at.p) + (mo8_load(at.p + 1) - mo8_load(at.p)) * fx;
	for (int i = 0; i < MO_PATCH; i++) {
		const float *r = at.p + (i + 1) * l->to.pitch;
		ptrdiff_t o = (y + i) * m->sw.pitch + x;
		mo8 next = mo8_load(r) + (mo8_load(r + 1) - mo8_load(r)) * fx;
		mo8 d = (last + (next - last) * fy) - mo8_load(l->from.p + (y + i) * l->from.pitch + x);
		d = (mo8)((mo8i)d & 0x7fffffff);
		mo8i more = d > one;
		mo8 w = one / (mo8)((more & (mo8i)d) | (~more & (mo8i)one));
		mo8_store(m->sw.p + o, mo8_load(m->sw.p + o) + w);
		mo8_store(m->su.p + o, mo8_load(m->su.p + o) + w * u);
		mo8_store(m->sv.p + o, mo8_load(m->sv.p + o) + w * v);
		last = next;
	}
}

static IN_UNUSED void mo_densify(const struct mo *m, const struct mo_level *l)
{
	int nx = mo_places(l->w, m->s.stride), ny = mo_places(l->h, m->s.stride);
	size_t rows = (size_t)(l->h + MO_PATCH) * (size_t)m->sw.pitch * sizeof(float);
	memset(m->sw.p - MO_PATCH, 0, rows);
	memset(m->su.p - MO_PATCH, 0, rows);
	memset(m->sv.p - MO_PATCH, 0, rows);
	for (int j = 0; j < ny; j++)
		for (int i = 0; i < nx; i++)
			mo_spread(m, l, mo_place(i, l->w, m->s.stride), mo_place(j, l->h, m->s.stride), m->pu[j * nx + i],
			          m->pv[j * nx + i]);
	for (int y = 0; y < l->h; y++) {
		const float *w = m->sw.p + y * m->sw.pitch, *su = m->su.p + y * m->su.pitch,
			*sv = m->sv.p + y * m->sv.pitch;
		float *IN_RESTRICT u = l->u.p + y * l->u.pitch, *IN_RESTRICT v = l->v.p + y * l->v.pitch;
		for (int x = 0; x < l->w; x++) {
			float inv = 1.0f / w[x];
			u[x] = su[x] * inv;
			v[x] = sv[x] * inv;
		}
	}
}

#endif
