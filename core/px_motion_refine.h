/* px_motion_refine - variational refinement of one level's flow (Brox et al.
 * 2004, as in dense inverse search).
 *
 * Robust constancy of brightness and of its gradient, robust smoothness; the linear systems
 * by red-black successive over-relaxation. Pixels of one colour of the chessboard lie side
 * by side; all sweeps over a picture go down it at once, each a row behind the one before,
 * so that it passes through the cache once.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_MOTION_REFINE_H
#define IN_PX_MOTION_REFINE_H

#include "px_motion.h"

#define MO_ALPHA 20.0f
#define MO_GAMMA 10.0f
#define MO_DELTA 5.0f
#define MO_OMEGA 1.6f
#define MO_ZETA2 0.01f
#define MO_EPS2 1e-6f

/* Planes of pixels: the picture's derivatives and its change. Two colours of each:
 * increments of the flow, the system. */
enum { MD_X, MD_Y, MD_T, MD_XX, MD_XY, MD_YY, MD_XT, MD_YT, MD_N };
enum { MS_U, MS_V, MS_B1, MS_B2, MS_A12, MS_IU, MS_IV, MS_WR, MS_WD, MS_N };
/* Rows of work: averages, warped, and what a row of the system is made from. */
enum { MR_U, MR_V, MR_B1, MR_B2, MR_A11, MR_A12, MR_A22, MR_WR, MR_WD, MR_UP, MR_N };

struct mo_refine {
	int w, h;
	struct mo_plane d[MD_N], s[MS_N][2];     /* s: a row and a column more all round */
	float *row[MR_N];
	struct mo_plane mean, warped;            /* bordered; live only before d is whole */
};

IN_INLINE ptrdiff_t mo_half_pitch(int w) { return (ptrdiff_t)mo_up16((size_t)(w + 1) / 2 + 24); }

static IN_UNUSED size_t mo_refine_layout(struct mo_refine *q, int w, int h, float *base)
{
	struct mo_take t = { base, 0 };
	q->w = w;
	q->h = h;
	for (int i = 0; i < MD_N; i++) q->d[i] = mo_take_flow(&t, w, h);
	size_t at = t.at;
	q->mean = mo_take_bordered(&t, w, h);
	q->warped = mo_take_bordered(&t, w, h);
	size_t most = t.at;
	t.at = at;
	ptrdiff_t pitch = mo_half_pitch(w);
	for (int i = 0; i < MS_N; i++)
		for (int c = 0; c < 2; c++) {
			float *p = mo_take(&t, (size_t)pitch * (size_t)(h + 2));
			q->s[i][c] = (struct mo_plane){ p ? p + pitch + 8 : NULL, pitch };
		}
	for (int i = 0; i < MR_N; i++) {
		float *p = mo_take(&t, (size_t)w + 64);
		q->row[i] = p ? p + 16 : NULL;
	}
	return t.at > most ? t.at : most;
}

/* `to` as the flow shows it from each pixel, and its mean with `from`. */
static IN_UNUSED void mo_warp(const struct mo_refine *q, const struct mo_level *l)
{
	float xmax = (float)(l->w - 1 + 8), ymax = (float)(l->h - 1 + 8);
	for (int y = 0; y < l->h; y++) {
		const float *u = l->u.p + y * l->u.pitch, *v = l->v.p + y * l->v.pitch,
			*from = l->from.p + y * l->from.pitch;
		float *IN_RESTRICT o = q->warped.p + y * q->warped.pitch, *IN_RESTRICT m = q->mean.p + y * q->mean.pitch;
		float *IN_RESTRICT dt = q->d[MD_T].p + y * q->d[MD_T].pitch;
		for (int x = 0; x < l->w; x++) {
			float px = px_clamp((float)x + u[x], -8.0f, xmax), py = px_clamp((float)y + v[x], -8.0f, ymax);
			float qx = px_floor(px), qy = px_floor(py), fx = px - qx, fy = py - qy;
			const float *a = l->to.p + (ptrdiff_t)qy * l->to.pitch + (ptrdiff_t)qx, *b = a + l->to.pitch;
			float top = a[0] + (a[1] - a[0]) * fx, bot = b[0] + (b[1] - b[0]) * fx;
			o[x] = top + (bot - top) * fy;
		}
		for (int x = 0; x < l->w; x++) {
			m[x] = 0.5f * (from[x] + o[x]);
			dt[x] = o[x] - from[x];
		}
	}
	mo_border(q->mean, l->w, l->h);
}

/* Central differences of a row with its neighbours; x beyond the picture is held. */
IN_INLINE void mo_dx(const float *a, float *IN_RESTRICT d, int n)
{
	for (int x = 1; x + 1 < n; x++) d[x] = 0.5f * (a[x + 1] - a[x - 1]);
	d[0] = 0.5f * (a[n > 1 ? 1 : 0] - a[0]);
	d[n - 1] = 0.5f * (a[n - 1] - a[n > 1 ? n - 2 : 0]);
}
IN_INLINE void mo_dy(struct mo_plane s, struct mo_plane d, int y, int w, int h)
{
	const float *a = s.p + (y > 0 ? y - 1 : 0) * s.pitch, *b = s.p + (y + 1 < h ? y + 1 : y) * s.pitch;
	float *IN_RESTRICT o = d.p + y * d.pitch;
	for (int x = 0; x < w; x++) o[x] = 0.5f * (b[x] - a[x]);
}

static IN_UNUSED void mo_derive(const struct mo_refine *q)
{
	const struct mo_plane *d = q->d;
	for (int y = 0; y < q->h; y++) {
		mo_dx(q->mean.p + y * q->mean.pitch, d[MD_X].p + y * d[MD_X].pitch, q->w);
		mo_dy(q->mean, d[MD_Y], y, q->w, q->h);
		mo_dx(d[MD_T].p + y * d[MD_T].pitch, d[MD_XT].p + y * d[MD_XT].pitch, q->w);
		mo_dy(d[MD_T], d[MD_YT], y, q->w, q->h);
		mo_dx(d[MD_X].p + y * d[MD_X].pitch, d[MD_XX].p + y * d[MD_XX].pitch, q->w);
		mo_dx(d[MD_Y].p + y * d[MD_Y].pitch, d[MD_XY].p + y * d[MD_XY].pitch, q->w);
	}
	for (int y = 0; y < q->h; y++) mo_dy(d[MD_Y], d[MD_YY], y, q->w, q->h);
}

/* Pixels of row y that belong to colour c begin at its first x. */
IN_INLINE int mo_first(int y, int c) { return (y + c) & 1; }

IN_INLINE void mo_join(const struct mo_refine *q, int plane, int y, float *IN_RESTRICT o)
{
	int s = mo_first(y, 0), n = (q->w + 1) / 2;
	const float *a = q->s[plane][s].p + y * q->s[plane][s].pitch,
		*b = q->s[plane][1 - s].p + y * q->s[plane][1 - s].pitch;
	for (int k = 0; k < n; k++) o[2 * k] = a[k], o[2 * k + 1] = b[k];
}
IN_INLINE void mo_part(const struct mo_refine *q, int plane, int y, const float *IN_RESTRICT r)
{
	int s = mo_first(y, 0), n = (q->w + 1) / 2;
	float *IN_RESTRICT a = q->s[plane][s].p + y * q->s[plane][s].pitch;
	float *IN_RESTRICT b = q->s[plane][1 - s].p + y * q->s[plane][1 - s].pitch;
	for (int k = 0; k < n; k++) a[k] = r[2 * k], b[k] = r[2 * k + 1];
}

/* Data terms of row y. */
static IN_UNUSED void mo_data_row(const struct mo_refine *q, int y)
{
	const float *p[MD_N], *du = q->row[MR_U], *dv = q->row[MR_V];
	for (int i = 0; i < MD_N; i++) p[i] = q->d[i].p + y * q->d[i].pitch;
	float *IN_RESTRICT a11 = q->row[MR_A11], *IN_RESTRICT a12 = q->row[MR_A12],
		*IN_RESTRICT a22 = q->row[MR_A22];
	float *IN_RESTRICT b1 = q->row[MR_B1], *IN_RESTRICT b2 = q->row[MR_B2];
	for (int x = 0; x < q->w; x++) {
		float ix = p[MD_X][x], iy = p[MD_Y][x], it = p[MD_T][x], u = du[x], v = dv[x];
		float n = 1.0f / (ix * ix + iy * iy + MO_ZETA2), e = it + ix * u + iy * v;
		float w = 0.5f * MO_DELTA / __builtin_sqrtf(e * e * n + MO_EPS2) * n;
		float xx = p[MD_XX][x], xy = p[MD_XY][x], yy = p[MD_YY][x], xt = p[MD_XT][x], yt = p[MD_YT][x];
		float n1 = 1.0f / (xx * xx + xy * xy + MO_ZETA2), n2 = 1.0f / (yy * yy + xy * xy + MO_ZETA2);
		float e1 = xt + xx * u + xy * v, e2 = yt + xy * u + yy * v;
		float g = 0.5f * MO_GAMMA / __builtin_sqrtf(e1 * e1 * n1 + e2 * e2 * n2 + MO_EPS2),
			g1 = g * n1, g2 = g * n2;
		a11[x] = w * ix * ix + (g1 * xx * xx + g2 * xy * xy) + MO_ZETA2;
		a12[x] = w * ix * iy + (g1 * xx * xy + g2 * xy * yy);
		a22[x] = w * iy * iy + (g1 * xy * xy + g2 * yy * yy) + MO_ZETA2;
		b1[x] = -(w * it * ix + (g1 * xx * xt + g2 * xy * yt));
		b2[x] = -(w * it * iy + (g1 * xy * xt + g2 * yy * yt));
	}
}

/* The flow with its increments, and the weights of the edges to the right and below.
 * Row y's own increments are joined. */
static IN_UNUSED void mo_smooth_row(const struct mo_refine *q, const struct mo_level *l, int y,
                                    float *below_u, float *below_v)
{
	const float *u = l->u.p + y * l->u.pitch, *v = l->v.p + y * l->v.pitch;
	bool end = y + 1 == q->h;
	const float *nu = end ? u : u + l->u.pitch, *nv = end ? v : v + l->v.pitch;
	const float *du = q->row[MR_U], *dv = q->row[MR_V], *eu = end ? du : below_u, *ev = end ? dv : below_v;
	float *IN_RESTRICT wr = q->row[MR_WR], *IN_RESTRICT wd = q->row[MR_WD];
	int n = q->w - 1;
	for (int x = 0; x < n; x++) {
		float a = u[x] + du[x], b = v[x] + dv[x];
		float ux = u[x + 1] + du[x + 1] - a, vx = v[x + 1] + dv[x + 1] - b;
		float uy = nu[x] + eu[x] - a, vy = nv[x] + ev[x] - b;
		wr[x] = wd[x] = 0.5f * MO_ALPHA / __builtin_sqrtf((ux * ux + uy * uy) + (vx * vx + vy * vy) + MO_EPS2);
	}
	float uy = nu[n] + eu[n] - (u[n] + du[n]), vy = nv[n] + ev[n] - (v[n] + dv[n]);
	wr[n] = 0;
	wd[n] = 0.5f * MO_ALPHA / __builtin_sqrtf(uy * uy + vy * vy + MO_EPS2);
	if (end) for (int x = 0; x <= n; x++) wd[x] = 0;
}

/* The smoothness of the flow itself goes to the right side, weights to the
 * diagonal. up: wd of the row above. */
static IN_UNUSED void mo_system_row(const struct mo_refine *q, const struct mo_level *l, int y)
{
	const float *u = l->u.p + y * l->u.pitch, *v = l->v.p + y * l->v.pitch;
	ptrdiff_t down = y + 1 < q->h ? l->u.pitch : 0, above = y > 0 ? l->u.pitch : 0;
	const float *wr = q->row[MR_WR], *wd = q->row[MR_WD], *up = q->row[MR_UP];
	float *IN_RESTRICT a11 = q->row[MR_A11], *IN_RESTRICT a22 = q->row[MR_A22];
	float *IN_RESTRICT b1 = q->row[MR_B1], *IN_RESTRICT b2 = q->row[MR_B2];
	for (int x = 0; x < q->w; x++) {
		float r = wr[x], d = wd[x], t = up[x], s = wr[x - 1];
		float sum = (r + s) + (d + t);
		b1[x] += (r * (u[x + 1] - u[x]) + s * (u[x - 1] - u[x])) +
			(d * (u[x + down] - u[x]) + t * (u[x - above] - u[x]));
		b2[x] += (r * (v[x + 1] - v[x]) + s * (v[x - 1] - v[x])) +
			(d * (v[x + down] - v[x]) + t * (v[x - above] - v[x]));
		a11[x] = MO_OMEGA / (a11[x] + sum);
		a22[x] = MO_OMEGA / (a22[x] + sum);
	}
}

static IN_UNUSED void mo_system(const struct mo_refine *q, const struct mo_level *l)
{
	float *const *r = q->row;
	int w = q->w;
	for (int x = 0; x < w + 1; x++) r[MR_UP][x] = 0;
	r[MR_WR][-1] = 0;
	mo_join(q, MS_U, 0, r[MR_U]);
	mo_join(q, MS_V, 0, r[MR_V]);
	for (int y = 0; y < q->h; y++) {
		mo_data_row(q, y);
		/* B rows of the system are made from here on; the next row's increments are joined beside them */
		float *nu = l->u.p + (q->h + 1) * l->u.pitch, *nv = l->v.p + (q->h + 1) * l->v.pitch;
		if (y + 1 < q->h) mo_join(q, MS_U, y + 1, nu), mo_join(q, MS_V, y + 1, nv);
		mo_smooth_row(q, l, y, nu, nv);
		mo_system_row(q, l, y);
		if (w & 1)
			r[MR_B1][w] = r[MR_B2][w] = r[MR_A11][w] = r[MR_A12][w] = r[MR_A22][w] = r[MR_WR][w] =
				r[MR_WD][w] = 0;
		mo_part(q, MS_B1, y, r[MR_B1]);
		mo_part(q, MS_B2, y, r[MR_B2]);
		mo_part(q, MS_A12, y, r[MR_A12]);
		mo_part(q, MS_IU, y, r[MR_A11]);
		mo_part(q, MS_IV, y, r[MR_A22]);
		mo_part(q, MS_WR, y, r[MR_WR]);
		mo_part(q, MS_WD, y, r[MR_WD]);
		memcpy(r[MR_UP], r[MR_WD], (size_t)w * sizeof(float));
		memcpy(r[MR_U], nu, (size_t)w * sizeof(float));
		memcpy(r[MR_V], nv, (size_t)w * sizeof(float));
	}
}

IN_INLINE const float *mo_row(const struct mo_refine *q, int plane, int c, int y)
{
	return q->s[plane][c].p + y * q->s[plane][c].pitch;
}

/* One colour of one row. */
static IN_UNUSED void mo_relax(const struct mo_refine *q, int c, int y)
{
	int o = 1 - c, s = mo_first(y, c), n = (q->w + 1) / 2;
	float *IN_RESTRICT u = q->s[MS_U][c].p + y * q->s[MS_U][c].pitch,
		*IN_RESTRICT v = q->s[MS_V][c].p + y * q->s[MS_V][c].pitch;
	const float *b1 = mo_row(q, MS_B1, c, y), *b2 = mo_row(q, MS_B2, c, y), *a12 = mo_row(q, MS_A12, c, y);
	const float *iu = mo_row(q, MS_IU, c, y), *iv = mo_row(q, MS_IV, c, y);
	const float *wr = mo_row(q, MS_WR, c, y), *wd = mo_row(q, MS_WD, c, y);
	const float *wl = mo_row(q, MS_WR, o, y) + s - 1, *wu = mo_row(q, MS_WD, o, y - 1);
	const float *ul = mo_row(q, MS_U, o, y) + s - 1, *ua = mo_row(q, MS_U, o, y - 1),
		*ub = mo_row(q, MS_U, o, y + 1);
	const float *vl = mo_row(q, MS_V, o, y) + s - 1, *va = mo_row(q, MS_V, o, y - 1),
		*vb = mo_row(q, MS_V, o, y + 1);
	IN_IVDEP
	for (int k = 0; k < n; k++) {
		float su = (wr[k] * ul[k + 1] + wl[k] * ul[k]) + (wd[k] * ub[k] + wu[k] * ua[k]);
		float sv = (wr[k] * vl[k + 1] + wl[k] * vl[k]) + (wd[k] * vb[k] + wu[k] * va[k]);
		float nu = (1.0f - MO_OMEGA) * u[k] + iu[k] * (b1[k] + su - a12[k] * v[k]);
		u[k] = nu;
		v[k] = (1.0f - MO_OMEGA) * v[k] + iv[k] * (b2[k] + sv - a12[k] * nu);
	}
}

/* All half-sweeps, each a row behind the one before. */
static IN_UNUSED void mo_sweeps(const struct mo_refine *q, int sweeps)
{
	for (int t = 0; t < q->h + 2 * sweeps; t++)
		for (int i = 0; i < 2 * sweeps; i++) {
			int y = t - i;
			if (y >= 0 && y < q->h) mo_relax(q, i & 1, y);
		}
}

static IN_UNUSED void mo_refine(const struct mo *m, const struct mo_level *l)
{
	struct mo_refine q;
	mo_refine_layout(&q, l->w, l->h, m->work);
	mo_warp(&q, l);
	mo_derive(&q);
	for (int i = 0; i < MS_N; i++)
		for (int c = 0; c < 2; c++)
			memset(q.s[i][c].p - q.s[i][c].pitch - 8, 0, (size_t)q.s[i][c].pitch * (size_t)(q.h + 2) * sizeof(float));
	for (int y = 0; y < l->h; y++) {             /* weights to what lies beside the picture are 0 */
		float *u = l->u.p + y * l->u.pitch, *v = l->v.p + y * l->v.pitch;
		u[-1] = u[l->w] = v[-1] = v[l->w] = 0;
	}
	for (int i = 0; i < m->s.outer; i++) {
		mo_system(&q, l);
		mo_sweeps(&q, m->s.inner);
	}
	for (int y = 0; y < l->h; y++) {
		float *u = l->u.p + y * l->u.pitch, *v = l->v.p + y * l->v.pitch;
		mo_join(&q, MS_U, y, q.row[MR_U]);
		mo_join(&q, MS_V, y, q.row[MR_V]);
		for (int x = 0; x < l->w; x++) u[x] += q.row[MR_U][x], v[x] += q.row[MR_V][x];
	}
}

#endif
