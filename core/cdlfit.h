/* cdlfit - the ASC CDL that takes the colours of one set of pixels to those of another.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CDLFIT_H
#define IN_CDLFIT_H

#include "base.h"
#include "measure.h"

struct cdl_fit {
	double slope[3], offset[3], power[3], saturation;
	double rms, rms_before;     /* what quantiles differ by after the fit, and without it */
	double confidence;          /* 0..1 */
	bool used_power;
	bool limited[4];            /* red, green, blue; saturation */
};

/* Limits of a proposal: slope and power 0.5 to 2, offset within 0.1, saturation 0.5 to 2. */
void cdl_fit(const struct pixels *in, const struct pixels *ref, struct cdl_fit *f);

#endif
