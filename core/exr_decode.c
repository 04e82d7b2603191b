/* exr_decode - chunks of every kind that OpenEXRCore decompresses, placed here. The samples of a chunk are
 * put in place here, since the library's own half to float interleaving is wrong for four channels, and so
 * that damage cannot leave its row.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exr_int.h"

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
void exr_put_row(const struct exr_part *p, const struct exr_dest *d, int x, int y, const uint8_t *src,
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
	struct exr_lane *l = q->decoding_user_data;
	const struct exr_part *p = l->p;
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
			exr_put_row(p, &p->dest[c], x, y, src, ch->width, ch->data_type);
			src += bytes;
		}
	return EXR_ERR_SUCCESS;
}

/* A scratch buffer of the pipeline with room for a chunk. */
static void *scratch(exr_decode_pipeline_t *q)
{
	size_t n = (size_t)q->chunk.unpacked_size;
	if (!q->scratch_buffer_1 || q->scratch_alloc_size_1 < n) {
		free(q->scratch_buffer_1);
		q->scratch_buffer_1 = malloc(n);
		q->scratch_alloc_size_1 = q->scratch_buffer_1 ? n : 0;
	}
	return q->scratch_buffer_1;
}

/* libdeflate instead of the library's zlib. */
static exr_result_t zip_unpack(struct exr_lane *l, exr_decode_pipeline_t *q)
{
	size_t n = (size_t)q->chunk.unpacked_size;
	if (!l->zip)
		l->zip = libdeflate_alloc_decompressor();
	if (!l->zip || !scratch(q))
		return EXR_ERR_OUT_OF_MEMORY;
	return exr_unsqueeze(l->zip, q->unpacked_buffer, n, q->scratch_buffer_1, q->packed_buffer,
	                     (size_t)q->chunk.packed_size) ? EXR_ERR_CORRUPT_CHUNK : EXR_ERR_SUCCESS;
}

static exr_result_t piz_unpack(struct exr_lane *l, exr_decode_pipeline_t *q)
{
	const exr_chunk_info_t *k = &q->chunk;
	const struct exr_part *p = l->p;
	uint64_t n = 0;
	if (!l->piz)
		l->piz = exr_unpiz_new();
	if (!l->ch)
		l->ch = xalloc((size_t)q->channel_count, sizeof *l->ch);
	if (!l->piz || !scratch(q))
		return EXR_ERR_OUT_OF_MEMORY;
	int y0 = p->tiled ? p->data.y0 + k->start_y * p->tile_h : k->start_y;
	for (int c = 0; c < q->channel_count; c++) {
		const exr_coding_channel_info_t *ch = &q->channels[c];
		int lines = 0;
		for (int y = y0; y < y0 + k->height; y++)
			lines += ch->y_samples <= 1 || y % ch->y_samples == 0;
		if (ch->height && lines != ch->height)
			return EXR_ERR_CORRUPT_CHUNK;
		l->ch[c] = (struct exr_piz_channel){ ch->width, ch->height, ch->bytes_per_element / 2,
		                                     ch->y_samples > 1 ? ch->y_samples : 1, NULL };
		n += (uint64_t)ch->width * (uint64_t)ch->height * (uint64_t)ch->bytes_per_element;
	}
	return n != k->unpacked_size
	       || exr_unpiz(l->piz, l->ch, q->channel_count, y0, k->height, q->scratch_buffer_1, q->unpacked_buffer,
	                    q->packed_buffer, (size_t)k->packed_size) ? EXR_ERR_CORRUPT_CHUNK : EXR_ERR_SUCCESS;
}

/* A chunk of full size is stored as it is, whatever the compression. The library takes such chunks
 * of B44 and B44A for compressed ones and makes noise of them. */
static exr_result_t decompress(exr_decode_pipeline_t *q)
{
	struct exr_lane *l = q->decoding_user_data;
	const struct exr_part *p = l->p;
	if (q->chunk.packed_size == q->chunk.unpacked_size) {
		if (q->unpacked_buffer != q->packed_buffer)
			memcpy(q->unpacked_buffer, q->packed_buffer, (size_t)q->chunk.unpacked_size);
		return EXR_ERR_SUCCESS;
	}
	if (p->comp == EXR_COMPRESSION_ZIP || p->comp == EXR_COMPRESSION_ZIPS)
		return zip_unpack(l, q);
	if (p->comp == EXR_COMPRESSION_PIZ)
		return piz_unpack(l, q);
	return l->library_decompress ? l->library_decompress(q) : EXR_ERR_CORRUPT_CHUNK;
}

/* The library's routines, with own unpacking. They are chosen by where pixels are to go: a pointer
 * and a conversion keep it from reading straight into memory. */
static exr_result_t choose(struct exr_lane *l)
{
	struct exr_part *p = l->p;
	exr_decode_pipeline_t *q = &l->q;
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
	q->decoding_user_data = l;
	q->alloc_fn = zeroed;
	q->free_fn = release;
	l->library_decompress = q->decompress_fn;
	q->decompress_fn = decompress;
	return rc;
}

static exr_result_t run_chunk(struct exr_lane *l, const exr_chunk_info_t *k)
{
	struct exr_part *p = l->p;
	exr_result_t rc;
	if (k->width > rect_w(p->data) || k->height > rect_h(p->data))
		return EXR_ERR_CORRUPT_CHUNK;
	if (l->ready) {
		rc = exr_decoding_update(p->f->ctx, p->index, k, &l->q);
	} else {
		rc = exr_decoding_initialize(p->f->ctx, p->index, k, &l->q);
		l->ready = rc == EXR_ERR_SUCCESS;
		if (rc == EXR_ERR_SUCCESS)
			rc = choose(l);
	}
	return rc == EXR_ERR_SUCCESS ? exr_decoding_run(p->f->ctx, p->index, &l->q) : rc;
}

static exr_result_t chunk(struct exr_lane *l, int i, int *at)
{
	struct exr_part *p = l->p;
	exr_chunk_info_t k;
	exr_result_t rc;
	if (p->tiled) {
		*at = p->data.y0 + i / p->across * p->tile_h;
		rc = exr_read_tile_chunk_info(p->f->ctx, p->index, i % p->across, i / p->across, 0, 0, &k);
	} else {
		*at = p->data.y0 + i * p->lines;
		if (!p->interpolates && (*at >= p->out->r.y1 || *at + p->lines <= p->out->r.y0))
			return EXR_ERR_SUCCESS;
		rc = exr_read_scanline_chunk_info(p->f->ctx, p->index, *at, &k);
	}
	return rc == EXR_ERR_SUCCESS ? run_chunk(l, &k) : rc;
}

/* The library calls some damage "out of memory" (Huffman tables of PIZ): true only if it is. */
static exr_result_t true_cause(const struct exr_part *p, exr_result_t rc)
{
	uint64_t bytes = 0;
	if (rc != EXR_ERR_OUT_OF_MEMORY
	    || exr_get_chunk_unpacked_size(p->f->ctx, p->index, &bytes) != EXR_ERR_SUCCESS)
		return rc;
	void *probe = malloc((size_t)bytes * 3);
	free(probe);
	return probe ? EXR_ERR_CORRUPT_CHUNK : rc;
}

int exr_decode(struct exr_part *p, struct exr_lane *l, int first, int n, struct err *e)
{
	exr_result_t rc = EXR_ERR_SUCCESS;
	int at = 0;
	l->p = p;
	for (int i = first; !rc && i < first + n; i++)
		rc = chunk(l, i, &at);
	if (rc == EXR_ERR_SUCCESS)
		return 0;
	char what[64];
	snprintf(what, sizeof what, "damaged or incomplete at line %d", at);
	return exr_file_fail(p->f, true_cause(p, rc), what, e);
}

void exr_lane_free(struct exr_part *p, struct exr_lane *l)
{
	if (l->ready)
		exr_decoding_destroy(p->f->ctx, &l->q);
	libdeflate_free_decompressor(l->zip);
	exr_unpiz_free(&l->piz);
	free(l->ch);
	free(l->packed);
	free(l->raw);
	free(l->tmp);
	free(l);
}
