/* cdlguard - holds a fit back where it would take a statistic farther from the reference's.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CDLGUARD_H
#define IN_CDLGUARD_H

#include "cdlstat.h"

/* What one 8-bit code at mid-grey is in acescct, a 28th of a stop: less is no
 * difference to measure in such clips. */
#define GUARD_SLACK 0.002

/* What is compared: the frames that were fitted, those that were held out. Borrowed. */
struct guard_set { const struct pixels *in, *ref; };
struct guard_report {
	struct cdl_stats ref, before, after;    /* of the last set */
	int nearer, same, worse;                /* of its statistics; same: as far as before within GUARD_SLACK */
	double gap_before, gap_after;           /* the mean of all */
	double most;                            /* by which the farthest went, beyond GUARD_SLACK; 0: none did */
	double worst;                           /* by which one went farther at most */
	bool held;                              /* the fit was changed */
};
/* Moves f as little as it takes for every statistic of every set to be no farther from its
 * reference than before plus GUARD_SLACK. together: all channels by one curve, and only their
 * offsets' share of white may be given back. */
void cdl_hold(const struct guard_set *set, int nset, bool together, struct cdl_fit *f,
              struct guard_report *r);
/* Counts what `after` says against ref and before. */
void guard_count(struct guard_report *r);
/* "red mean 12>1, deviation ...": what each statistic is off before and after, in
 * thousandths; to a text of n bytes. */
void guard_note(const struct guard_report *r, char *note, size_t n);

#endif
