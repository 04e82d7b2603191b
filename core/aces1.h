/* aces1 - the output transforms of ACES 1.x as plain formulas: reference
 * rendering, tone splines, display limit.
 *
 * Sources: Academy S-2014-002 and the transforms of ACES 1.3: glow, red modifier, RRT spline and
 * 48-nit spline (SDR), single stage tone scale (HDR). Threads: frozen after aces1_init.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_ACES1_H
#define IN_ACES1_H

#include "base.h"

enum { ACES1_KNOTS = 15 };

/* A quadratic spline that goes on straight at both ends: y + s (x - x[0]) +
 * sum of d[i] max(0, x - x[i])^2. */
struct aces1_spline { int n; double x[ACES1_KNOTS], d[ACES1_KNOTS], y, s; };

enum aces1_display { ACES1_REC709, ACES1_P3D65, ACES1_REC2020 };

struct aces1 {
	double ap0_ap1[9], rrt_sat[9], odt_sat[9], to_display[9], from_limit[9];
	struct aces1_spline first, second;   /* second.n 0: there is one stage only */
	double black, scale, gain;           /* of the light after the splines; of the result */
	double luma[3];
	bool sdr, limit;
};

/* peak 0: SDR video, 48 nits in a dim surround; else HDR video with that peak and mid-grey
 * at 15 nits. limit: the light is held to what the display can show, as the Academy's
 * transforms do. px_aces1.h applies it. */
void aces1_init(struct aces1 *a, enum aces1_display display, double peak, bool limit);
#endif
