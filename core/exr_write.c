/* exr_write - scanline EXR files, float or half, the same bytes for the same input.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <libdeflate.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exr_int.h"
#include "outfile.h"

enum { ZIP_LEVEL = 4 };

/* A file being written. The library's exr_finish reports nothing: every write is watched here. */
struct writer {
	struct outfile out;
	exr_context_t ctx;
	const struct format *fmt;
	const struct exr_write *w;
	struct exr_packer pack;
	struct err *err;
	bool failed, done;         /* done: the library says that the file is complete */
};

static int64_t stream_write(exr_const_context_t ctx, void *user, const void *buffer, uint64_t n,
                            uint64_t offset, exr_stream_error_func_ptr_t say)
{
	struct writer *w = user;
	(void)ctx;
	(void)say;
	if (!w->failed && outfile_write(&w->out, buffer, n, offset, w->err) == 0)
		return (int64_t)n;
	w->failed = true;
	return -1;
}

static void stream_end(exr_const_context_t ctx, void *user, int failed)
{
	(void)ctx;
	((struct writer *)user)->done = !failed;
}

/* Silent: asking the context for its user data would wait for a lock that the library holds. */
static void on_error(exr_const_context_t ctx, exr_result_t rc, const char *msg)
{
	(void)ctx;
	(void)rc;
	(void)msg;
}

static int fail(struct writer *w, exr_result_t rc, const char *what)
{
	if (w->failed)
		return -1;              /* outfile_write has said why */
	return err_set(w->err, rc == EXR_ERR_OUT_OF_MEMORY ? E_MEMORY : E_OUTPUT, "write %s: %s: %s",
	               w->out.path, what, exr_get_default_error_message(rc));
}

static uint32_t bcd(int v)
{
	return (uint32_t)(v / 10 << 4 | v % 10);
}

/* SMPTE 12M time and flags, non-drop: frames in bits 0-5, seconds 8-14, minutes 16-22, hours 24-29.
 * Frames have two bits of tens: above 39 frames a second they count pairs and bit 15, the field
 * mark, tells the two of a pair apart. */
static uint32_t timecode(int frame, struct rational fps)
{
	int rate = (int)(((int64_t)fps.num + fps.den / 2) / fps.den);
	if (rate < 1)
		rate = 1;
	int64_t day = (int64_t)rate * 86400, t = ((int64_t)frame % day + day) % day;
	int ff = (int)(t % rate), s = (int)(t / rate % 60), m = (int)(t / rate / 60 % 60);
	uint32_t mark = 0;
	if (rate > 39) {
		mark = (uint32_t)(ff & 1) << 15;
		ff /= 2;
	}
	if (ff > 39)
		ff = 39;
	return bcd(ff) | mark | bcd(s) << 8 | bcd(m) << 16 | bcd((int)(t / rate / 3600)) << 24;
}

static exr_result_t attributes(struct writer *w)
{
	const struct exr_write *s = w->w;
	exr_result_t rc = EXR_ERR_SUCCESS;
	if (s->has_chroma) {
		exr_attr_chromaticities_t c = {
			(float)s->chroma[0], (float)s->chroma[1], (float)s->chroma[2], (float)s->chroma[3],
			(float)s->chroma[4], (float)s->chroma[5], (float)s->chroma[6], (float)s->chroma[7]
		};
		rc = exr_attr_set_chromaticities(w->ctx, 0, "chromaticities", &c);
	}
	if (!rc && s->fps.num > 0 && s->fps.den > 0) {
		exr_attr_rational_t r = { s->fps.num, (uint32_t)s->fps.den };
		exr_attr_timecode_t t = { timecode(s->frame, s->fps), 0 };
		rc = exr_attr_set_rational(w->ctx, 0, "framesPerSecond", &r);
		if (!rc)
			rc = exr_attr_set_timecode(w->ctx, 0, "timeCode", &t);
	}
	for (const char *const *a = s->attr; !rc && a && a[0] && a[1]; a += 2)
		rc = exr_attr_set_string(w->ctx, 0, a[0], a[1]);
	return rc;
}

static bool has_long_name(const struct writer *w)
{
	bool is_long = false;
	for (int c = 0; c < w->fmt->nch; c++)
		is_long = is_long || strlen(w->fmt->ch[c]) > 31;
	for (const char *const *a = w->w->attr; a && a[0] && a[1]; a += 2)
		is_long = is_long || strlen(a[0]) > 31;
	return is_long;
}

static exr_attr_box2i_t box_of(struct rect r)
{
	exr_attr_box2i_t b = { .min = { { { r.x0, r.y0 } } }, .max = { { { r.x1 - 1, r.y1 - 1 } } } };
	return b;
}

static exr_result_t header(struct writer *w)
{
	static const exr_compression_t kinds[] = {
		[EXRC_NONE] = EXR_COMPRESSION_NONE, [EXRC_RLE] = EXR_COMPRESSION_RLE,
		[EXRC_ZIPS] = EXR_COMPRESSION_ZIPS, [EXRC_ZIP] = EXR_COMPRESSION_ZIP,
		[EXRC_PIZ] = EXR_COMPRESSION_PIZ
	};
	const struct format *f = w->fmt;
	exr_attr_box2i_t data = box_of(f->data), display = box_of(f->display);
	exr_attr_v2f_t centre = { { { 0, 0 } } };
	int part = 0;
	assert((size_t)w->w->compression < IN_COUNT(kinds));
	exr_result_t rc = exr_add_part(w->ctx, NULL, EXR_STORAGE_SCANLINE, &part);
	if (!rc && has_long_name(w))
		rc = exr_set_longname_support(w->ctx, 1);
	if (!rc)
		rc = exr_initialize_required_attr(w->ctx, 0, &display, &data,
		                                  (float)((double)f->par.num / f->par.den), &centre, 1.0f,
		                                  EXR_LINEORDER_INCREASING_Y, kinds[w->w->compression]);
	for (int c = 0; !rc && c < f->nch; c++)
		rc = exr_add_channel(w->ctx, 0, f->ch[c], w->w->half ? EXR_PIXEL_HALF : EXR_PIXEL_FLOAT,
		                     EXR_PERCEPTUALLY_LOGARITHMIC, 1, 1);
	if (!rc)
		rc = attributes(w);
	return rc ? rc : exr_write_header(w->ctx);
}

/* The pipeline's pack step: rows, each channel after channel, in the order of the file. */
static exr_result_t pack(exr_encode_pipeline_t *q)
{
	const struct exr_packer *p = q->encoding_user_data;
	uint8_t *dst = q->packed_buffer;
	size_t row = (size_t)q->chunk.width * (p->half ? 2 : 4);
	q->packed_bytes = (uint64_t)row * (uint64_t)q->chunk.height * (uint64_t)q->channel_count;
	if (q->packed_bytes > q->packed_alloc_size)
		return EXR_ERR_INVALID_ARGUMENT;
	for (int y = 0; y < q->chunk.height; y++)
		for (int c = 0; c < q->channel_count; c++, dst += row)
			exr_row_to(dst, view_at(p->v, p->plane[c], q->chunk.start_x, q->chunk.start_y + y),
			           q->chunk.width, p->half);
	return EXR_ERR_SUCCESS;
}

static exr_result_t choose(struct writer *w, exr_encode_pipeline_t *q)
{
	for (int c = 0; c < q->channel_count; c++) {
		exr_coding_channel_info_t *ch = &q->channels[c];
		int i = format_channel(w->fmt, ch->channel_name);
		if (i < 0)
			return EXR_ERR_INVALID_ARGUMENT;
		w->pack.plane[c] = i;
		ch->encode_from_ptr = (const uint8_t *)w->pack.v->plane[i];
		ch->user_data_type = EXR_PIXEL_FLOAT;
		ch->user_bytes_per_element = 4;
		ch->user_pixel_stride = 4;
		ch->user_line_stride = 4;
	}
	exr_result_t rc = exr_encoding_choose_default_routines(w->ctx, 0, q);
	q->convert_and_pack_fn = pack;
	q->encoding_user_data = &w->pack;
	if (w->pack.zip)
		q->compress_fn = exr_zip_pack;
	return rc;
}

static exr_result_t chunks(struct writer *w)
{
	exr_encode_pipeline_t q = EXR_ENCODE_PIPELINE_INITIALIZER;
	bool ready = false;
	int32_t lines = 1;
	exr_result_t rc = exr_get_scanlines_per_chunk(w->ctx, 0, &lines);
	for (int y = w->fmt->data.y0; !rc && y < w->fmt->data.y1; y += lines) {
		exr_chunk_info_t k;
		rc = exr_write_scanline_chunk_info(w->ctx, 0, y, &k);
		if (!rc && ready)
			rc = exr_encoding_update(w->ctx, 0, &k, &q);
		else if (!rc) {
			rc = exr_encoding_initialize(w->ctx, 0, &k, &q);
			ready = !rc;
			if (!rc)
				rc = choose(w, &q);
		}
		if (!rc)
			rc = exr_encoding_run(w->ctx, 0, &q);
	}
	if (ready)
		exr_encoding_destroy(w->ctx, &q);
	return rc;
}

static int write_file(struct writer *w, const char *path)
{
	exr_context_initializer_t init = EXR_DEFAULT_CONTEXT_INITIALIZER;
	init.error_handler_fn = on_error;
	init.user_data = w;
	init.write_fn = stream_write;
	init.destroy_fn = stream_end;
	exr_result_t rc = exr_start_write(&w->ctx, path, EXR_WRITE_FILE_DIRECTLY, &init);
	const char *what = "start";
	if (!rc) {
		what = "header";
		rc = header(w);
	}
	if (!rc) {
		what = "pixels";
		rc = chunks(w);
	}
	if (w->ctx)
		exr_finish(&w->ctx);
	if (rc || w->failed)
		return fail(w, rc, what);
	if (!w->done)
		return err_set(w->err, E_OUTPUT, "write %s: the file did not get all its lines", path);
	return 0;
}

int exr_write(const char *path, const struct format *fmt, const struct view *v,
              const struct exr_write *w, struct err *e)
{
	struct writer s = { .out = OUTFILE_INIT, .fmt = fmt, .w = w, .err = e };
	assert(v->nch == fmt->nch && rect_holds(v->r, fmt->data));
	if (format_check(fmt, e))
		return err_in(e, "write %s", path);
	if (rect_empty(fmt->data) || fmt->nch < 1)
		return err_set(e, E_OUTPUT, "write %s: an EXR file cannot hold an empty picture (%d channels, "
		               "data window %d x %d)", path, fmt->nch, rect_w(fmt->data), rect_h(fmt->data));
	s.pack.v = v;
	s.pack.half = w->half;
	if (w->compression == EXRC_ZIP || w->compression == EXRC_ZIPS) {
		s.pack.zip = libdeflate_alloc_compressor(ZIP_LEVEL);
		if (!s.pack.zip)
			return err_set(e, E_MEMORY, "write %s: no memory for the compressor", path);
	}
	int rc = outfile_open(&s.out, path, e);
	if (!rc)
		rc = write_file(&s, path);
	if (rc)
		outfile_abort(&s.out);
	else
		rc = outfile_commit(&s.out, e);
	libdeflate_free_compressor(s.pack.zip);
	return rc;
}
