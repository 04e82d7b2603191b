/* media_hdr - HDR metadata in words, and the light levels that pictures really have.
 *
 * MaxCLL is the brightest max(R, G, B) of any pixel, MaxFALL the brightest mean of max(R, G,
 * B) of any frame, both in nits (CTA-861.3, annex P). Pixels are counted in a histogram of 4096
 * PQ codes, so that sums are whole numbers.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEDIA_HDR_H
#define IN_MEDIA_HDR_H

#include "media_write.h"

enum { LIGHT_CODES = 4096 };

/* mastering: "SPACE MAX MIN", the primaries of a colour space and two luminances in nits; light:
 * "MAXCLL MAXFALL". Empty texts mean nothing. E_SCENE names what is wrong. */
int hdr_parse(const char *mastering, const char *light, struct hdr_spec *h, struct err *e);

/* Adds the pixels of a row of PQ codes (0..1) to count[LIGHT_CODES]. */
void light_count(uint32_t *count, const float *r, const float *g, const float *b, int n);
struct light { float max, mean; };           /* nits */
struct light light_of(const uint32_t *count);

#endif
