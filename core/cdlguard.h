/* cdlguard - holds a fit back where it would take a statistic farther from the reference's.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CDLGUARD_H
#define IN_CDLGUARD_H

#include "cdlstat.h"

/* What one 8-bit code at mid-grey is in acescct, a 28th of a stop: less is no
 * difference to see in such clips. */
#define GUARD_SLACK 0.002
/* What counting in bins leaves of a statistic. */
#define GUARD_LEAST 2e-4

/* What is compared: the frames that were fitted, those that were held out. Borrowed. scatter:
 * what a statistic's gap is by chance, as the frames show (three standard errors, since there
 * are 76 numbers): a smaller one is none that could be measured. */
struct guard_set { const struct pixels *in, *ref; double scatter[STAT_COUNT]; };
/* The variance of each statistic between frames, of which the i-th has n[i] pixels of p; 0 when
 * there is but one. */
void cdl_scatter(const struct pixels *p, const size_t *n, int frames, double var[STAT_COUNT]);

struct guard_report {
	struct cdl_stats ref, before, after;    /* of the last set */
	int nearer, same, worse;                /* of its statistics; same: as far, or within its scatter */
	double gap_before, gap_after;           /* the mean of all */
	double most;                            /* beyond both what it was and its scatter, at most; 0: none */
	double worst;                           /* the same, given way by scatter, by GUARD_SLACK at most */
	bool held;                              /* the fit was changed */
};
/* The f of least gaps under which no statistic of any set ends farther from its reference than
 * it was, unless within its scatter; where that leaves nearly all of the gaps, the one under
 * which none goes farther by more than its scatter and GUARD_SLACK. together: all channels by
 * one curve, and only their offsets' share of white may be given back. */
void cdl_hold(const struct guard_set *set, int nset, bool together, struct cdl_fit *f,
              struct guard_report *r);
/* Counts what `after` says against ref and before. */
void guard_count(const double scatter[STAT_COUNT], struct guard_report *r);
/* "red mean 12>1, deviation ...": what each statistic is off before and after, in
 * thousandths; to a text of n bytes. */
void guard_note(const struct guard_report *r, char *note, size_t n);

#endif
