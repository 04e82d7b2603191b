/* cdlfit - the ASC CDL that takes the colours of one set of pixels to those of another, in acescct.
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

/* Limits of a proposal: slope and power 0.5 to 2, offset within 0.1, saturation 0.5
 * to 2. Pixels need not correspond. */

/* Quantiles of each channel, and saturation from the correlations: everything that a CDL can match. */
void cdl_fit(const struct pixels *in, const struct pixels *ref, struct cdl_fit *f);

/* Exposure (the median of luma), white and black (99 and 1 %) by one curve for all channels; gain:
 * what the white of the reference is against that of the shot, in linear light, green = 1. */
void cdl_fit_levels(const struct pixels *in, const struct pixels *ref, const double gain[3],
                    struct cdl_fit *f);
/* Mean and deviation of each channel, of what lies between 1 and 99 % (Reinhard
 * and others 2001, in acescct). */
void cdl_fit_mean(const struct pixels *in, const struct pixels *ref, struct cdl_fit *f);
/* The linear map of least movement that takes mean and covariance to the reference's
 * (Monge-Kantorovich; Pitie and Kokaram 2007), y = m x + add, and the slope,
 * offset and saturation nearest to it. */
void cdl_fit_kantorovich(const struct pixels *in, const struct pixels *ref, double m[9],
                         double add[3], struct cdl_fit *f);

/* rms, rms_before and confidence of a fit that matches distributions. */
void cdl_judge(const struct pixels *in, const struct pixels *ref, struct cdl_fit *f);
/* The fit applied, saturation included; out has room for in->n pixels. */
void cdl_apply(const struct cdl_fit *f, const struct pixels *in, struct pixels *out);
/* What the quantiles of a and b differ by, over all channels. */
double cdl_gap(const struct pixels *a, const struct pixels *b);

#endif
