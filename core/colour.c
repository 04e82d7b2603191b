/* colour - look-up of spaces, matrices between primaries, scalar curves, frozen transforms.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "colour.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "colour_table.h"
#include "px_colour.h"

static const struct space *space_of(int id)
{
	assert(id >= 0 && id < colour_nspaces);
	return &colour_spaces[id];
}
static const struct gamut *gamut_of(int id) { return &colour_gamuts[space_of(id)->gamut]; }

int colour_find(const char *name)
{
	for (int i = 0; name && i < colour_nspaces; i++)
		if (!strcmp(colour_spaces[i].name, name)) return i;
	return SPACE_NONE;
}
const char *colour_name(int id) { return space_of(id)->name; }
const char *colour_doc(int id) { return space_of(id)->doc; }
int colour_count(void) { return colour_nspaces; }

const char *const *colour_names(void) { return colour_space_names; }

int colour_named(const char *param, const char *name, struct err *e)
{
	int id = colour_find(name);
	char all[1000] = "";
	if (id >= 0) return id;
	const char *near = nearest_name(name, colour_space_names, (size_t)colour_nspaces);
	for (int i = 0; i < colour_nspaces; i++) {
		size_t len = strlen(all);
		snprintf(all + len, sizeof all - len, " %s", colour_spaces[i].name);
	}
	return err_set(e, E_SCENE, "%s=\"%s\" is no colour space%s%s%s; there are%s", param, name,
	               near ? ", nearest is \"" : "", near ? near : "", near ? "\"" : "", all);
}

bool colour_is_linear(int id) { return space_of(id)->curve == CURVE_LINEAR; }
bool colour_is_display(int id) { return space_of(id)->display; }

int colour_linear_of(int id)
{
	for (int i = 0; i < colour_nspaces; i++)
		if (colour_spaces[i].gamut == space_of(id)->gamut && colour_is_linear(i)) return i;
	return id;
}
void colour_primaries(int id, double xy[8]) { memcpy(xy, gamut_of(id)->xy, 8 * sizeof *xy); }

/* --- 3x3 matrices, row-major --- */

void mat3_mul(const double a[9], const double b[9], double out[9])
{
	double t[9];
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			t[i * 3 + j] = a[i * 3] * b[j] + a[i * 3 + 1] * b[3 + j] + a[i * 3 + 2] * b[6 + j];
	memcpy(out, t, sizeof t);
}

int mat3_inv(const double a[9], double out[9])
{
	double c0 = a[4] * a[8] - a[5] * a[7], c1 = a[5] * a[6] - a[3] * a[8],
	    c2 = a[3] * a[7] - a[4] * a[6];
	double det = a[0] * c0 + a[1] * c1 + a[2] * c2;
	if (det == 0 || det - det != 0) return -1;
	double t[9] = { c0, a[2] * a[7] - a[1] * a[8], a[1] * a[5] - a[2] * a[4],
	                c1, a[0] * a[8] - a[2] * a[6], a[2] * a[3] - a[0] * a[5],
	                c2, a[1] * a[6] - a[0] * a[7], a[0] * a[4] - a[1] * a[3] };
	for (int i = 0; i < 9; i++) out[i] = t[i] / det;
	return 0;
}

static void xy_to_xyz(const double xy[2], double xyz[3])
{
	xyz[0] = xy[0] / xy[1];
	xyz[1] = 1;
	xyz[2] = (1 - xy[0] - xy[1]) / xy[1];
}

static const double bradford[9] = { 0.8951, 0.2664, -0.1614, -0.7502, 1.7135, 0.0367, 0.0389,
                                    -0.0685, 1.0296 };
static const double cat02[9] = { 0.7328, 0.4296, -0.1624, -0.7036, 1.6975, 0.0061, 0.0030, 0.0136,
                                 0.9834 };

/* von Kries scaling in the cone space of cat. */
static void adapt(const double cat[9], const double from_xy[2], const double to_xy[2], double m[9])
{
	double a[3], b[3], d[9] = { 0 }, inv[9];
	xy_to_xyz(from_xy, a);
	xy_to_xyz(to_xy, b);
	for (int i = 0; i < 3; i++) {
		const double *c = cat + i * 3;
		d[i * 4] = (c[0] * b[0] + c[1] * b[1] + c[2] * b[2]) / (c[0] * a[0] + c[1] * a[1] + c[2] * a[2]);
	}
	int ok = mat3_inv(cat, inv);
	assert(!ok);
	(void)ok;
	mat3_mul(d, cat, m);
	mat3_mul(inv, m, m);
}
void colour_adapt(const double from_xy[2], const double to_xy[2], double m[9])
{ adapt(bradford, from_xy, to_xy, m); }

/* SMPTE RP 177: the primaries scaled so that RGB 1,1,1 gives the white point. */
void colour_rgb_to_xyz(int id, double m[9])
{
	const double *xy = gamut_of(id)->xy;
	double p[9], inv[9], w[3], col[3];
	for (int i = 0; i < 3; i++) {
		xy_to_xyz(xy + 2 * i, col);
		for (int j = 0; j < 3; j++) p[j * 3 + i] = col[j] * xy[2 * i + 1];
	}
	xy_to_xyz(xy + 6, w);
	int ok = mat3_inv(p, inv);
	assert(!ok);
	(void)ok;
	for (int i = 0; i < 3; i++) {
		double s = inv[i * 3] * w[0] + inv[i * 3 + 1] * w[1] + inv[i * 3 + 2] * w[2];
		for (int j = 0; j < 3; j++) m[j * 3 + i] = p[j * 3 + i] * s;
	}
}
void colour_luma(int id, double w[3])
{
	double m[9];
	colour_rgb_to_xyz(id, m);
	memcpy(w, m + 3, 3 * sizeof *w);
}

/* Linear RGB of id to XYZ under the ACES white. Every transform goes through it, so that going by way of a
 * third space changes nothing. */
static void to_hub(int id, double m[9])
{
	const struct gamut *g = gamut_of(id);
	const double *hub = colour_gamuts[GAMUT_AP0].xy + 6;
	double a[9];
	colour_rgb_to_xyz(id, m);
	if (!memcmp(g->xy + 6, hub, 2 * sizeof *hub)) return;
	adapt(g->cat02 ? cat02 : bradford, g->xy + 6, hub, a);
	mat3_mul(a, m, m);
}

void colour_matrix(int from, int to, double m[9])
{
	static const double one[9] = { 1, 0, 0, 0, 1, 0, 0, 0, 1 };
	int gf = space_of(from)->gamut, gt = space_of(to)->gamut;
	if (gf == gt || gf == GAMUT_NONE || gt == GAMUT_NONE) { memcpy(m, one, sizeof one); return; }
	double a[9], b[9];
	to_hub(from, a);
	to_hub(to, b);
	int ok = mat3_inv(b, b);
	assert(!ok);
	(void)ok;
	mat3_mul(b, a, m);
}

double colour_decode(int id, double v) { return curve_decode(space_of(id)->curve, v); }
double colour_encode(int id, double v) { return curve_encode(space_of(id)->curve, v); }

void colour_xform_init(struct colour_xform *x, int from, int to)
{
	const struct space *f = space_of(from), *t = space_of(to);
	bool none = f->gamut == GAMUT_NONE || t->gamut == GAMUT_NONE;
	double m[9];
	memset(x, 0, sizeof *x);
	x->from = from; x->to = to;
	x->has_matrix = !none && f->gamut != t->gamut;
	x->identity = none || (f->gamut == t->gamut && f->curve == t->curve);
	x->decode = f->curve; x->encode = t->curve;
	if (!x->has_matrix && f->curve == t->curve) x->decode = x->encode = CURVE_LINEAR;
	colour_matrix(from, to, m);
	for (int i = 0; i < 9; i++) x->m[i] = (float)m[i];
}
