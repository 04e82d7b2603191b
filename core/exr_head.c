/* exr_head - the header of a file to be written: its bytes, made by OpenEXRCore in memory.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exr_int.h"

enum { HEAD_MAX = 1 << 24 };

static int64_t stream_write(exr_const_context_t ctx, void *user, const void *buffer, uint64_t n,
                            uint64_t offset, exr_stream_error_func_ptr_t say)
{
	struct exr_head *h = user;
	(void)ctx;
	(void)say;
	if (offset > HEAD_MAX || n > HEAD_MAX - offset)
		return -1;
	size_t end = (size_t)(offset + n);
	if (end > h->size) {
		h->bytes = xrealloc(h->bytes, end, 1);
		h->size = end;
	}
	memcpy(h->bytes + offset, buffer, (size_t)n);
	return (int64_t)n;
}

static void stream_end(exr_const_context_t ctx, void *user, int failed)
{
	(void)ctx;
	(void)user;
	(void)failed;
}

/* Silent: asking the context for its user data would wait for a lock that the library holds. */
static void on_error(exr_const_context_t ctx, exr_result_t rc, const char *msg)
{
	(void)ctx;
	(void)rc;
	(void)msg;
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

static exr_result_t attributes(struct exr_head *h)
{
	const struct exr_write *s = h->w;
	exr_result_t rc = EXR_ERR_SUCCESS;
	if (s->has_chroma) {
		exr_attr_chromaticities_t c = {
			(float)s->chroma[0], (float)s->chroma[1], (float)s->chroma[2], (float)s->chroma[3],
			(float)s->chroma[4], (float)s->chroma[5], (float)s->chroma[6], (float)s->chroma[7]
		};
		rc = exr_attr_set_chromaticities(h->ctx, 0, "chromaticities", &c);
	}
	if (!rc && s->fps.num > 0 && s->fps.den > 0) {
		exr_attr_rational_t r = { s->fps.num, (uint32_t)s->fps.den };
		exr_attr_timecode_t t = { timecode(s->frame, s->fps), 0 };
		rc = exr_attr_set_rational(h->ctx, 0, "framesPerSecond", &r);
		if (!rc)
			rc = exr_attr_set_timecode(h->ctx, 0, "timeCode", &t);
	}
	for (const char *const *a = s->attr; !rc && a && a[0] && a[1]; a += 2)
		rc = exr_attr_set_string(h->ctx, 0, a[0], a[1]);
	return rc;
}

static bool has_long_name(const struct exr_head *h)
{
	bool is_long = false;
	for (int c = 0; c < h->fmt->nch; c++)
		is_long = is_long || strlen(h->fmt->ch[c]) > 31;
	for (const char *const *a = h->w->attr; a && a[0] && a[1]; a += 2)
		is_long = is_long || strlen(a[0]) > 31;
	return is_long;
}

static exr_attr_box2i_t box_of(struct rect r)
{
	exr_attr_box2i_t b = { .min = { { { r.x0, r.y0 } } }, .max = { { { r.x1 - 1, r.y1 - 1 } } } };
	return b;
}

static exr_result_t header(struct exr_head *h)
{
	static const exr_compression_t kinds[] = {
		[EXRC_NONE] = EXR_COMPRESSION_NONE, [EXRC_RLE] = EXR_COMPRESSION_RLE,
		[EXRC_ZIPS] = EXR_COMPRESSION_ZIPS, [EXRC_ZIP] = EXR_COMPRESSION_ZIP,
		[EXRC_PIZ] = EXR_COMPRESSION_PIZ
	};
	const struct format *f = h->fmt;
	exr_attr_box2i_t data = box_of(f->data), display = box_of(f->display);
	exr_attr_v2f_t centre = { { { 0, 0 } } };
	int part = 0;
	assert((size_t)h->w->compression < IN_COUNT(kinds));
	exr_result_t rc = exr_add_part(h->ctx, NULL, EXR_STORAGE_SCANLINE, &part);
	if (!rc && has_long_name(h))
		rc = exr_set_longname_support(h->ctx, 1);
	if (!rc)
		rc = exr_initialize_required_attr(h->ctx, 0, &display, &data,
		                                  (float)((double)f->par.num / f->par.den), &centre, 1.0f,
		                                  EXR_LINEORDER_INCREASING_Y, kinds[h->w->compression]);
	for (int c = 0; !rc && c < f->nch; c++)
		rc = exr_add_channel(h->ctx, 0, f->ch[c], h->w->half ? EXR_PIXEL_HALF : EXR_PIXEL_FLOAT,
		                     EXR_PERCEPTUALLY_LOGARITHMIC, 1, 1);
	if (!rc)
		rc = attributes(h);
	return rc ? rc : exr_write_header(h->ctx);
}

/* Which plane each of the file's channels is; the file has them by name. */
static exr_result_t order(struct exr_head *h)
{
	const exr_attr_chlist_t *list;
	int32_t lines = 1;
	exr_result_t rc = exr_get_channels(h->ctx, 0, &list);
	if (!rc)
		rc = exr_get_scanlines_per_chunk(h->ctx, 0, &lines);
	for (int c = 0; !rc && c < list->num_channels; c++) {
		h->plane[c] = format_channel(h->fmt, list->entries[c].name.str);
		if (h->plane[c] < 0)
			rc = EXR_ERR_INVALID_ARGUMENT;
	}
	h->lines = lines;
	return rc;
}

int exr_head_make(struct exr_head *h, const char *path, struct err *e)
{
	exr_context_initializer_t init = EXR_DEFAULT_CONTEXT_INITIALIZER;
	init.error_handler_fn = on_error;
	init.user_data = h;
	init.write_fn = stream_write;
	init.destroy_fn = stream_end;
	exr_result_t rc = exr_start_write(&h->ctx, path, EXR_WRITE_FILE_DIRECTLY, &init);
	if (!rc)
		rc = header(h);
	if (!rc)
		rc = order(h);
	if (!rc)
		return 0;
	exr_head_free(h);
	return err_set(e, rc == EXR_ERR_OUT_OF_MEMORY ? E_MEMORY : E_OUTPUT, "write %s: header: %s", path,
	               exr_get_default_error_message(rc));
}

/* Names and types end in 0; then come four bytes of size and the value. */
int exr_head_patch(struct exr_head *h, const char *name, const char *value)
{
	size_t n = strlen(value);
	for (uint8_t *p = h->bytes + 8; *p;) {
		const char *key = (const char *)p, *type = key + strlen(key) + 1;
		uint8_t *size = p + strlen(key) + strlen(type) + 2;
		size_t bytes = size[0] | (size_t)size[1] << 8 | (size_t)size[2] << 16 | (size_t)size[3] << 24;
		p = size + 4 + bytes;
		if (strcmp(key, name))
			continue;
		if (strcmp(type, "string") || bytes != n)
			return -1;
		memcpy(size + 4, value, n);
		return 0;
	}
	return -1;
}

void exr_head_free(struct exr_head *h)
{
	if (h->ctx)
		exr_finish(&h->ctx);
	h->ctx = NULL;
	free(h->bytes);
	h->bytes = NULL;
}
