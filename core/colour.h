/* colour - named colour spaces and exact transforms between them.
 * A space is a transfer curve over a set of primaries. Curves are odd (mirrored) below 0 where they
 * have no own definition there, and continue above 1: nothing is clipped.
 * Formulas: SCIENCE section 2.4. Threads: frozen.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_COLOUR_H
#define IN_COLOUR_H

#include "base.h"
#include "err.h"

/* Space ids are indices of one table. Names: rec709 (display-referred, pure 2.4), rec709-camera (OETF),
 * srgb, rec601 (SMPTE-C primaries, pure 2.4), rec2020, p3-d65, pq, hlg, aces2065-1, acescg, acescct, acescc,
 * logc3, logc4, slog3, vlog, log3g10, applelog, linear-rec709, linear-rec2020,
 * linear-p3-d65, ..., raw (no colour). */
enum { SPACE_NONE = -1 };
int colour_find(const char *name);              /* id or SPACE_NONE */
const char *colour_name(int id);
int colour_count(void);
const char *const *colour_names(void);          /* colour_count() names, for messages */
/* id of the space that param=name names, or -1 with a message that lists the names. */
int colour_named(const char *param, const char *name, struct err *e);
const char *colour_doc(int id);
bool colour_is_linear(int id);                  /* no transfer curve */
bool colour_is_display(int id);                 /* display-referred encodings: rec709, srgb, p3-d65, ... */
int colour_linear_of(int id);                   /* same primaries, no curve */
/* CIE xy of R,G,B,W of the space's primaries: 8 doubles (for EXR chromaticities). */
void colour_primaries(int id, double xy[8]);
void colour_luma(int id, double w[3]);          /* luminance weights of the primaries */

/* RGB to RGB of linear values between the primaries of two spaces, Bradford-adapted. */
void colour_matrix(int from, int to, double m[9]);
void colour_rgb_to_xyz(int id, double m[9]);    /* no adaptation */
void mat3_mul(const double a[9], const double b[9], double out[9]);
int  mat3_inv(const double a[9], double out[9]);/* -1 when singular */
/* Bradford adaptation from white xy to white xy. */
void colour_adapt(const double from_xy[2], const double to_xy[2], double m[9]);

/* Scalar curves in double, for set-up, solve and tests. linear light, white = 1.0 */
double colour_decode(int id, double v);         /* encoded to linear */
double colour_encode(int id, double v);         /* linear to encoded */

/* A frozen transform that px_colour.h applies to rows of R,G,B. */
struct colour_xform { int from, to; bool identity, has_matrix; float m[9]; int decode, encode; };
void colour_xform_init(struct colour_xform *x, int from, int to);

#endif
