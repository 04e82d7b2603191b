/* verb_grain - what the files of the verb `grain` share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_VERB_GRAIN_H
#define IN_VERB_GRAIN_H

#include "cli.h"
#include "grain_measure.h"

/* Measures any file that `read` reads, in its own encoding (ACEScct where that is linear light). */
int grain_of_clip(const struct cli *c, const char *file, struct grain_profile *p, struct grain_report *r, struct err *e);

/* Plots of one profile, or of two over each other (b may be NULL), as PNG. */
int grain_plot(const char *png, const struct grain_profile *a, const char *name_a, const struct grain_profile *b,
               const char *name_b, struct err *e);

#endif
