/* media_check - is what a written clip gives back what went into it?
 *
 * Of the first and the last frame the hash and the means of 16 x 9 blocks of every plane are kept, not the
 * pictures, so that checking costs no memory. Differences are told in codes of 8 bits.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEDIA_CHECK_H
#define IN_MEDIA_CHECK_H

#include "media_write.h"

enum { CHECK_ACROSS = 16, CHECK_DOWN = 9 };
/* A plane whose mean moves this far, or a block, is bent: neither quantising nor dither does that. */
#define CHECK_MEAN_CODES 0.5
#define CHECK_BLOCK_CODES 6.0

struct check_frame { struct plane_desc d; struct pixhash hash; double block[4][CHECK_ACROSS * CHECK_DOWN]; };
struct media_check { struct check_frame first, last; };

void check_frame(struct check_frame *f, const struct planes *p);
/* Largest differences of two frames' plane and block means, in codes of 8 bits. */
struct check_bend { double mean, block; int plane; };
struct check_bend check_compare(const struct check_frame *in, const struct check_frame *out);

/* Decodes first and last frame of the file at `open` (the clip s before it has its name).
 * E_OUTPUT when it cannot be decoded or has other frames, another size or rate; a warning
 * when colour or a tag came out bent. */
int media_check_clip(const struct media_check *k, const struct write_spec *s, const char *open,
                     struct err *e);

#endif
