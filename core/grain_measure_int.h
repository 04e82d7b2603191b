/* grain_measure_int - what the files of grain_measure share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAIN_MEASURE_INT_H
#define IN_GRAIN_MEASURE_INT_H

#include "fft.h"
#include "grain_measure.h"

enum { GM_BLOCK = 32, GM_WINDOW = 64, GM_FINE = 512, GM_KNOTS = 20 };
/* Degree of the polynomial that is taken out of a flat block, and how many it has. */
enum { GM_DEGREE = 3, GM_TRENDS = (GM_DEGREE + 1) * (GM_DEGREE + 2) / 2 };
/* Luma that the fine bins span. */
#define GM_LOW  (-0.5)
#define GM_HIGH 1.5

/* One frame: its planes, its luma blurred, and which blocks touch black or white. */
struct gm_frame {
	int w, h, bw, bh, number;
	float *rgb[3], *soft;
	uint8_t *clipped;                    /* by block */
	float *mem;
};
int  gm_frame_new(struct gm_frame *f, int w, int h, struct err *e);
void gm_frame_free(struct gm_frame *f);
/* luma: weights of R,G,B; tmp: w * h floats. */
void gm_frame_ready(struct gm_frame *f, const double luma[3], float *tmp);

/* What is finer than about ten pixels. */
static inline double gm_fine_at(const float *p, ptrdiff_t w)
{
	return (double)p[0] - ((double)p[-2] + (double)p[2] + (double)p[-2 * w] + (double)p[2 * w]) / 4;
}

/* GM_SEEN: the first ring of flat blocks; what trends leave of the one before tells nothing. */
enum { GM_SEEN = 1, GM_RINGS = 24, GM_PARTS = 16, GM_SIDE = GM_BLOCK / 2 + 1, GM_BINS = GM_SIDE * GM_SIDE };
struct gm_spec;
/* The noise alone, of unit gain, in blocks: a difference of two frames over the root of 2. */
struct gm_field {
	int w, h, bw, bh, first;             /* frame number of the earlier frame */
	float *d[3], *luma;
	uint8_t *use, *sound;                /* by block: accepted; may be asked at all */
	uint8_t *band, *passed;              /* by block: bit b: clean in band b; accepted before it was asked for bands */
	float *shift, *slip;                 /* by block: shares of the difference that are its mean and follow the gradient */
	int16_t *mv;                         /* by block: x, y to the later frame */
	bool second;                         /* of three frames: d and luma are second differences' */
	float *mem;
};
int  gm_field_new(struct gm_field *f, int w, int h, struct err *e);
void gm_field_free(struct gm_field *f);
/* mv stands in the field. False when the frames are the same picture repeated. */
bool gm_field_fill(struct gm_field *f, const struct gm_frame *a, const struct gm_frame *b);
/* How much of the difference is a change of light, and how much follows the gradient; false where there is none. */
bool gm_block_shares(struct gm_field *f, int bx, int by);
/* The block at x, y lies over clipped blocks. */
bool gm_touches_clipped(const struct gm_frame *b, int x, int y);
/* Do second differences over three frames hold less than f, of the first two? Next: of the last two. */
bool gm_second_better(const struct gm_field *f, const struct gm_field *next, const struct gm_frame *a, const struct gm_frame *b,
                      const struct gm_frame *c);
/* Makes f one of second differences. */
void gm_second_fill(struct gm_field *f, const struct gm_field *next, const struct gm_frame *a, const struct gm_frame *b,
                    const struct gm_frame *c);
int  gm_motion(struct gm_field *f, const struct gm_frame *a, const struct gm_frame *b, struct err *e);
/* More than a few of the blocks went somewhere. */
bool gm_moves(const struct gm_field *f);
/* Of differences that follow each other, which share frames, as many tell as much as one alone. */
static inline double gm_shared(bool second) { return second ? 1.9 : 1.5; }

/* Variance against luma, piecewise linear. */
struct gm_curve { int n; double luma[GRAIN_STRENGTHS], var[3][GRAIN_STRENGTHS], weight[GRAIN_STRENGTHS]; };
double gm_curve_at(const struct gm_curve *c, int ch, double luma);

/* Accepts the blocks in which nothing but grain differs, and gives the strength; blocks accepted. area: pixels of grain
 * that go together, for what its own mean may be. */
int gm_gate(struct gm_field *f, int n, double area, struct gm_curve *curve);
/* area: pixels of grain that go together, to smooth the curve; 0: as it is. */
void gm_strength(const struct gm_field *f, int n, int knots, double area, struct gm_curve *out);
/* Narrows use down to the blocks in which nothing of the picture is seen, as many as are needed, and marks the bands that each is
 * clean in; the curve by them. How many; spec: of GM_BLOCK. */
int  gm_sift(struct gm_field *f, int n, const struct gm_spec *spec, struct gm_curve *curve);
/* Bands of rings, of one octave or less. */
enum { GM_BANDS = 6 };
int  gm_band_of(int ring);
/* Share of the variance that differences keep of noise of that lag-1 correlation. */
double gm_kept(const struct gm_field *f, double rho);
/* Lag-1 correlation per channel, of what is fine in it, from fields that follow each other, if there are any. */
bool gm_chain(const struct gm_field *f, int n, double rho[3]);

/* How much a bin of a flat block under the window sees of the grain's power by frequency, of GM_WINDOW squared from 0 on: without
 * the trend, and with it. */
struct gm_seen { int n; uint16_t *at; double *share; };
struct gm_sight { int bin; struct gm_seen left, all; };

/* Power and cross spectra: means over windows, n by n, frequency 0 first. */
struct gm_spec {
	int n, count;
	double *p[3], *x[3];                 /* of R,G,B; real parts of RG, RB, GB */
	struct fft fft;
	double trend[GM_DEGREE + 1][GM_BLOCK];               /* polynomials over a block's side, orthonormal */
	struct gm_sight *sight; int nsight;  /* of flat blocks: the bins that trends have a part of */
	double *left[3];                     /* of flat blocks: shares of the bins that trends left of each channel's grain, put back */
	double *win, *mem;
	double *part;                        /* of the windows that each bin has, or NULL */
	double bins;                         /* that correlations come from */
	double odd;                          /* of flat blocks: standard errors by which channels share more at low rings than above */
	int each[GM_RINGS];                  /* windows by ring, where they were added so */
	uint8_t *ring;                       /* of every bin */
	double quant[3];                     /* sums of the share that rounding has; at the end means */
};

/* A block. ring: the energy by radius of what its plane leaves, in steps of 1 / GM_BLOCK, without a window; sums to the
 * variance; hann: of what its trend leaves, under the window, means over bins; cross: of RG, RB, GB, under the window. bin:
 * powers and cross powers under the window, means over the four bins whose frequencies differ in sign alone, rows and columns
 * 0 to GM_BLOCK / 2, in bfloat16: there are many blocks, and a bin's own chance is as much as itself. */
struct gm_patch {
	float luma, part[GM_PARTS];          /* of the whole, of its sixteenths */
	int frame, x, y, near[4];            /* near: blocks half its side away, or -1 */
	float ring[3][GM_RINGS], hann[3][GM_RINGS], cross[3][GM_RINGS];
	uint16_t bin[6][GM_BINS];
	bool flat, level;                    /* of the flatter half; of a luma whose strength is known */
	uint32_t use;                        /* bit k: clean at ring k */
};
struct gm_flat {
	double dof[2][GM_RINGS];             /* degrees of freedom of a ring: without a window, under it */
	struct gm_patch *v; int n; size_t cap;
	double *ratio[3]; int nratio; size_t cratio;      /* correlation with the next frame, per block */
	int most;                            /* blocks of a frame */
};
void gm_flat_free(struct gm_flat *f);
/* next: the following frame or NULL; mv: of the blocks, or NULL. spec: of GM_BLOCK. */
int  gm_flat_add(struct gm_flat *f, const struct gm_spec *spec, const struct gm_frame *a, const struct gm_frame *next,
                 const struct gm_field *mv, struct err *e);
/* What the blocks hold that have nothing but grain: their strength by luma and, in units of it, energies by ring (under the
 * window from GM_SEEN on). count: blocks used, by ring; whole: share of the energy that they keep of what they were chosen
 * from; keep: over what the used blocks hold. drift: how much more, as a share, is in those that look less clean; over: what
 * the middle block's low rings have beyond grain, as a share. */
struct gm_clean {
	int n;
	struct gm_curve curve;
	double shape[3][GM_RINGS], keep[3][GM_RINGS], whole[GM_RINGS], drift, part, over;
	int count[GM_RINGS];
};
/* Variance that the curve says a block has. */
double gm_flat_want(const struct gm_clean *o, const struct gm_patch *p, int c);
/* Marks the blocks to use; how many, 0 when too few. wide: of all, for high frequencies; else the flattest tell the strength. */
int gm_flat_clean(struct gm_flat *f, struct gm_clean *o, bool wide);

/* Which blocks are clean at which ring. want: variance by block and channel that grain has; shape: energies by ring; corr: of
 * the channels; least: part of the blocks that is taken at any rate. */
struct gm_pick {
	struct gm_flat *f;
	const double *want;
	double shape[3][GM_RINGS], corr[3], least, dof[GM_RINGS], whole[GM_RINGS];
	int count[GM_RINGS];
	double plane[3];                     /* grain's energy in the lowest rings of a block less its plane */
	float *u, *t, *e, *sorted, *shade; int *order;
};
void gm_pick_new(struct gm_pick *k, struct gm_flat *f);
void gm_pick_free(struct gm_pick *k);
/* Shapes and correlations of the blocks that are used, over what they keep. */
void gm_pick_begin(struct gm_pick *k, const double *want, const struct gm_clean *o);
/* Chooses by the shapes at the rings from GM_SEEN on, then takes them from what is chosen. */
void gm_pick_turn(struct gm_pick *k, const double *want);
bool gm_flat_direct(struct gm_flat *f, double rho[3]);

/* How much more, as a share, the strength by time has than that by space, as the mean of the channels at two neighbouring lumas
 * where that is most. */
double gm_excess(const struct gm_curve *time, const struct gm_curve *space, double quantum);
/* By how much, at most, as a share of its variance, what the used blocks hold differs from place to place from frame to frame
 * again: a standard deviation, by two standard errors more than it was found; huge where nothing can be told. */
double gm_lasting(const struct gm_field *f, int n, const struct gm_curve *curve, double quantum);
/* Takes from the lowest frequencies by time, and from the strength, what they have beyond those by space, where that is more than
 * chance, in dB; false where there is nothing. */
bool gm_hold_low(struct grain_profile *time, const struct grain_profile *space, double chance);

/* Observed variances at a luma, with so many degrees of freedom. */
struct gm_sample { double luma, dof, var[3]; };
/* Replaces the variances of c, at its lumas, by the likeliest smooth ones. */
void gm_fit_curve(const struct gm_sample *v, int n, struct gm_curve *c);

/* A spectrum by radius, natural logarithms. What is known of a mean periodogram: a constant taken out of it, shares that
 * each bin kept (or NULL), windows that would tell as much if they were independent, of which each bin has a part (or NULL), vertical to
 * horizontal extent. */
struct gm_radial { int n; double freq[GRAIN_BANDS], ln[GRAIN_BANDS]; };
struct gm_spectral { double add, nu, aniso; const double *left, *part; };
/* p: mean periodograms of s's window, of the channels, which are smoothed alike: one alone may follow chance. */
void gm_fit(const struct gm_spec *s, double *const p[3], const struct gm_spectral in[3], struct gm_radial r[3]);
/* Of the pair k of channels (RG, RB, GB): what the window makes of either's power and of the root of their product. */
void gm_smear(const struct gm_spec *s, const struct gm_radial r[3], const double aniso[3], int k, double *a, double *b, double *x);

/* Mean power of a channel over n by n frequencies: 1 in a profile that was just measured, over GM_WINDOW. */
double gm_mean_power(const struct grain_profile *p, int c, int n);
int  gm_spec_new(struct gm_spec *s, int n, struct err *e);
void gm_spec_free(struct gm_spec *s);
/* Rows stride apart. */
void gm_spec_add(struct gm_spec *s, const float *const d[3], ptrdiff_t stride);
/* To the rings in the mask alone; gm_spec_rings, before gm_spec_end, makes up for the windows that each ring went without. */
void gm_spec_add_rings(struct gm_spec *s, const float *const d[3], ptrdiff_t stride, uint32_t rings);
void gm_spec_rings(struct gm_spec *s);
/* Means; takes out rounding (common: from the cross spectra too) and, where flat, puts back what trends took of white grain. */
void gm_spec_end(struct gm_spec *s, bool common, bool flat);
/* Lattice peaks are put into the profile and taken out of the spectra. */
void gm_spec_lattice(struct gm_spec *s, struct grain_profile *p);
/* Scales rings. */
void gm_spec_scale(struct gm_spec *s, int rings, double keep[3][GM_RINGS]);
/* Lowest rings of flat blocks, where a trend and detail were: puts back what trends took of grain of this spectrum, not white,
 * and caps them by what those above lead to. */
void gm_spec_low(struct gm_spec *s);
/* What bins see, of those that trends have a part of. */
void gm_sights_make(struct gm_spec *s);
void gm_sights_free(struct gm_spec *s);
/* Shares of the bins' power under the window that a fitted trend leaves; power: the grain's by frequency, GM_WINDOW squared of
 * them from 0 on, or NULL: white. */
void gm_spec_left(const struct gm_spec *s, const double *power, double *left);
/* Powers of a block by radius, under the window. */
void gm_spec_block(const struct gm_spec *s, const float *const d[3], float ring[3][GM_RINGS]);
/* Energies by radius and bin of a block less its plane, d, and less its trend, flat. */
void gm_spec_patch(const struct gm_spec *s, const float *const d[3], const float *const flat[3], struct gm_patch *p);
/* Bins of a ring; radius of a bin. */
int  gm_ring_bins(int k);
int  gm_ring_at(int n, int i);
/* The mean of clean blocks, ring by ring; quantum: variance of rounding. */
void gm_spec_gather(struct gm_spec *s, const struct gm_flat *f, const struct gm_clean *o, double quantum);
/* Spectrum, correlations and anisotropy. nu: windows that would tell as much if they were independent; mean (or NULL):
 * of the spectra, with the share that rounding has. */
void gm_spec_profile(struct gm_spec *s, struct grain_profile *p, double nu, double mean[3]);

/* The polynomials. */
void gm_trend_make(double p[GM_DEGREE + 1][GM_BLOCK]);
/* out: the block less its trend of least squares, of that degree at most GM_DEGREE. */
void gm_trend_out(const double p[GM_DEGREE + 1][GM_BLOCK], int degree, const float *v, ptrdiff_t stride, float *out);
/* Degrees of freedom of white grain's energy in every ring of a block less its trend of GM_DEGREE, under the window. */
void gm_trend_dof(const double p[GM_DEGREE + 1][GM_BLOCK], const double *win, double dof[GM_RINGS]);

#endif
