/* px_grade - rows of the grading operations: CDL, lift gamma gain, contrast,
 * curves, saturation; all in place.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PX_GRADE_H
#define IN_PX_GRADE_H

#include "curve_table.h"
#include "px_fetch.h"
#include "px_math.h"
#include "px_power.h"
#include "px_rows.h"

IN_INLINE void grade_clamp_row(float *IN_RESTRICT p, float lo, float hi, int n)
{
	for (int i = 0; i < n; i++) p[i] = px_clamp(p[i], lo, hi);
}
/* ASC CDL v1.2 of one channel. power: of that exponent. */
struct grade_cdl { float slope, offset, exponent; struct power_table power; };

/* Slope and offset, the clamp of the CDL's letter, power where the base is above 0; p may be from. */
IN_INLINE void grade_cdl_row(const struct grade_cdl *c, const float *from, float *p, bool clamp, int n)
{
	bool scaled = c->slope != 1.0f || c->offset != 0.0f;
	if (c->power.v && !clamp) { px_power_by(&c->power, scaled, c->slope, c->offset, from, p, n); return; }
	if (scaled) for (int i = 0; i < n; i++) p[i] = from[i] * c->slope + c->offset;
	else if (p != from) px_copy_row(p, from, n);
	if (clamp) grade_clamp_row(p, 0.0f, 1.0f, n);
	if (c->power.v) px_power_by(&c->power, false, 0, 0, p, p, n);
	else px_power_row(p, c->exponent, POW_KEEP, n);
}
IN_INLINE void grade_lgg_row(float *IN_RESTRICT p, float lift, float gain, float gamma, int n)
{
	for (int i = 0; i < n; i++) p[i] = (p[i] + lift) * gain;
	px_power_row(p, gamma, POW_ODD, n);
}
/* Straight about the pivot, or as a power of what stands above it (linear light). */
IN_INLINE void grade_contrast_row(float *IN_RESTRICT p, float c, float pivot, bool as_power, int n)
{
	if (!as_power) {
		for (int i = 0; i < n; i++) p[i] = (p[i] - pivot) * c + pivot;
		return;
	}
	for (int i = 0; i < n; i++) p[i] = p[i] / pivot;
	px_power_row(p, c, POW_ODD, n);
	for (int i = 0; i < n; i++) p[i] = p[i] * pivot;
}

/* The table's value at v. */
IN_INLINE float grade_table_at(const struct curve_table *b, const float *IN_RESTRICT knot, float v)
{
	const float far = 1e9f;
	float t = (v - b->x0) * b->step;
	t = t < -far ? -far : t;
	t = t > far ? far : t;
	float in = px_clamp(t, 0.0f, (float)CURVE_KNOTS), past = t - in;
	float f = px_floor(px_min(in, (float)(CURVE_KNOTS - 1)));
	int32_t k = (int32_t)f;
	return knot[k] + (in - f) * (knot[k + 1] - knot[k]) + past * (past > 0.0f ? b->after : b->before);
}
IN_INLINE void grade_curve_row(float *IN_RESTRICT p, const struct curve_table *table, int n)
{
	const struct curve_table b = *table;
	if (!b.knot) return;
	for (int i = 0; i < n; i++) p[i] = grade_table_at(&b, b.knot, p[i]);
}

/* Luma as the ASC CDL weighs it. */
IN_INLINE float grade_luma(float r, float g, float b)
{ return 0.2126f * r + 0.7152f * g + 0.0722f * b; }

IN_INLINE void grade_saturate_row(float *IN_RESTRICT r, float *IN_RESTRICT g, float *IN_RESTRICT b,
                                  float sat, int n)
{
	for (int i = 0; i < n; i++) {
		float y = grade_luma(r[i], g[i], b[i]);
		r[i] = y + sat * (r[i] - y);
		g[i] = y + sat * (g[i] - y);
		b[i] = y + sat * (b[i] - y);
	}
}
/* Saturation that reaches pale colours most: 1 + amount at grey, half of that where max - min is width. */
IN_INLINE void grade_vibrance_row(float *IN_RESTRICT r, float *IN_RESTRICT g, float *IN_RESTRICT b,
                                  float amount, float width, int n)
{
	for (int i = 0; i < n; i++) {
		float c = px_max(px_max(r[i], g[i]), b[i]) - px_min(px_min(r[i], g[i]), b[i]);
		float y = grade_luma(r[i], g[i], b[i]), f = 1.0f + amount * (width / (c + width));
		r[i] = y + f * (r[i] - y);
		g[i] = y + f * (g[i] - y);
		b[i] = y + f * (b[i] - y);
	}
}
IN_INLINE void grade_mix_row(float *IN_RESTRICT p, const float *IN_RESTRICT before, float mix, int n)
{
	for (int i = 0; i < n; i++) p[i] = before[i] + mix * (p[i] - before[i]);
}

#endif
