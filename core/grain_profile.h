/* grain_profile - the measured or designed character of a grain, and its small text file.
 * Threads: worker; frozen once read.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAIN_PROFILE_H
#define IN_GRAIN_PROFILE_H

#include "err.h"

/* Model: n_c(x, y) = sigma_c(L) (h_c * w)(x, y). Strength is the standard deviation of the encoded
 * signal (1.0 is full scale of the encoding named by `space`) as a piecewise linear table over the
 * encoded luma L; shape is a power spectrum per channel, meant to be of unit variance (white is
 * 0 dB everywhere; users of a shape normalise it); the channels' Gaussian fields are correlated
 * among each other and, for sources whose grain boils or is frozen, in time.
 *
 * The file (`.grain`), UTF-8, a statement a line, `#` begins a comment, numbers locale-free, text
 * in double quotes with \" and \\:
 *
 *	grain 1                         the first statement; required like space, height, strength
 *	name "35 mm colour, medium"     and spectrum
 *	source "clip.mp4" frames 1-24 size 1920x1080      frames and size may be missing
 *	method temporal                 temporal | spatial | recipe | table (the default)
 *	unsure "why"                    measured, but texture may count as grain; mostly missing
 *	space rec709                    the encoding of strength and luma
 *	height 1080                     lines of a picture; frequencies are in cycles per pixel of it
 *	strength 0.05 0.010 0.009 0.014           luma, sigma of R, G, B; ascending
 *	correlation 0.31 0.27 0.22                RG, RB, GB
 *	temporal 0.01 0.00 0.02                   lag-1 correlation of R, G, B
 *	spectrum 0.015625 -3.1 -3.2 -2.0          cycles per pixel, dB of R, G, B; ascending
 *	aniso 1.00 1.00 1.00                      ratio of the vertical to the horizontal extent
 *	lattice 8 2.5                             period in pixels, height of its peaks in dB
 *
 * The spectrum is radial, linear in dB over frequency between its lines and held beyond them, up to
 * 0.7072 (the corner). `aniso` a squeezes it without changing its variance: the radius of (fx, fy)
 * is hypot(fx / sqrt(a), fy * sqrt(a)). A lattice is told, never part of the power. Where three
 * numbers stand, one stands for three; a profile of one channel repeats its values. */
enum { GRAIN_STRENGTHS = 64, GRAIN_BANDS = 128, GRAIN_LATTICES = 8 };
enum grain_method { GRAIN_TEMPORAL, GRAIN_SPATIAL, GRAIN_RECIPE, GRAIN_TABLE };

struct grain_profile {
	char name[128], source[512];
	char unsure[256];                       /* why the measure is not to be trusted; empty: it is */
	enum grain_method method;
	int first, last, width, height;         /* frames and picture that were measured; 0: none */
	int space, lines;                       /* colour_space, lines that frequencies refer to */
	int nstrength, nband, nlattice;
	double luma[GRAIN_STRENGTHS], sigma[GRAIN_STRENGTHS][3];
	double freq[GRAIN_BANDS], db[GRAIN_BANDS][3];
	double corr[3];                         /* RG, RB, GB */
	double rho[3];                          /* lag-1 temporal correlation */
	double aniso[3];
	double lattice_period[GRAIN_LATTICES], lattice_db[GRAIN_LATTICES];
};

/* 0, or -1 with e->code E_INPUT and the line (unreadable, not a profile, out of range). The name in
 * messages is path. */
int grain_profile_read(const char *path, struct grain_profile *p, struct err *e);
int grain_profile_parse(const char *text, const char *path, struct grain_profile *p, struct err *e);
/* The canonical text, malloc'd: parsing it gives the same profile, writing that the same text. */
char *grain_profile_text(const struct grain_profile *p);

/* sigma of channel c at luma L (held beyond the ends); spectrum in power (1: white) at (fx, fy). */
double grain_profile_sigma(const struct grain_profile *p, int c, double luma);
double grain_profile_power(const struct grain_profile *p, int c, double fx, double fy);

#endif
