/* px_motion_flow - dense inverse search from two pictures to their flow and its confidence.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_MOTION_FLOW_H
#define IN_PX_MOTION_FLOW_H

#include "px_motion_refine.h"

static IN_UNUSED size_t px_motion_open(struct mo *m, int w, int h, int quality, float *base)
{
	struct mo_refine q;
	size_t most = 0;
	px_motion_layout(m, w, h, quality, NULL, 0);
	for (int i = m->finest; i <= m->top; i++) {
		size_t n = mo_refine_layout(&q, m->l[i].w, m->l[i].h, NULL);
		most = n > most ? n : most;
	}
	return px_motion_layout(m, w, h, quality, base, most);
}

/* Row y of a plane enlarged 2^k times (bilinear between centres), times gain. tmp: sw + 16 floats. */
static IN_UNUSED void mo_enlarge_row(struct mo_plane s, int sw, int sh, int k, float gain, int y,
                                     float *IN_RESTRICT tmp, float *IN_RESTRICT o, int w)
{
	int f = 1 << k;
	float py = ((float)y + 0.5f) / (float)f - 0.5f, qy = px_floor(py), fy = py - qy;
	int y0 = (int)qy, a = y0 < 0 ? 0 : y0 < sh ? y0 : sh - 1, b = y0 + 1 < sh ? y0 + 1 : sh - 1;
	const float *ra = s.p + a * s.pitch, *rb = s.p + b * s.pitch;
	float *t = tmp + 8;
	for (int x = 0; x < sw; x++) t[x] = gain * (ra[x] + (rb[x] - ra[x]) * fy);
	t[-1] = t[0];
	t[sw] = t[sw - 1];
	for (int p = 0; p < f; p++) {
		float px = ((float)p + 0.5f) / (float)f - 0.5f;
		int off = px < 0 ? -1 : 0, n = (w - p + f - 1) / f;
		float fx = px < 0 ? px + 1.0f : px;
		for (int x = 0; x < n; x++) o[x * f + p] = t[x + off] + (t[x + off + 1] - t[x + off]) * fx;
	}
}

/* A level's flow from the coarser one. */
static IN_UNUSED void mo_begin(const struct mo *m, int i)
{
	const struct mo_level *l = &m->l[i], *c = l + 1;
	for (int y = 0; y < l->h; y++) {
		float *u = l->u.p + y * l->u.pitch, *v = l->v.p + y * l->v.pitch;
		if (i == m->top) {
			memset(u, 0, (size_t)l->w * sizeof *u);
			memset(v, 0, (size_t)l->w * sizeof *v);
			continue;
		}
		mo_enlarge_row(c->u, c->w, c->h, 1, 2.0f, y, m->work, u, l->w);
		mo_enlarge_row(c->v, c->w, c->h, 1, 2.0f, y, m->work, v, l->w);
	}
}

static IN_UNUSED int mo_flow(const struct mo *m)
{
	for (int i = m->top; i >= m->finest; i--) {
		const struct mo_level *l = &m->l[i];
		if (m->cancel && atomic_load_explicit(m->cancel, memory_order_relaxed)) return -1;
		mo_gradients(l);
		mo_begin(m, i);
		mo_search(m, l);
		if (m->cancel && atomic_load_explicit(m->cancel, memory_order_relaxed)) return -1;
		mo_densify(m, l);
		mo_refine(m, l);
	}
	return 0;
}

IN_INLINE float mo_sample(struct mo_plane s, ptrdiff_t at, float fx, float fy)
{
	const float *a = s.p + at, *b = a + s.pitch;
	float top = a[0] + (a[1] - a[0]) * fx, bot = b[0] + (b[1] - b[0]) * fx;
	return top + (bot - top) * fy;
}

/* How well the flow forth (bu, bv) and back (u, v) of the finest level agree, to sw. */
static IN_UNUSED void mo_agree(const struct mo *m)
{
	const struct mo_level *l = &m->l[m->finest];
	float f2 = (float)(1 << (2 * m->finest)), w = (float)l->w, h = (float)l->h;
	for (int k = 0; k < 2; k++) {                /* a column and a row more, for what lies between the last two */
		struct mo_plane p = k ? l->v : l->u;
		for (int y = 0; y < l->h; y++) p.p[y * p.pitch + l->w] = p.p[y * p.pitch + l->w - 1];
		memcpy(p.p + l->h * p.pitch, p.p + (l->h - 1) * p.pitch, (size_t)(l->w + 1) * sizeof(float));
	}
	for (int y = 0; y < l->h; y++)
		for (int x = 0; x < l->w; x++) {
			float fu = l->bu.p[y * l->bu.pitch + x], fv = l->bv.p[y * l->bv.pitch + x];
			float tx = (float)x + fu, ty = (float)y + fv, out = 1.0f;
			if (!(tx >= -0.5f && tx <= w - 0.5f && ty >= -0.5f && ty <= h - 0.5f)) out = 0.0f;
			tx = px_clamp(tx, 0.0f, w - 1.0f);
			ty = px_clamp(ty, 0.0f, h - 1.0f);
			float qx = px_floor(tx), qy = px_floor(ty);
			ptrdiff_t at = (ptrdiff_t)qy * l->u.pitch + (ptrdiff_t)qx;
			float gu = mo_sample(l->u, at, tx - qx, ty - qy), gv = mo_sample(l->v, at, tx - qx, ty - qy);
			float eu = fu + gu, ev = fv + gv, e = f2 * (eu * eu + ev * ev);
			float size = f2 * ((fu * fu + fv * fv) + (gu * gu + gv * gv)), c = 1.0f - e / (0.5f + 0.02f * size);
			m->sw.p[y * m->sw.pitch + x] = c > 0.0f ? c * out : 0.0f;
		}
}

IN_INLINE void mo_swap(struct mo_plane *a, struct mo_plane *b)
{
	struct mo_plane t = *a;
	*a = *b;
	*b = t;
}

static IN_UNUSED int px_motion(const struct motion_job *j)
{
	struct mo m = { .cancel = j->cancel };
	px_motion_open(&m, j->w, j->h, j->quality, j->scratch);
	struct mo_level *l = &m.l[m.finest];
	mo_pyramid(&m, j->from, j->pitch, false);
	mo_pyramid(&m, j->to, j->pitch, true);
	if (mo_flow(&m) < 0) return -1;
	mo_swap(&l->u, &l->bu);
	mo_swap(&l->v, &l->bv);
	if (j->confidence) {
		for (int i = m.finest; i <= m.top; i++) mo_swap(&m.l[i].from, &m.l[i].to);
		if (mo_flow(&m) < 0) return -1;
		mo_agree(&m);
	}
	float gain = (float)(1 << m.finest);
	for (int y = 0; y < j->h; y++) {
		ptrdiff_t o = y * j->out_pitch;
		mo_enlarge_row(l->bu, l->w, l->h, m.finest, gain, y, m.work, j->dx + o, j->w);
		mo_enlarge_row(l->bv, l->w, l->h, m.finest, gain, y, m.work, j->dy + o, j->w);
		if (j->confidence) mo_enlarge_row(m.sw, l->w, l->h, m.finest, 1.0f, y, m.work, j->confidence + o, j->w);
	}
	return 0;
}

#endif
