/* exr_int - what the files of the exr module share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_EXR_INT_H
#define IN_EXR_INT_H

#include <openexr.h>

#include "exr.h"

/* An EXR open for reading. Threads: worker. */
struct exr_file {
	exr_context_t ctx;
	const char *path;
	int fd;
	uint64_t size;
	char msg[400];             /* the library's first complaint */
};

int  exr_file_open(struct exr_file *f, const char *path, struct err *e);
void exr_file_close(struct exr_file *f);
/* Sets E_INPUT (or E_MEMORY) from a library status, with the library's own words. */
int  exr_file_fail(struct exr_file *f, exr_result_t rc, const char *what, struct err *e);

/* The half-open window of a box; -1 when it is empty or too far out to compute with. */
int exr_rect(const exr_attr_box2i_t *b, struct rect *r);
const char *exr_compression_name(int c);
bool exr_compression_readable(int c);

/* How a part's Y channel is meant. */
enum luma { LUMA_NONE, LUMA_GREY, LUMA_CHROMA };
enum luma exr_luma(const exr_attr_chlist_t *list);
/* Refuses a part whose chunks cannot be in the file, or are too large to unpack. */
int exr_chunks_fit(struct exr_file *f, int part, struct err *e);
int exr_info_fill(struct exr_file *f, struct exr_info *info, struct err *e);
/* Whether part i > 0 shows as channels "NAME.channel" beside part 0. */
bool exr_part_joins(struct exr_file *f, int part, const struct rect *data);

/* Rows of file samples to floats and back; NaN arrives as 0x7fc00000. */
void exr_row_from(float *dst, const uint8_t *src, int n, int pixel_type);
void exr_row_to(uint8_t *dst, const float *src, int n, bool half);

/* Samples of a subsampled channel: sample (i, j) stands at pixel ((x0 + i) * xs, (y0 + j) * ys). */
struct exr_samples { float *v; int x0, y0, w, h, xs, ys; };
/* -1 with E_MEMORY when the system refuses. data: the part's window. Free v with free(). */
int exr_samples_init(struct exr_samples *s, struct rect data, int xs, int ys, struct err *e);
/* Pixels x0..x1 of row y, interpolated: chroma by OpenEXR's 27-tap filter, others linearly.
 * line holds s->w floats. */
void exr_samples_row(const struct exr_samples *s, bool chroma, int y, int x0, int x1, float *line,
                     float *out);
/* Luminance weights of chromaticities; -1 when they make no colour space. */
int exr_luma_weights(const double xy[8], double w[3]);
void exr_yc_row(const float *y, const float *ry, const float *by, const double w[3], int n,
                float *r, float *g, float *b);
/* Pixel i of the middle one of three rows of n, with colours that are far more saturated than their
 * surroundings toned down: the last step of ImfRgbaYca, against wild chroma in dark places. */
void exr_yc_fix(float *const up[3], float *const mid[3], float *const down[3], const double w[3],
                int n, int i, float v[3]);

/* What a writing pipeline needs; its encoding_user_data. plane[i]: of the file's i-th channel. */
struct exr_packer {
	const struct view *v;
	int plane[IN_MAX_CH];
	bool half;
	struct libdeflate_compressor *zip;
};

/* ZIP and ZIPS by libdeflate instead of the library's zlib: same format, 2 to 3 times as fast. */
exr_result_t exr_zip_pack(exr_encode_pipeline_t *p);
exr_result_t exr_zip_unpack(exr_decode_pipeline_t *p);

#endif
