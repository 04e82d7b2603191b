/* exr - OpenEXR files through OpenEXRCore: float or half, planar.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_EXR_H
#define IN_EXR_H

#include "image.h"

enum exr_compression { EXRC_NONE, EXRC_RLE, EXRC_ZIPS, EXRC_ZIP, EXRC_PIZ };

/* What a header says, before any pixel is read or allocated. Caller owns; exr_info_free. */
struct exr_info {
	struct format fmt;                 /* fps 0/1 where the file has no framesPerSecond; range 1..1 */
	bool deep, luma_chroma;            /* deep files are refused by exr_read; YC is turned into RGB */
	bool has_chroma; double chroma[8]; /* chromaticities attribute */
	bool half;                         /* all channels half */
	int nattr; struct { char *name, *value; } *attr;   /* string attributes */
	char compression[16];
};
/* E_INPUT with the cause; sizes over the limits of image.h are E_MEMORY. Never crashes on damage. */
int exr_probe(const char *path, struct exr_info *info, struct err *e);
void exr_info_free(struct exr_info *info);
const char *exr_attr(const struct exr_info *info, const char *name);   /* NULL if absent */
/* 0, or the E_INPUT that exr_read would give for a probed file (deep samples, DWA compression): so that a
 * plan can refuse it before it runs. */
int exr_readable(const char *path, const struct exr_info *info, struct err *e);

/* Reads all channels of part 0 into an image of fmt (channels matched by name, absent ones 0; rect = fmt->data). */
int exr_read(const char *path, const struct format *fmt, const struct view *out, struct err *e);

struct exr_write {
	enum exr_compression compression;
	bool half;
	const char *const *attr;           /* name, value, name, value, ..., NULL: string attributes */
	int frame; struct rational fps;    /* timeCode and framesPerSecond, when fps.num > 0 */
	double chroma[8]; bool has_chroma;
};
/* Writes path atomically: temporary name beside it, fsync, rename. Same input, same bytes
 * (no dates, no software name). Nothing is left behind on failure. */
int exr_write(const char *path, const struct format *fmt, const struct view *v,
              const struct exr_write *w, struct err *e);

/* Float to half and back exactly as a half file does (round to nearest even, overflow to infinity). */
void half_round(float *v, size_t n);

#endif
