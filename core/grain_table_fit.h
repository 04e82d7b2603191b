/* grain_table_fit - what the files of the joint fit share: the parameters of the three planes as numbers, and what they
 * make of red, green and blue.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAIN_TABLE_FIT_H
#define IN_GRAIN_TABLE_FIT_H

#include "fft.h"
#include "grain_table_int.h"

enum {
	FIT_ROWS = GT_N / 2 + 1, FIT_BINS = FIT_ROWS * GT_N, FIT_RINGS = 46, FIT_OCTAVES = 6,
	/* a plane's coefficients and its share of luma (chroma's only), one plane after the other; the planes' deviations */
	FIT_PLANE = TABLE_TAPS + 1, FIT_DEV = 3 * FIT_PLANE, FIT_PARAMS = FIT_DEV + 3,
	/* of a channel: decibels by ring, cross densities by ring, octaves, all of it, all of its cross density */
	FIT_OF_CHANNEL = 2 * FIT_RINGS + FIT_OCTAVES + 2, FIT_RESIDUALS = 3 * FIT_OF_CHANNEL + FIT_DEV + 3
};

/* A plane's recursion: its response, what it makes of white noise and the mean of that; the share of its answer to an
 * impulse that is farther away than the template's margin. */
struct fit_response { double re[GT_NN], im[GT_NN], power[GT_NN], mean, far; };

struct fit {
	bool sub;
	int bits;
	double m[3][3], cs[GT_N];
	int dx[TABLE_TAPS], dy[TABLE_TAPS], back[TABLE_TAPS];        /* back: in rows of answers to an impulse */
	int ring[FIT_BINS], half[FIT_BINS], octave[FIT_RINGS];
	double times[FIT_BINS];              /* of a bin: how many it stands for */
	struct gt_up up;
	double hann[2][GT_N];                /* windows of luma, of chroma of half the size */
	double under[3][FIT_RINGS];          /* what is wanted, seen through them */
	struct fft fft[2];                   /* of both */
	int near[GT_NN][4];                  /* what luma's density of half the size is made of */
	double part[GT_NN][4][4];
	double want[3][FIT_RINGS], cross[3][FIT_RINGS], weight[3][FIT_RINGS], n[FIT_RINGS];
	double blocks[3][FIT_RINGS];         /* what blocks of their own do to the rings of the channels */
	double seen[3][FIT_OCTAVES];         /* what templates, whole numbers and their ends do to the octaves beside that */
	double by[FIT_PARAMS];               /* the parameters; deviations as they are */
	double calm;                         /* weight of the coefficients' own squares: small ones bear rounding and die away */
	struct fit_response plane[3][2];     /* as they are, [p][now[p]], and as they were before a try */
	double small[2][GT_NN], was;         /* luma's density at half the size; the parameter before a try */
	int now[3];
	double have[3][FIT_RINGS], both[3][FIT_RINGS];
};

/* f of zeros; densities of R, G, B and cross densities as gt_fit has them. All parameters and calm are 0. */
void fit_begin(struct fit *f, const struct grain_picture *to, const double *const own[3], const double *const cross[3]);
/* Changes one parameter; takes the last such change back. */
void fit_try(struct fit *f, int param, double step);
void fit_back(struct fit *f, int param);
/* Computes the responses of the parameters by. */
void fit_refresh(struct fit *f);
/* How far it is from what is wanted; the sum of the squares. */
double fit_residuals(struct fit *f, double r[FIT_RESIDUALS]);
/* What blocks of their own do to the rings of what the parameters make. */
void fit_block_shares(struct fit *f);
/* Does the plane's recursion die away? */
bool fit_stable(const struct fit *f, int plane);

/* What a frame of that seed has of R, G, B by rings (sums over all bins), in so many windows (two at a time); unit: what
 * a code of 8 bits of each plane's template is worth. */
void fit_show(const struct fit *f, const struct grain_params *g, unsigned seed, int windows, const double unit[3],
              double ring[3][FIT_RINGS]);
/* Learns what is seen of the parameters g, which f has, with the planes' deviations dev. */
void fit_learn(struct fit *f, const struct grain_params *g, const double dev[3]);
/* The seed from which clips of any length show most nearly what is wanted; how far from it, in dB, long ones are in the
 * worst octave that the planes can hold. */
int fit_seed(const struct fit *f, const struct grain_params *g, const double dev[3], double *off);

/* The parameters that leave least, from where they are, in at most that many turns; those that are held stay. The sum
 * that is left. Planes stay stable. */
double fit_descend(struct fit *f, const bool held[FIT_PARAMS], int turns);
/* The same with all coefficients in whole steps of unit, of at most 127. */
double fit_round(struct fit *f, double unit);

#endif
