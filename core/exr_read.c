/* exr_read - pixels of EXR files into planar float views.
 *
 * The library reads and decompresses chunks; unpacking is done here, since the library's own half
 * to float interleaving is wrong for four channels, and so that damage cannot leave its row.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exr_int.h"

/* Where a channel of the file goes: planes of the output, or samples to be interpolated later. */
struct dest { int nto, to[3]; bool sampled; struct exr_samples s; };

/* One part being read. Threads: worker. */
struct part {
	struct exr_file *f;
	int index, nch;
	const exr_attr_chlist_t *list;
	struct rect data;
	bool tiled, interpolates;  /* interpolates: rows outside the output are needed too */
	int tile_w, tile_h, lines;
	exr_compression_t comp;
	enum luma luma;
	struct dest *dest;
	const struct view *out;
	exr_result_t (*library_decompress)(exr_decode_pipeline_t *q);
};

static void *zeroed(exr_transcoding_pipeline_buffer_id_t id, size_t n)
{
	(void)id;
	return calloc(1, n);
}

static void release(exr_transcoding_pipeline_buffer_id_t id, void *p)
{
	(void)id;
	free(p);
}

/* n samples of the row at y, the first at pixel x. */
static void put_row(const struct part *p, const struct dest *d, int x, int y, const uint8_t *src,
                    int n, int type)
{
	if (d->sampled) {
		const struct exr_samples *s = &d->s;
		int row = y / s->ys - (y % s->ys < 0) - s->y0;
		int col = (x + s->xs - 1) / s->xs - (x + s->xs - 1 < 0 && (x + s->xs - 1) % s->xs) - s->x0;
		if (row >= 0 && row < s->h && col >= 0 && col + n <= s->w)
			exr_row_from(s->v + (size_t)row * (size_t)s->w + (size_t)col, src, n, type);
		return;
	}
	const struct rect *o = &p->out->r;
	int a = x > o->x0 ? x : o->x0, b = x + n < o->x1 ? x + n : o->x1;
	if (d->nto == 0 || y < o->y0 || y >= o->y1 || a >= b)
		return;
	float *first = view_at(p->out, d->to[0], a, y);
	exr_row_from(first, src + (size_t)(a - x) * (type == EXR_PIXEL_HALF ? 2 : 4), b - a, type);
	for (int i = 1; i < d->nto; i++)
		memcpy(view_at(p->out, d->to[i], a, y), first, (size_t)(b - a) * sizeof *first);
}

/* The pipeline's unpack step. A chunk holds rows, each channel after channel; a subsampled channel
 * has no samples on rows that its step does not hit. */
static exr_result_t unpack(exr_decode_pipeline_t *q)
{
	const struct part *p = q->decoding_user_data;
	const exr_chunk_info_t *k = &q->chunk;
	if (k->packed_size == 0 || !q->unpacked_buffer
	    || (p->comp == EXR_COMPRESSION_NONE && k->packed_size != k->unpacked_size))
		return EXR_ERR_CORRUPT_CHUNK;
	const uint8_t *src = q->unpacked_buffer, *end = src + k->unpacked_size;
	int x = p->tiled ? p->data.x0 + k->start_x * p->tile_w : p->data.x0;
	int y0 = p->tiled ? p->data.y0 + k->start_y * p->tile_h : k->start_y;
	for (int y = y0; y < y0 + k->height; y++)
		for (int c = 0; c < q->channel_count && c < p->nch; c++) {
			const exr_coding_channel_info_t *ch = &q->channels[c];
			if (ch->height == 0 || (ch->y_samples > 1 && y % ch->y_samples != 0))
				continue;
			ptrdiff_t bytes = (ptrdiff_t)ch->width * ch->bytes_per_element;
			if (bytes > end - src)
				return EXR_ERR_CORRUPT_CHUNK;
			put_row(p, &p->dest[c], x, y, src, ch->width, ch->data_type);
			src += bytes;
		}
	return EXR_ERR_SUCCESS;
}

/* A chunk of full size is stored as it is, whatever the compression. The library takes such chunks
 * of B44 and B44A for compressed ones and makes noise of them. */
static exr_result_t decompress(exr_decode_pipeline_t *q)
{
	const struct part *p = q->decoding_user_data;
	if (q->chunk.packed_size == q->chunk.unpacked_size) {
		if (q->unpacked_buffer != q->packed_buffer)
			memcpy(q->unpacked_buffer, q->packed_buffer, (size_t)q->chunk.unpacked_size);
		return EXR_ERR_SUCCESS;
	}
	if (p->comp == EXR_COMPRESSION_ZIP || p->comp == EXR_COMPRESSION_ZIPS)
		return exr_zip_unpack(q);
	return p->library_decompress ? p->library_decompress(q) : EXR_ERR_CORRUPT_CHUNK;
}

/* The library's routines, with own unpacking. They are chosen by where pixels are to go: a pointer
 * and a conversion keep it from reading straight into memory. */
static exr_result_t choose(struct part *p, exr_decode_pipeline_t *q)
{
	static uint8_t never_written[8];
	for (int c = 0; c < q->channel_count; c++) {
		exr_coding_channel_info_t *ch = &q->channels[c];
		ch->decode_to_ptr = never_written;
		ch->user_data_type = EXR_PIXEL_FLOAT;
		ch->user_bytes_per_element = 4;
		ch->user_pixel_stride = 8;
		ch->user_line_stride = 8;
	}
	exr_result_t rc = exr_decoding_choose_default_routines(p->f->ctx, p->index, q);
	q->unpack_and_convert_fn = unpack;
	q->decoding_user_data = p;
	q->alloc_fn = zeroed;
	q->free_fn = release;
	p->library_decompress = q->decompress_fn;
	q->decompress_fn = decompress;
	return rc;
}

static exr_result_t run_chunk(struct part *p, exr_decode_pipeline_t *q, bool *ready,
                              const exr_chunk_info_t *k)
{
	exr_result_t rc;
	if (k->width > rect_w(p->data) || k->height > rect_h(p->data))
		return EXR_ERR_CORRUPT_CHUNK;
	if (*ready) {
		rc = exr_decoding_update(p->f->ctx, p->index, k, q);
	} else {
		rc = exr_decoding_initialize(p->f->ctx, p->index, k, q);
		*ready = rc == EXR_ERR_SUCCESS;
		if (rc == EXR_ERR_SUCCESS)
			rc = choose(p, q);
	}
	return rc == EXR_ERR_SUCCESS ? exr_decoding_run(p->f->ctx, p->index, q) : rc;
}

static exr_result_t read_lines(struct part *p, exr_decode_pipeline_t *q, bool *ready, int *at)
{
	for (int y = p->data.y0; y < p->data.y1; y += p->lines) {
		exr_chunk_info_t k;
		*at = y;
		if (!p->interpolates && (y >= p->out->r.y1 || y + p->lines <= p->out->r.y0))
			continue;
		exr_result_t rc = exr_read_scanline_chunk_info(p->f->ctx, p->index, y, &k);
		if (rc == EXR_ERR_SUCCESS)
			rc = run_chunk(p, q, ready, &k);
		if (rc != EXR_ERR_SUCCESS)
			return rc;
	}
	return EXR_ERR_SUCCESS;
}

static exr_result_t read_tiles(struct part *p, exr_decode_pipeline_t *q, bool *ready, int *at)
{
	int nx = (rect_w(p->data) - 1) / p->tile_w + 1, ny = (rect_h(p->data) - 1) / p->tile_h + 1;
	for (int ty = 0; ty < ny; ty++)
		for (int tx = 0; tx < nx; tx++) {
			exr_chunk_info_t k;
			*at = p->data.y0 + ty * p->tile_h;
			exr_result_t rc = exr_read_tile_chunk_info(p->f->ctx, p->index, tx, ty, 0, 0, &k);
			if (rc == EXR_ERR_SUCCESS)
				rc = run_chunk(p, q, ready, &k);
			if (rc != EXR_ERR_SUCCESS)
				return rc;
		}
	return EXR_ERR_SUCCESS;
}

/* The library calls some damage "out of memory" (Huffman tables of PIZ): true only if it is. */
static exr_result_t true_cause(const struct part *p, exr_result_t rc)
{
	uint64_t bytes = 0;
	if (rc != EXR_ERR_OUT_OF_MEMORY
	    || exr_get_chunk_unpacked_size(p->f->ctx, p->index, &bytes) != EXR_ERR_SUCCESS)
		return rc;
	void *probe = malloc((size_t)bytes * 3);
	free(probe);
	return probe ? EXR_ERR_CORRUPT_CHUNK : rc;
}

static int read_chunks(struct part *p, struct err *e)
{
	exr_decode_pipeline_t q = EXR_DECODE_PIPELINE_INITIALIZER;
	bool ready = false;
	int at = 0;
	exr_result_t rc = p->tiled ? read_tiles(p, &q, &ready, &at) : read_lines(p, &q, &ready, &at);
	if (ready)
		exr_decoding_destroy(p->f->ctx, &q);
	if (rc == EXR_ERR_SUCCESS)
		return 0;
	char what[64];
	snprintf(what, sizeof what, "damaged or incomplete at line %d", at);
	return exr_file_fail(p->f, true_cause(p, rc), what, e);
}

static void send(struct dest *d, const struct format *fmt, const char *name)
{
	int c = format_channel(fmt, name);
	if (c >= 0)
		d->to[d->nto++] = c;
}

static void send_grey(struct dest *d, const struct format *fmt)
{
	send(d, fmt, "R");
	send(d, fmt, "G");
	send(d, fmt, "B");
}

/* Decides for each channel of the part where it goes. */
static int route(struct part *p, const struct format *fmt, struct err *e)
{
	const char *part = NULL;
	if (p->index > 0)
		exr_get_name(p->f->ctx, p->index, &part);
	p->luma = p->index ? LUMA_NONE : exr_luma(p->list);
	for (int c = 0; c < p->nch; c++) {
		const exr_attr_chlist_entry_t *ch = &p->list->entries[c];
		const char *name = ch->name.str;
		struct dest *d = &p->dest[c];
		bool yc = p->luma == LUMA_CHROMA
		          && (!strcmp(name, "Y") || !strcmp(name, "RY") || !strcmp(name, "BY"));
		if (part) {
			char *full = xasprintf("%s.%s", part, name);
			send(d, fmt, full);
			free(full);
		} else if (p->luma == LUMA_GREY && !strcmp(name, "Y")) {
			send_grey(d, fmt);
		} else if (!yc) {
			send(d, fmt, name);
		}
		d->sampled = yc || (d->nto && (ch->x_sampling > 1 || ch->y_sampling > 1));
		if (d->sampled && p->tiled && (ch->x_sampling > 1 || ch->y_sampling > 1))
			return err_set(e, E_INPUT, "tiled with subsampled channel '%s'", name);
		p->interpolates = p->interpolates || d->sampled;
		if (d->sampled && exr_samples_init(&d->s, p->data, ch->x_sampling, ch->y_sampling, e))
			return -1;
	}
	return 0;
}

/* The part of the output that the file has pixels for. */
static struct rect shared_rect(const struct part *p)
{
	return rect_and(p->out->r, p->data);
}

static void interpolate(const struct part *p, float *line)
{
	struct rect r = shared_rect(p);
	for (int c = 0; c < p->nch; c++) {
		const struct dest *d = &p->dest[c];
		if (!d->sampled || d->nto == 0)
			continue;
		for (int y = r.y0; y < r.y1; y++) {
			float *row = view_at(p->out, d->to[0], r.x0, y);
			exr_samples_row(&d->s, false, y, r.x0, r.x1, line, row);
			for (int i = 1; i < d->nto; i++)
				memcpy(view_at(p->out, d->to[i], r.x0, y), row, (size_t)rect_w(r) * sizeof *row);
		}
	}
}

static const struct dest *dest_of(const struct part *p, const char *name)
{
	for (int c = 0; c < p->nch; c++)
		if (!strcmp(p->list->entries[c].name.str, name))
			return &p->dest[c];
	return NULL;
}

/* Luminance-chroma rows on their way to RGB. rows: the last three rows, by y modulo 3. */
struct luma_job {
	const struct part *p;
	double w[3];
	float *line, *yc[3], *rows[3][3];
	int have;                  /* rows up to this one are made */
};

static void luma_row(struct luma_job *j, int y)
{
	static const char *const names[3] = { "Y", "RY", "BY" };
	const struct rect *d = &j->p->data;
	float **out = j->rows[(y - d->y0) % 3];
	for (int i = 0; i < 3; i++)
		exr_samples_row(&dest_of(j->p, names[i])->s, i > 0, y, d->x0, d->x1, j->line, j->yc[i]);
	exr_yc_row(j->yc[0], j->yc[1], j->yc[2], j->w, rect_w(*d), out[0], out[1], out[2]);
}

/* Row y, for which the rows above and below are needed too. */
static float **luma_want(struct luma_job *j, int y)
{
	const struct rect *d = &j->p->data;
	y = y < d->y0 ? d->y0 : y >= d->y1 ? d->y1 - 1 : y;
	while (j->have < y)
		luma_row(j, ++j->have);
	return j->rows[(y - d->y0) % 3];
}

static void luma_to_rgb(struct luma_job *j, const struct format *fmt)
{
	static const char *const rgb[3] = { "R", "G", "B" };
	const struct part *p = j->p;
	struct rect r = shared_rect(p);
	int at[3];
	for (int c = 0; c < 3; c++)
		at[c] = format_channel(fmt, rgb[c]);
	j->have = (r.y0 > p->data.y0 ? r.y0 - 1 : p->data.y0) - 1;
	for (int y = r.y0; y < r.y1; y++) {
		float **up = luma_want(j, y - 1), **mid = luma_want(j, y), **down = luma_want(j, y + 1);
		for (int x = r.x0; x < r.x1; x++) {
			float v[3];
			exr_yc_fix(up, mid, down, j->w, rect_w(p->data), x - p->data.x0, v);
			for (int c = 0; c < 3; c++)
				if (at[c] >= 0)
					*view_at(p->out, at[c], x, y) = v[c];
		}
	}
}

/* Subsampled channels to full size, and luminance-chroma to colour. */
static int finish_samples(const struct part *p, const struct format *fmt,
                          const struct exr_info *info, struct err *e)
{
	static const double rec709[8] = { 0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290 };
	struct luma_job j = { .p = p };
	size_t n = (size_t)rect_w(p->data);
	if (!p->interpolates || rect_empty(shared_rect(p)))
		return 0;
	if (p->luma == LUMA_CHROMA && exr_luma_weights(info->has_chroma ? info->chroma : rec709, j.w))
		return err_set(e, E_INPUT, "its chromaticities make no colour space");
	float *work = calloc(n * 13, sizeof *work);
	if (!work)
		return err_set(e, E_MEMORY, "no memory for rows of %zu pixels", n);
	j.line = work;
	for (size_t i = 0; i < 3; i++) {
		j.yc[i] = work + n * (1 + i);
		for (size_t c = 0; c < 3; c++)
			j.rows[i][c] = work + n * (4 + 3 * i + c);
	}
	interpolate(p, j.line);
	if (p->luma == LUMA_CHROMA)
		luma_to_rgb(&j, fmt);
	free(work);
	view_canon_nan(p->out, p->out->r);
	return 0;
}

static int part_open(struct part *p, struct err *e)
{
	exr_context_t ctx = p->f->ctx;
	exr_storage_t kind;
	exr_attr_box2i_t box;
	int32_t lines = 1, tw = 0, th = 0;
	exr_result_t rc = exr_get_storage(ctx, p->index, &kind);
	if (!rc)
		rc = exr_get_compression(ctx, p->index, &p->comp);
	if (!rc)
		rc = exr_get_data_window(ctx, p->index, &box);
	if (!rc)
		rc = exr_get_channels(ctx, p->index, &p->list);
	p->tiled = kind == EXR_STORAGE_TILED;
	if (!rc && p->tiled)
		rc = exr_get_tile_sizes(ctx, p->index, 0, 0, &tw, &th);
	else if (!rc)
		rc = exr_get_scanlines_per_chunk(ctx, p->index, &lines);
	if (rc || exr_rect(&box, &p->data) || lines < 1 || (p->tiled && (tw < 1 || th < 1)))
		return exr_file_fail(p->f, rc ? rc : EXR_ERR_INVALID_ATTR, "unusable header", e);
	p->tile_w = tw;
	p->tile_h = th;
	p->lines = lines;
	p->nch = p->list->num_channels;
	p->dest = xalloc((size_t)p->nch, sizeof *p->dest);
	return 0;
}

static void part_close(struct part *p)
{
	for (int c = 0; p->dest && c < p->nch; c++)
		free(p->dest[c].s.v);
	free(p->dest);
}

static int read_part(struct exr_file *f, int index, const struct exr_info *info,
                     const struct format *fmt, const struct view *out, struct err *e)
{
	struct part p = { .f = f, .index = index, .out = out };
	bool wanted;
	int rc = part_open(&p, e);
	if (!rc && route(&p, fmt, e))
		rc = err_in(e, "%s", f->path);
	wanted = p.interpolates;
	for (int c = 0; !rc && c < p.nch; c++)
		wanted = wanted || p.dest[c].nto;
	if (!rc && wanted)
		rc = read_chunks(&p, e);
	if (!rc && wanted && finish_samples(&p, fmt, info, e))
		rc = err_in(e, "%s", f->path);
	part_close(&p);
	return rc;
}

/* Planes and places that the file may not fill. */
static void clear_rest(const struct exr_info *info, const struct format *fmt,
                       const struct view *out)
{
	if (!rect_holds(info->fmt.data, out->r)) {
		view_clear(out, out->r);
		return;
	}
	for (int c = 0; c < fmt->nch; c++) {
		if (format_channel(&info->fmt, fmt->ch[c]) >= 0)
			continue;
		struct view one = { .r = out->r, .stride = out->stride, .nch = 1,
		                    .plane = { out->plane[c] } };
		view_clear(&one, one.r);
	}
}

int exr_read(const char *path, const struct format *fmt, const struct view *out, struct err *e)
{
	struct exr_file f;
	struct exr_info info = { 0 };
	int nparts = 1, rc = -1;
	assert(out->nch == fmt->nch);
	if (exr_file_open(&f, path, e))
		return -1;
	if (exr_info_fill(&f, &info, e) || exr_readable(path, &info, e))
		goto out;
	clear_rest(&info, fmt, out);
	exr_get_count(f.ctx, &nparts);
	for (int p = 0; p < nparts; p++)
		if ((p == 0 || exr_part_joins(&f, p, &info.fmt.data))
		    && read_part(&f, p, &info, fmt, out, e))
			goto out;
	rc = 0;
out:
	exr_info_free(&info);
	exr_file_close(&f);
	return rc;
}
