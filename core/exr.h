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
	char timecode[16];                 /* timeCode attribute as HH:MM:SS:FF or, with dropped numbers, ;FF; or "" */
	uint64_t chunk;                    /* bytes that one chunk of part 0 unpacks to; 0 in deep files */
};
/* E_INPUT with the cause; sizes over the limits of image.h are E_MEMORY. Never crashes on damage. */
int exr_probe(const char *path, struct exr_info *info, struct err *e);
void exr_info_free(struct exr_info *info);
const char *exr_attr(const struct exr_info *info, const char *name);   /* NULL if absent */
/* 0, or the E_INPUT that exr_read would give for a probed file (deep samples, DWA compression): so that a
 * plan can refuse it before it runs. */
int exr_readable(const char *path, const struct exr_info *info, struct err *e);

/* Reads all channels of part 0 into an image of fmt (channels matched by name,
 * absent ones 0; rect = fmt->data). */
int exr_read(const char *path, const struct format *fmt, const struct view *out, struct err *e);

/* The same in parts. One thread opens; then every part 0..parts-1 once, in any order and by any threads at
 * the same time, each with its own struct err; then, when all have come back, one thread finishes (only after
 * that is out complete) or aborts (also after failed parts). *out is written from opening to finishing. */
struct exr_reader;
int exr_read_open(struct exr_reader **r, const char *path, const struct format *fmt,
                  const struct view *out, struct err *e);
/* The header, for as long as the reader lives. */
const struct exr_info *exr_read_info(const struct exr_reader *r);
int exr_read_parts(const struct exr_reader *r);                       /* 1 at least */
/* Rows of *out that are whole as soon as part i is read; empty where only the finish completes them. */
struct rect exr_read_rows(const struct exr_reader *r, int i);
int exr_read_part(struct exr_reader *r, int i, struct err *e);
int exr_read_finish(struct exr_reader **r, struct err *e);
void exr_read_abort(struct exr_reader **r);                           /* accepts NULL, clears */
/* The most that a reader of a probed file allocates while `threads` threads read its parts. */
size_t exr_reader_bytes(const struct exr_info *info, int threads);

struct exr_write {
	enum exr_compression compression;
	int level;                         /* of ZIP and ZIPS, 1 to 9; 0: the usual one */
	bool half;
	bool nosync;                       /* no fsync before the rename: for files whose reader checks them */
	const char *const *attr;           /* name, value, name, value, ..., NULL: string attributes */
	int frame; struct rational fps;    /* timeCode and framesPerSecond, when fps.num > 0 */
	double chroma[8]; bool has_chroma;
};
/* Writes path atomically: temporary name beside it, fsync, rename. Same input, same bytes
 * (no dates, no software name). Nothing is left behind on failure. */
int exr_write(const char *path, const struct format *fmt, const struct view *v,
              const struct exr_write *w, struct err *e);

/* The same in parts, with the same bytes whatever the order and the number of threads: one thread opens, any
 * threads write every part once, one finishes (fsync and rename) or aborts, as in reading. *v must stay
 * unchanged until then; nothing of *w is needed after opening. Parts handed out
 * in order hold the least memory. */
struct exr_writer;
int exr_write_open(struct exr_writer **x, const char *path, const struct format *fmt,
                   const struct view *v, const struct exr_write *w, struct err *e);
int exr_write_parts(const struct exr_writer *x);                      /* 1 at least */
struct rect exr_write_rows(const struct exr_writer *x, int i);        /* what part i takes from *v */
int exr_write_part(struct exr_writer *x, int i, struct err *e);
/* Before finishing: another text of the same length for a string attribute. -1: there is none such. */
int exr_write_attr(struct exr_writer *x, const char *name, const char *value);
int exr_write_finish(struct exr_writer **x, struct err *e);
void exr_write_abort(struct exr_writer **x);                          /* accepts NULL, clears */
/* The most that a writer allocates while `threads` threads write its parts. */
size_t exr_writer_bytes(const struct format *f, const struct exr_write *w, int threads);

/* Float to half and back exactly as a half file does (round to nearest even, overflow to infinity). */
void half_round(float *v, size_t n);

#endif
