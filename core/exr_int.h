/* exr_int - what the files of the exr module share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_EXR_INT_H
#define IN_EXR_INT_H

#include <libdeflate.h>
#include <openexr.h>
#include <pthread.h>

#include "exr.h"

/* An EXR open for reading. Threads: frozen, except msg. */
struct exr_file {
	exr_context_t ctx;
	char *path;
	int fd;
	uint64_t size;
	pthread_mutex_t lock;      /* for msg: chunks are read by several threads */
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
void exr_row_canon(float *v, int n);
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

/* Where a channel of the file goes: planes of the output, or samples to be interpolated later. */
struct exr_dest { int nto, to[3]; bool sampled; struct exr_samples s; };

struct exr_lane;
/* One part of a file being read, its chunks numbered from the top. Threads: frozen, except idle. */
struct exr_part {
	struct exr_file *f;
	int index, nch;
	const exr_attr_chlist_t *list;
	struct rect data;
	bool tiled, interpolates;  /* interpolates: rows outside the output are needed too */
	int tile_w, tile_h, lines, across;
	exr_compression_t comp;
	enum luma luma;
	struct exr_dest *dest;
	const struct view *out;
	int nchunk, ntask, task_chunks, task_rows;
	size_t row;                /* bytes of a row without subsampling */
	uint64_t *table;           /* offsets of the chunks when exr_chunk reads them */
	bool direct;               /* float rows that fit the planes as they are */
	struct exr_lane *idle;
};

/* What one thread reads chunks with. Threads: worker. */
struct exr_lane {
	struct exr_lane *next;
	struct exr_part *p;
	exr_decode_pipeline_t q;
	bool ready;
	exr_result_t (*library_decompress)(exr_decode_pipeline_t *q);
	uint8_t *packed, *raw, *tmp;
	struct libdeflate_decompressor *zip;
	struct exr_unpiz *piz;
	struct exr_piz_channel *ch;
};
void exr_lane_free(struct exr_part *p, struct exr_lane *l);
/* n samples of the row at y, the first at pixel x. */
void exr_put_row(const struct exr_part *p, const struct exr_dest *d, int x, int y, const uint8_t *src,
                 int n, int type);
/* n chunks from first on; the second kind for files whose table was read here. */
int  exr_decode(struct exr_part *p, struct exr_lane *l, int first, int n, struct err *e);
int  exr_chunks_read(struct exr_part *p, struct exr_lane *l, int first, int n, struct err *e);
/* The n offsets of a single-part file; NULL when they are not where they should be. malloced */
uint64_t *exr_chunk_table(const struct exr_file *f, int n);
/* After all chunks: subsampled channels to full size, and luminance-chroma to colour. */
int  exr_finish_samples(const struct exr_part *p, const struct format *fmt, const struct exr_info *info,
                        struct err *e);

/* PIZ back. A channel's samples in a chunk: w x h, words (1 or 2) of 16 bits each, on rows that step
 * divides; at is exr_unpiz's own. */
struct exr_piz_channel { int w, h, words, step; uint16_t *at; };
struct exr_unpiz *exr_unpiz_new(void);            /* NULL: no memory */
void exr_unpiz_free(struct exr_unpiz **z);        /* accepts NULL */
/* The chunk in src whose rows are y0.. into dst, as a file has them uncompressed; tmp and dst hold all its
 * samples. -1 when src does not hold exactly those, or without memory. */
int exr_unpiz(struct exr_unpiz *z, struct exr_piz_channel *ch, int nch, int y0, int rows, uint16_t *tmp,
              uint8_t *dst, const uint8_t *src, size_t len);

/* A header in memory, and the context that made it. Threads: frozen once made. */
struct exr_head {
	const struct format *fmt;
	const struct exr_write *w;
	exr_context_t ctx;
	uint8_t *bytes;
	size_t size;
	int plane[IN_MAX_CH];      /* of the file's i-th channel */
	int lines;                 /* in a chunk */
};
int  exr_head_make(struct exr_head *h, const char *path, struct err *e);
void exr_head_free(struct exr_head *h);
/* Another text of the same length for a string attribute; -1 when there is none such. */
int  exr_head_patch(struct exr_head *h, const char *name, const char *value);

/* What one thread packs chunks with. Threads: worker. */
struct exr_packer {
	struct exr_packer *next;
	const struct exr_head *head;
	const struct view *v;
	bool half;
	uint8_t *raw, *tmp, *part; /* a chunk's samples, the same in another order, a whole packed part */
	struct libdeflate_compressor *zip;
	struct exr_piz *piz;
};
void exr_packer_free(struct exr_packer *p);
/* The chunk in p->raw whose first row is y; 0 when the library fails. */
size_t exr_piz_pack(struct exr_packer *p, int y, uint8_t *dst, size_t room);
void exr_piz_free(struct exr_packer *p);

/* ZIP and ZIPS by libdeflate, the same format as the library's zlib and faster; z NULL: RLE. n bytes of
 * src (2 or more) to dst, both and tmp of n bytes; returns the size, n when stored as it is. */
size_t exr_squeeze(struct libdeflate_compressor *z, uint8_t *dst, uint8_t *tmp, const uint8_t *src,
                   size_t n);
/* Back; -1 when src does not hold exactly n bytes. tmp: n bytes. */
int exr_unsqueeze(struct libdeflate_decompressor *z, uint8_t *dst, size_t n, uint8_t *tmp,
                  const uint8_t *src, size_t len);

#endif
