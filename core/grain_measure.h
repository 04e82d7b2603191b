/* grain_measure - strength, spectrum, correlations of a clip's grain from its frames.
 *
 * Two estimators. Temporal: differences of neighbouring frames, or of three in a row where that leaves less of a
 * moving picture, along their motion, in blocks where nothing else changed; no picture detail gets in. Spatial:
 * what a plane leaves over in the flattest blocks of single frames. Sums run in one fixed order: the same numbers on
 * every machine. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAIN_MEASURE_H
#define IN_GRAIN_MEASURE_H

#include <stdatomic.h>

#include "err.h"
#include "grain_profile.h"

/* Frames in the encoding that is measured. */
struct grain_source {
	void *user;
	int n; const int *frame;             /* numbers, ascending; neighbours in number are neighbours in time */
	int w, h;
	/* Fills three planes of w * h floats with R,G,B of frame[i]; asked once each, ascending. */
	int (*get)(void *user, int i, float *const rgb[3], struct err *e);
};

enum grain_choice { GRAIN_AUTO, GRAIN_BY_TIME, GRAIN_BY_SPACE };

struct grain_opts {
	enum grain_choice method;
	int space;                           /* colour_space of the frames */
	/* Step of the code values, 0 for float: the variance of rounding is taken out. common: the three
	 * channels share it (luma codes). */
	double step; bool common;
	const atomic_int *cancel;            /* or NULL */
};

struct grain_report {
	int pairs, held, frames;             /* pairs measured, left out as repeated frames; frames for flat blocks */
	int block, blocks, used;             /* side; of all, that temporal differences were taken from */
	int flat;                            /* flat blocks */
	int windows, window;                 /* of the spectrum, and their side */
	double moved;                        /* share of the blocks used that moved */
	bool temporal_ok, has_direct, has_chain;
	double direct[3];                    /* lag-1 correlation of the flat blocks themselves */
	double chain[3];                     /* from differences of three frames in a row: no picture in it */
	double spatial[3], time[3];          /* mean sigma of either estimator, 0: none */
	double se_strength, se_db, se_corr;  /* standard errors, relative, dB and absolute */
	char why[256];                       /* which estimator and why */
	char verdict[256];                   /* grain, boiling, frozen, none; in words */
	bool boiling, frozen, none;
	bool unsure;                         /* spatial: texture may count as grain; the profile is not to be trusted */
	char doubt[200];                     /* and why, or what speaks for it; empty by time */
};

/* 0; -1 with E_INPUT when no grain can be measured (why is said), E_MEMORY, E_CANCEL. */
int grain_measure(const struct grain_source *s, const struct grain_opts *o, struct grain_profile *p,
                  struct grain_report *r, struct err *e);

/* How two profiles differ, b against a. Bands are octaves of cycles per pixel, last up to the corner. */
enum { GRAIN_OCTAVES = 6, GRAIN_LEVELS = 9 };
struct grain_diff {
	double from[GRAIN_OCTAVES], to[GRAIN_OCTAVES];      /* cycles per pixel of a */
	double power[2][GRAIN_OCTAVES][3];   /* dB of either, mean power over the band's area */
	double band[GRAIN_OCTAVES][3];       /* dB, b - a */
	double worst[3];                     /* largest |dB| of the spectra, where a is above -30 dB */
	int nlevel; double luma[GRAIN_LEVELS], sigma[2][GRAIN_LEVELS][3];
	double strength[3];                  /* rms relative difference of the strengths */
	double corr[3], rho[3];              /* b - a */
};
void grain_compare(const struct grain_profile *a, const struct grain_profile *b, struct grain_diff *d);

#endif
