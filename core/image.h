/* image - planar 32-bit float pictures, their format, and views into them.
 *
 * Any number of named channels. Data window apart from display window; pixels outside the data
 * window are 0. Values below 0 and above 1 are kept; alpha (channel "A") is premultiplied.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_IMAGE_H
#define IN_IMAGE_H

#include "base.h"
#include "err.h"
#include "hash.h"
#include "mem.h"
#include "rect.h"

enum { IN_MAX_CH = 64, IN_MAX_SIDE = 65536 };
#define IN_MAX_PIXELS ((size_t)1 << 28)         /* 268 Mpixel: checked before anything is allocated */

struct rational { int num, den; };

/* What a node's output looks like on every frame. Threads: frozen. */
struct format {
	struct rect data, display;
	struct rational par;               /* pixel aspect, 1/1 square */
	struct rational fps;               /* 0/1: has no rate (stills, sequences without one) */
	int first, last;                   /* frame range, inclusive; last INT_MAX: endless */
	int start; bool drop;              /* sources: frames counted to the timecode of first, dropped numbers */
	int space;                         /* colour space id of R,G,B (colour.h) */
	/* the source's own display encoding, or the log one for scene-linear sources */
	int encoded;
	int nch;
	const char *ch[IN_MAX_CH];         /* interned names: "R","G","B","A","Z","layer.R" ... */
};

/* Interned string: equal text, equal pointer; lives as long as the process. Threads: any. */
const char *intern(const char *s);

int format_channel(const struct format *f, const char *name);        /* index or -1 */
void format_channels(struct format *f, const char *names);           /* "R G B A" replaces the list */
/* 0, or -1 with a message: sides, pixel count, windows, channel count within limits. */
int format_check(const struct format *f, struct err *e);
void format_hash(struct sha *s, const struct format *f);             /* canonical bytes for keys */

/* Planes over rect r: plane[c][(y - r.y0) * stride + (x - r.x0)]; stride in floats. */
struct view { struct rect r; ptrdiff_t stride; int nch; float *plane[IN_MAX_CH]; };

IN_INLINE float *view_at(const struct view *v, int c, int x, int y)
{ return v->plane[c] + (ptrdiff_t)(y - v->r.y0) * v->stride + (x - v->r.x0); }
struct view view_sub(const struct view *v, struct rect r);            /* r must lie inside v->r */

/* A counted picture in the pixel pool, frozen once published. */
struct image { _Atomic int refs; struct pool *pool; struct format fmt; struct view view; size_t bytes; };

size_t image_bytes(const struct format *f);                           /* what image_new takes */
struct image *image_new(struct pool *p, const struct format *f, const char *owner, struct err *e);
struct image *image_ref(struct image *im);
void image_unref(struct image **im);                                  /* accepts NULL, clears */
/* Every NaN becomes 0x7fc00000, over rect r of the view. */
void view_canon_nan(const struct view *v, struct rect r);
void view_clear(const struct view *v, struct rect r);
/* 128-bit hash of windows, channel names and pixels of the data window; layout-independent. */
struct pixhash image_hash(const struct image *im);

#endif
