/* power_table - see power_table.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "power_table.h"

#include <stdlib.h>

#include "mathx.h"
#include "mem.h"

enum { OCTAVE = 1 << (23 - POWER_SHIFT), EXPONENTS = 256 };

/* Halves far below the normal floats count as 0, those beyond all floats as the largest. */
static float half_of(double p)
{
	const double most = 0x1.fffffep+127;
	p *= 0.5;
	return p < 0x1p-127 ? 0.0f : p < most ? (float)p : (float)most;
}

void power_table_make(struct power_table *t, float exponent)
{
	const double y = (double)exponent;
	double step[OCTAVE];
	*t = (struct power_table){ .a = { (float)y, (float)(y * (y - 1) / 2), (float)(y * (y - 1) * (y - 2) / 6) } };
	if (!(y > 0 && y <= 3) || y == 1) return;
	t->v = xalloc(2 * POWER_PLACES + POWER_END + POWER_NEAR, sizeof *t->v);
	t->plain = t->v + 2 * POWER_PLACES;
	for (int i = 0; i < OCTAVE; i++) step[i] = mx_pow(1 + (double)i / OCTAVE, y);
	for (int k = 0; k < EXPONENTS; k++) {
		double whole = mx_exp2(y * (k - 127)), back = mx_exp2(127 - k);
		for (int i = 0; i < OCTAVE; i++) {
			float *v = t->v + 2 * (k * OCTAVE + i);
			/* what has no full mantissa counts as 2^-127 */
			v[0] = half_of(k ? whole * step[i] : whole);
			v[1] = k && k < 255 ? (float)(back / (1 + (double)i / OCTAVE)) : 0.0f;
		}
	}
	for (int i = POWER_FROM; i < POWER_END; i++) t->plain[i] = 2 * t->v[2 * i];
}

void power_table_free(struct power_table *t)
{
	free(t->v);
	t->v = t->plain = NULL;
}
