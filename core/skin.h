/* skin - where skin sits on the vectorscope, and what a declared skin is.
 *
 * The angle is atan2(Cr, Cb) of the Rec.709 signal with Cb and Cr equally scaled (SCIENCE 2.6): the
 * line that scopes draw stands at 123 degrees. It is an aid to the eye, no target. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SKIN_H
#define IN_SKIN_H

#include "base.h"

#define SKIN_LINE 123.0

/* A declared skin: what was measured of it, and how far a grade may turn it. spread 0: not measured yet. */
struct skin_ref { double hue, spread, chroma, luma, drift, soft; };

/* Rec.709 signal to Y', Cb, Cr. */
void skin_ycc(const double rgb[3], double ycc[3]);
/* Degrees, 0 up to 360. */
double skin_angle(const double rgb[3]);
/* From a to b, -180..180. */
double skin_turn(double a, double b);

/* Whether a Rec.709 signal looks like skin at all: broad, and no proof. */
bool skin_likely(const double rgb[3]);

struct skin_stats {
	size_t n;
	double share;               /* of all pixels that counted as skin */
	double hue, iqr;            /* median and interquartile range, degrees */
	double within5, within10;   /* share of the skin that is so near the line */
	double chroma, luma;        /* medians */
};
/* n pixels of Rec.709 signal. like NULL: what looks like skin at all (an automatic mask:
 * it measures, it never changes pixels). like: what looks like that skin. all: every
 * pixel counts. n 0: nothing was found. */
enum skin_pick { SKIN_ANY, SKIN_LIKE, SKIN_ALL };
void skin_measure(const float *const p[3], size_t n, enum skin_pick pick,
                  const struct skin_ref *like, struct skin_stats *out);
/* "skin at 118.0 degrees (-5.0 from the line), spread 6.1, 62 % within 10, 8
 * % of the picture", or "no skin". */
void skin_text(const struct skin_stats *s, char *out, size_t n);

#endif
