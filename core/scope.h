/* scope - measuring pictures: waveform, parade, vectorscope, histogram, chromaticity, false
 * colour, clipping.
 *
 * A scope counts the whole frame in integers as codes of the asked depth and range, so it shows
 * what a file with these codes holds, and gives the same picture everywhere. Float values beyond
 * the codes count at the ends, and the share of them is written beneath. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SCOPE_H
#define IN_SCOPE_H

#include "draw.h"
#include "skin.h"
#include "yuv.h"

enum scope_kind {
	SCOPE_WAVEFORM, SCOPE_OVERLAY, SCOPE_PARADE, SCOPE_VECTOR, SCOPE_HISTOGRAM, SCOPE_XY, SCOPE_UV,
	SCOPE_FALSE, SCOPE_CLIPPING, SCOPE_PICTURE, SCOPE_KINDS
};
#define SCOPE_CHOICES "waveform|overlay|parade|vectorscope|histogram|xy|uv|false|clipping|picture"
const char *scope_name(enum scope_kind k);
/* -1 when there is no such kind. */
int scope_find(const char *name);

/* What stands at the lines of a level scale. AUTO: nits for pq, stops for log spaces, else
 * percent. */
enum scope_scale { SCALE_AUTO, SCALE_PERCENT, SCALE_CODE, SCALE_NITS, SCALE_STOPS };
#define SCOPE_SCALE_CHOICES "auto|percent|code|nits|stops"

struct scope_opts {
	int space;                           /* of the signal that is shown */
	enum yuv_matrix matrix;              /* AUTO: that of the space */
	enum yuv_range range;                /* AUTO: limited, full for log and linear spaces */
	int bits;                            /* 8, 10 or 12 */
	enum scope_scale scale;
	double skin;                         /* angle of the skin line in degrees */
	double zoom;                         /* vectorscope: 1, 2, 4 */
	double zebra;                        /* clipping: percent from which light parts are striped; > 100: none */
};
struct scope_opts scope_defaults(int space);
/* The encoding in which a picture is looked at: its own where that is one of displays, else
 * rec709. */
int scope_display_space(const struct format *f);

/* A picture as a signal: the display window in the space of o, 0 outside the data window. */
struct signal {
	int w, h; float *p[3];
	struct scope_opts o;
	double kr, kb;                       /* of the matrix */
	double zero, span, middle, cspan;    /* code = zero + span * Y', middle + cspan * C */
	int codes;                           /* 1 << bits */
};
/* -1 without R, G and B, and out of memory. signal_free accepts an empty one. */
int signal_open(const struct format *f, const struct view *v, const struct scope_opts *o,
                struct signal *s,
                struct err *e);
void signal_free(struct signal *s);
/* Codes of a value, rounded and held within what there is. */
int signal_code(const struct signal *s, double v);
int signal_chroma(const struct signal *s, double v);
double signal_value(const struct signal *s, double code);
double signal_luma(const struct signal *s, const double rgb[3]);
void signal_cbcr(const struct signal *s, const double rgb[3], double *cb, double *cr);

/* Draws the scope into cell; title stands above it, or NULL. -1: out of memory. */
int scope_draw(const struct canvas *c, struct rect cell, const struct signal *s,
               enum scope_kind kind,
               const char *title, struct err *e);

/* What looks like skin, of the picture as a Rec.709 signal: an aid, no mask. */
int signal_skin(const struct signal *s, struct skin_stats *out, struct err *e);

/* Where the picture lies in box, its shape kept; larger than 1:1 only by whole numbers. */
struct rect signal_fit(const struct signal *s, struct rect box);
/* The picture scaled to that rect, by the means of blocks. */
void signal_paint(const struct canvas *c, struct rect to, const struct signal *s);

/* --- counting, shared by the scopes and their tests --- */
/* One channel (0..2, 3: luma) into at[column * s->codes + code], columns over the picture's width.
 * */
void scope_count_columns(const struct signal *s, int channel, int columns, uint32_t *at);
void scope_count_codes(const struct signal *s, int channel, uint64_t *at);
/* Colour differences into at[cr * s->codes + cb]. */
void scope_count_chroma(const struct signal *s, uint32_t *at);
/* Chromaticities into at[y * n + x], both from 0 to extent; uv: u',v'. Nearly black pixels have
 * none. */
void scope_count_cie(const struct signal *s, bool uv, double extent, int n, uint32_t *at);
/* Shares of all pixels with a channel (3: luma) below black, and above white. */
void scope_beyond(const struct signal *s, int channel, double *below, double *above);

#endif
