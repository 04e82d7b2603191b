/* cdlstat - what tells two sets of pixels apart, number by number, and a fit
 * held so that no number gets worse.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CDLSTAT_H
#define IN_CDLSTAT_H

#include "cdlfit.h"

/* Of red, green, blue, luma: mean, deviation and the percentiles 2 10 25 50 75 90 98;
 * of chroma (the distance from luma, whatever the hue): mean and deviation. All in
 * acescct, where 1/17.52 is a stop. */
enum { STAT_EACH = 9, STAT_COUNT = 4 * STAT_EACH + 2 };
struct cdl_stats { double v[STAT_COUNT]; };
void cdl_stats_of(const struct pixels *p, struct cdl_stats *s);
/* "red 2 %", "luma mean", "chroma deviation"; frozen */
const char *cdl_stat_name(int i);

#endif
