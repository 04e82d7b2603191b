/* grain_table - film grain tables of AV1 ("filmgrn1" text), to and from profiles.
 *
 * The model (AV1 specification 6.8.20, 7.18.3): an auto-regressive luma template of 8-bit
 * deviation 32 or so, chroma templates with a share of luma's, scaled by piecewise linear
 * functions of luma. Threads: frozen.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAIN_TABLE_H
#define IN_GRAIN_TABLE_H

#include "err.h"
#include "grain_profile.h"
#include "yuv.h"

enum { TABLE_Y = 14, TABLE_C = 10, TABLE_LAG = 3, TABLE_TAPS = 24 };

/* One set of parameters, in the words of the file. */
struct grain_params {
	int64_t start, end;                  /* 1/10,000,000 s */
	int apply, seed, update;
	int lag, ar_shift, grain_shift, scaling_shift, chroma_from_luma, overlap;
	int cb_mult, cb_luma_mult, cb_offset, cr_mult, cr_luma_mult, cr_offset;
	int ny, ncb, ncr;
	int y[TABLE_Y][2], cb[TABLE_C][2], cr[TABLE_C][2];
	int ay[TABLE_TAPS], acb[TABLE_TAPS + 1], acr[TABLE_TAPS + 1];
};

/* The first set that applies; how many there are in *n unless NULL. E_INPUT names file and line. */
int grain_table_parse(const char *text, const char *path, struct grain_params *out, int *n, struct err *e);
/* The file of one set, malloc'd. */
char *grain_table_text(const struct grain_params *g);

/* The picture that grain comes to. Chroma of half the size is brought up by readers about where its samples are (AUTO:
 * left); bits: of the codes, 8 to 12, to which a decoder rounds templates and grain. */
struct grain_picture { enum yuv_matrix matrix; bool full, subsampled; enum yuv_siting siting; int bits; };
/* What a table is for where nobody says: BT.709, limited range, 4:2:0, 10 bits. */
#define GRAIN_PICTURE ((struct grain_picture){ YM_BT709, false, true, YS_LEFT, 10 })
/* What a decoder would add to a picture, as a profile of R,G,B. lines: of the picture. */
void grain_table_profile(const struct grain_params *g, const struct grain_picture *to, int lines,
                         struct grain_profile *p);
/* The nearest parameters; *off: how far, in dB, what long clips then show is from the profile, in the octave that is
 * worst of those that the planes can hold (TABLE_OFF and more are worth saying). 0, or -1 with E_INPUT when the grain is
 * too strong for the model. */
#define TABLE_OFF 0.5
int grain_table_from(const struct grain_profile *p, const struct grain_picture *to, struct grain_params *g, double *off,
                     struct err *e);

#endif
