/* power_table - c^y at places c all over the positive floats, for px_power.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_POWER_TABLE_H
#define IN_POWER_TABLE_H

#include "base.h"

/* Places: floats whose lower POWER_SHIFT bits are 0. */
enum { POWER_SHIFT = 18, POWER_PLACES = 1 << (31 - POWER_SHIFT) };

/* Places of plain numbers, from 2^-20 to below 2^20. POWER_NEAR are read at once, beyond the end too. */
enum {
	POWER_FROM = (127 - 20) << (23 - POWER_SHIFT), POWER_END = (127 + 20) << (23 - POWER_SHIFT),
	POWER_NEAR = 16
};

/* v: a pair a place, half of c^y (finite) and 1 / c; NULL: no table, the power is 1 or beyond what a
 * table serves. plain: c^y, of the plain places alone. a: y, y (y - 1) / 2, y (y - 1) (y - 2) / 6.
 * Threads: frozen. */
struct power_table { float *v, *plain, a[3]; };

/* 0 < y <= 3 and not 1, else without a table. */
void power_table_make(struct power_table *t, float y);
void power_table_free(struct power_table *t);

#endif
