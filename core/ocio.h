/* ocio - transforms of OpenColorIO configs: resolved by OpenColorIO, evaluated here wherever that is exact.
 *
 * The library is opened on first use. It turns a config, its looks, views and files into
 * steps of the Common LUT Format, which lut.h reads and applies: the same bits on every
 * machine. What that format has no step for (fixed functions, grading curves, inverse tables)
 * OpenColorIO's own processor evaluates; ocio_outside then says why. Threads: frozen once
 * open; any thread may open and apply.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_OCIO_H
#define IN_OCIO_H

#include "base.h"
#include "err.h"
#include "hash.h"

struct ocio;
struct lut;
/* What is asked for; "" where not. Either from and to, or from, display and
 * view, or look between from and to. */
struct ocio_ask {
	const char *config, *from, *to, *look, *display, *view;
	bool inverse, whole;                 /* whole: by OpenColorIO's processor in any case (tests) */
};

/* The config that is meant: file, or without one that of the environment's OCIO, whose name is then
 * "$OCIO". E_SCENE when there is none. Strings live as long as file and the environment. */
int ocio_config(const char *file, const char **path, const char **name, struct err *e);
/* The config's name for ACES2065-1, malloced; NULL: E_SCENE when it has none. */
char *ocio_interchange(const char *config, struct err *e);

/* NULL with E_INPUT for a missing library, a bad config or file, E_SCENE for names that it lacks. */
struct ocio *ocio_open(const struct ocio_ask *ask, struct err *e);
void ocio_free(struct ocio **o);
void ocio_row(const struct ocio *o, float *r, float *g, float *b, int n);
/* The steps that ocio_row applies, clamped as OpenColorIO does; NULL: its own processor. */
const struct lut *ocio_lut(const struct ocio *o);
/* Why equal bits cannot be promised, or NULL. */
const char *ocio_outside(const struct ocio *o);
/* All that decides pixels: the steps' text, or OpenColorIO's version, its hash
 * of the transform and the files. */
void ocio_hash(const struct ocio *o, struct sha *s);
/* Files read beside the config. */
int ocio_nfile(const struct ocio *o);
const char *ocio_file(const struct ocio *o, int i);
const char *ocio_version(struct err *e);     /* NULL: no library */

#endif
