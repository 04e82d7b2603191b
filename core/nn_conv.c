/* nn_conv - see nn_conv.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_conv.h"

#include <stdlib.h>
#include <string.h>

#include "mem.h"
#include "nn_int.h"

void nn_conv_free(struct nn_conv **pc)
{
	struct nn_conv *c = *pc;
	if (!c) return;
	free(c->w);
	free(c->bias);
	free(c->slope);
	free(c);
	*pc = NULL;
}

/* One layer's numbers, those of the second model mixed in. */
static float *mixed(const struct nn_model *m, const struct nn_data *d, const struct nn_model *b, double share,
                    struct err *e)
{
	float *w = nn_weights(m, d, e), *v;
	if (!w || !b || share <= 0) return w;
	if (!(v = nn_weights(b, d, e))) { free(w); return NULL; }
	for (size_t i = 0; i < d->n; i++) w[i] = (float)((double)w[i] + ((double)v[i] - (double)w[i]) * share);
	free(v);
	return w;
}

/* G g G^T. */
static void wino_weights(const float g[9], double u[36])
{
	static const double G[6][3] = { { 1.0 / 4, 0, 0 }, { -1.0 / 6, -1.0 / 6, -1.0 / 6 },
		{ -1.0 / 6, 1.0 / 6, -1.0 / 6 }, { 1.0 / 24, 1.0 / 12, 1.0 / 6 },
		{ 1.0 / 24, -1.0 / 12, 1.0 / 6 }, { 0, 0, 1 } };
	double t[6][3];
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 3; j++)
			t[i][j] = G[i][0] * (double)g[j] + G[i][1] * (double)g[3 + j] + G[i][2] * (double)g[6 + j];
	for (int i = 0; i < 6; i++)
		for (int j = 0; j < 6; j++)
			u[i * 6 + j] = t[i][0] * G[j][0] + t[i][1] * G[j][1] + t[i][2] * G[j][2];
}

/* Where each panel's inputs and weights begin; how many weights there are. Panels that reach into
 * several groups hold zeros for those of the others. */
static size_t layout(struct nn_conv *c, int group)
{
	int cig = c->cin / group, cog = c->cout / group;
	size_t at = 0;
	for (int p = 0; p < c->panels; p++) {
		int o1 = p * 16 + 15 < c->cout - 1 ? p * 16 + 15 : c->cout - 1, g0 = p * 16 / cog, g1 = o1 / cog;
		if (group == 1) g0 = g1 = 0;
		c->panel[p] = (struct nn_panel){ g0 * cig, c->depth ? 1 : (g1 - g0 + 1) * cig, at };
		at += (size_t)(c->wino ? 36 : c->k * c->k) * (size_t)c->panel[p].n * 16;
	}
	return at;
}

/* How far from input pixel X the one is that tap t brings to result up X + f; false where it brings none. */
static bool reaches(const struct nn_conv *c, int f, int t, int *d)
{
	int z = f - c->off - t, s = c->stride;
	*d = nn_div(z, s);
	return *d * s == z;
}

/* May results up X ... up X + up - 1 be had from inputs X - 1 to X + 1, and is that less work? */
static bool spreads(const struct nn_conv *c, int group)
{
	int s = c->stride, all = s * s * c->lanes, d;
	if (group != 1 || c->dilation != 1 || s < 2 || c->cin < NN_BLOCK) return false;
	if (all > NN_MAX_CHANNELS) return false;
	if (9 * ((all + 15) / 16) >= 4 * c->k * c->k * ((c->cout + 15) / 16)) return false;
	for (int f = 0; f < s; f++)
		for (int t = 0; t < c->k; t++)
			if (reaches(c, f, t, &d) && (d < -1 || d > 1)) return false;
	return true;
}

/* The 3x3 kernel that makes result (fx, fy) of an input pixel out of a transposed kernel q. */
static void kernel_of(const struct nn_conv *c, const float *q, int fx, int fy, float g[9])
{
	int dx, dy;
	memset(g, 0, 9 * sizeof *g);
	for (int t = 0; t < c->k * c->k; t++)
		if (reaches(c, fx, t % c->k, &dx) && reaches(c, fy, t / c->k, &dy)) g[(dy + 1) * 3 + dx + 1] = q[t];
}

static void pack_spread(struct nn_conv *c, const struct nn_layer *l, const float *w)
{
	for (int n = 0; n < c->up * c->up * c->cout * c->cin; n++) {
		int i = n % c->cin, o = n / c->cin % c->cout, sub = n / c->cin / c->cout, lane = sub * c->lanes + o;
		const float *q = w + (size_t)(l->flip ? i * c->cout + o : o * c->cin + i) * (size_t)(c->k * c->k);
		float g[9], *to = c->w + c->panel[lane / 16].at + (size_t)i * 16 + lane % 16;
		double u[36];
		kernel_of(c, q, sub % c->up, sub / c->up, g);
		wino_weights(g, u);
		for (int t = 0; t < 36; t++) to[(size_t)t * (size_t)c->cin * 16] = (float)u[t];
	}
}

/* File order is [out][in of the group][ky][kx]; with flip [in][out of the group][ky][kx]. */
static void pack(struct nn_conv *c, const struct nn_layer *l, const float *w)
{
	int kk = c->k * c->k, taps = c->wino ? 36 : kk, cig = c->cin / l->group, cog = c->cout / l->group;
	for (int o = 0; o < c->cout; o++)
		for (int i = 0; i < cig; i++) {
			const struct nn_panel *p = &c->panel[o / 16];
			int g = o / cog, from = g * cig + i;
			const float *q = w + (size_t)(l->flip ? from * cog + o - g * cog : o * cig + i) * (size_t)kk;
			float *to = c->w + p->at + (c->depth ? 0 : (size_t)(from - p->first) * 16) + o % 16;
			double u[36];
			if (c->wino) wino_weights(q, u);
			for (int t = 0; t < taps; t++) to[(size_t)t * (size_t)p->n * 16] = c->wino ? (float)u[t] : q[t];
		}
}

/* The first pixel's bias and slopes for the others. */
static void repeat(struct nn_conv *c, float *v)
{
	for (int i = c->lanes; i < c->up * c->up * c->lanes; i++) v[i] = v[i - c->lanes];
}

static int vectors(struct nn_conv *c, const struct nn_model *m, const struct nn_layer *l,
                   const struct nn_layer *act, const struct nn_model *b,
                   double share, struct err *e)
{
	const struct nn_layer *a = act ? act : l;
	float *v = NULL;
	if (l->bias.n) {
		if (!(v = mixed(m, &l->bias, b, share, e))) return -1;
		for (int i = 0; i < c->cout; i++) c->bias[i] = v[i];
		free(v);
	}
	c->act = a->act;
	c->lo = (float)a->lo;
	c->hi = (float)a->hi;
	for (int i = 0; i < c->panels * 16; i++) c->slope[i] = a->act == NN_SLOPE ? (float)a->lo : 1.0f;
	repeat(c, c->bias);
	if (a->act != NN_SLOPES) return 0;
	if (!(v = mixed(m, &a->slopes, b, share, e))) return -1;
	for (int i = 0; i < c->cout; i++) c->slope[i] = v[a->slopes.n == 1 ? 0 : i];
	free(v);
	repeat(c, c->slope);
	return 0;
}

struct nn_conv nn_conv_shape(const struct nn_model *m, const struct nn_layer *l)
{
	int cin = 0;
	for (int i = 0; i < l->nin; i++) cin += m->blob[l->in[i]].c;
	struct nn_conv c = { .cin = cin, .cout = l->cout, .k = l->k, .up = 1,
		.lanes = l->cout < NN_BLOCK ? l->cout : (l->cout + 15) / 16 * 16,
		.dilation = l->dilation, .stride = l->stride, .off = l->off, .transposed = l->op == NN_DECONV,
		.wino = l->op == NN_CONV && l->k == 3 && l->dilation == 1 && l->stride == 1 &&
			l->group == 1 && l->off == -1,
		.depth = l->group == cin && l->group == l->cout && cin >= NN_BLOCK };
	if (c.transposed && spreads(&c, l->group)) {
		c.wino = true;
		c.up = c.stride;
	}
	c.panels = (c.up * c.up * c.lanes + 15) / 16;
	return c;
}

void nn_conv_place(struct nn_conv *c, struct rect in, struct rect out)
{
	c->in = in;
	c->x0 = nn_div(out.x0, c->up);
	c->y0 = nn_div(out.y0, c->up);
}

size_t nn_conv_bytes(const struct nn_model *m, const struct nn_layer *l)
{
	if (l->op != NN_CONV && l->op != NN_DECONV) return 0;
	struct nn_conv c = nn_conv_shape(m, l);
	return layout(&c, l->group) * sizeof(float) + sizeof c;
}

struct nn_conv *nn_conv_new(const struct nn_model *m, const struct nn_layer *l, const struct nn_layer *act,
                            const struct nn_model *b, double share, struct err *e)
{
	struct nn_conv *c = xalloc(1, sizeof *c);
	*c = nn_conv_shape(m, l);
	size_t n = (size_t)c->panels * 16, size = layout(c, l->group);
	float *w = mixed(m, &l->w, b, share, e);
	c->w = aligned_alloc(64, size * sizeof *c->w);
	c->bias = xalloc(n, sizeof *c->bias);
	c->slope = xalloc(n, sizeof *c->slope);
	if (!w || !c->w) {
		if (w) err_set(e, E_MEMORY, "%s: no memory for its weights", m->file);
		goto fail;
	}
	memset(c->w, 0, size * sizeof *c->w);
	if (c->up > 1) pack_spread(c, l, w);
	else pack(c, l, w);
	if (vectors(c, m, l, act, b, share, e) < 0) goto fail;
	free(w);
	return c;
fail:
	free(w);
	nn_conv_free(&c);
	return NULL;
}
