/* scope_count - the integer counts behind the scopes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "px_colour.h"
#include "scope.h"

static size_t pixels_of(const struct signal *s)
{
	return (size_t)s->w * (size_t)s->h;
}

static void pixel(const struct signal *s, size_t i, double rgb[3])
{
	for (int k = 0; k < 3; k++) rgb[k] = (double)s->p[k][i];
}

/* Channel 3 is luma; what is no number counts as black. */
static double level_at(const struct signal *s, int channel, size_t i)
{
	double rgb[3], v;
	if (channel < 3) v = (double)s->p[channel][i];
	else {
		pixel(s, i, rgb);
		v = signal_luma(s, rgb);
	}
	return v > -1e6 ? v < 1e6 ? v : 1e6 : v <= -1e6 ? -1e6 : 0;
}

void scope_count_columns(const struct signal *s, int channel, int columns, uint32_t *at)
{
	for (int y = 0; y < s->h; y++)
		for (int x = 0; x < s->w; x++) {
			int code = signal_code(s, level_at(s, channel, (size_t)y * (size_t)s->w + (size_t)x));
			int from = (int)((int64_t)x * columns / s->w),
				to = (int)((int64_t)(x + 1) * columns / s->w);
			/* a column of the picture may fill several of the plot */
			for (int c = from; c < to || c == from; c++) at[(size_t)c * (size_t)s->codes +
			                                                (size_t)code]++;
		}
}

void scope_count_codes(const struct signal *s, int channel, uint64_t *at)
{
	for (size_t i = 0; i < pixels_of(s); i++) at[signal_code(s, level_at(s, channel, i))]++;
}

void scope_count_chroma(const struct signal *s, uint32_t *at)
{
	for (size_t i = 0; i < pixels_of(s); i++) {
		double rgb[3], cb, cr;
		pixel(s, i, rgb);
		signal_cbcr(s, rgb, &cb, &cr);
		at[(size_t)signal_chroma(s, cr) * (size_t)s->codes + (size_t)signal_chroma(s, cb)]++;
	}
}

/* CIE 1931; u',v' of 1976. Light below a thousandth of white has a colour of noise alone. */
static bool chromaticity(const double m[9], const double rgb[3], bool uv, double *x, double *y)
{
	double v[3];
	for (int k = 0; k < 3; k++) v[k] = m[3 * k] * rgb[0] + m[3 * k + 1] * rgb[1] +
		m[3 * k + 2] * rgb[2];
	double sum = uv ? v[0] + 15 * v[1] + 3 * v[2] : v[0] + v[1] + v[2];
	if (!(v[1] > 0.001) || !(sum > 0)) return false;
	*x = uv ? 4 * v[0] / sum : v[0] / sum;
	*y = uv ? 9 * v[1] / sum : v[1] / sum;
	return *x >= 0 && *y >= 0;
}

void scope_count_cie(const struct signal *s, bool uv, double extent, int n, uint32_t *at)
{
	double m[9];
	int linear = colour_linear_of(s->o.space);
	colour_rgb_to_xyz(linear, m);
	for (size_t i = 0; i < pixels_of(s); i++) {
		double rgb[3], x, y;
		for (int k = 0; k < 3; k++) rgb[k] = colour_decode(s->o.space, (double)s->p[k][i]);
		if (!chromaticity(m, rgb, uv, &x, &y) || x >= extent || y >= extent) continue;
		at[(size_t)(y / extent * n) * (size_t)n + (size_t)(x / extent * n)]++;
	}
}

void scope_beyond(const struct signal *s, int channel, double *below, double *above)
{
	/* half a code is rounding */
	double lo = -0.5 / s->span, hi = 1 + 0.5 / s->span;
	size_t n = pixels_of(s), under = 0, over = 0;
	for (size_t i = 0; i < n; i++) {
		double v = level_at(s, channel, i);
		under += v < lo;
		over += v > hi;
	}
	*below = n ? (double)under / (double)n : 0;
	*above = n ? (double)over / (double)n : 0;
}

/* --- skin --- */

int signal_skin(const struct signal *s, struct skin_stats *out, struct err *e)
{
	size_t n = pixels_of(s);
	const float *p[3] = { s->p[0], s->p[1], s->p[2] };
	struct colour_xform x;
	int to = colour_find("rec709");
	if (s->o.space == to || !colour_is_display(s->o.space)) {
		skin_measure(p, n, SKIN_ANY, NULL, out);
		return 0;
	}
	float *mem = malloc(3 * n * sizeof *mem + 1);
	if (!mem) return err_set(e, E_MEMORY, "no memory to look for skin");
	for (int k = 0; k < 3; k++) memcpy(mem + (size_t)k * n, s->p[k], n * sizeof *mem);
	colour_xform_init(&x, s->o.space, to);
	for (int y = 0; y < s->h; y++) {
		float *row = mem + (size_t)y * (size_t)s->w;
		colour_row(&x, row, row + n, row + 2 * n, s->w);
	}
	for (int k = 0; k < 3; k++) p[k] = mem + (size_t)k * n;
	skin_measure(p, n, SKIN_ANY, NULL, out);
	free(mem);
	return 0;
}
