/* exr_piz - chunks of PIZ, compressed by OpenEXRCore and taken out of its pipeline's last step.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "exr_int.h"

struct exr_piz { exr_encode_pipeline_t q; bool ready; uint8_t *dst; size_t room, got; };

/* The rows are packed already. */
static exr_result_t pack(exr_encode_pipeline_t *q)
{
	const struct exr_packer *p = q->encoding_user_data;
	size_t n = (size_t)q->chunk.height * (size_t)q->chunk.width * (p->half ? 2 : 4)
	           * (size_t)q->channel_count;
	if (n > q->packed_alloc_size)
		return EXR_ERR_INVALID_ARGUMENT;
	memcpy(q->packed_buffer, p->raw, n);
	q->packed_bytes = n;
	return EXR_ERR_SUCCESS;
}

/* The library would have chunks come in order. */
static exr_result_t no_order(exr_encode_pipeline_t *q)
{
	(void)q;
	return EXR_ERR_SUCCESS;
}

/* Instead of writing. A chunk that did not become smaller is stored as it is. */
static exr_result_t hand_over(exr_encode_pipeline_t *q)
{
	struct exr_packer *p = q->encoding_user_data;
	bool smaller = q->compressed_bytes > 0 && q->compressed_bytes < q->packed_bytes;
	const void *src = smaller ? q->compressed_buffer : q->packed_buffer;
	size_t n = smaller ? q->compressed_bytes : (size_t)q->packed_bytes;
	if (n > p->piz->room)
		return EXR_ERR_INVALID_ARGUMENT;
	memcpy(p->piz->dst, src, n);
	p->piz->got = n;
	return EXR_ERR_SUCCESS;
}

static exr_result_t choose(struct exr_packer *p, exr_encode_pipeline_t *q)
{
	for (int c = 0; c < q->channel_count; c++) {
		exr_coding_channel_info_t *ch = &q->channels[c];
		ch->encode_from_ptr = (const uint8_t *)p->v->plane[p->head->plane[c]];
		ch->user_data_type = EXR_PIXEL_FLOAT;
		ch->user_bytes_per_element = 4;
		ch->user_pixel_stride = 4;
		ch->user_line_stride = 4;
	}
	exr_result_t rc = exr_encoding_choose_default_routines(p->head->ctx, 0, q);
	q->convert_and_pack_fn = pack;
	q->yield_until_ready_fn = no_order;
	q->write_fn = hand_over;
	q->encoding_user_data = p;
	return rc;
}

size_t exr_piz_pack(struct exr_packer *p, int y, uint8_t *dst, size_t room)
{
	exr_chunk_info_t k;
	if (!p->piz)
		p->piz = calloc(1, sizeof *p->piz);
	struct exr_piz *z = p->piz;
	if (!z || exr_write_scanline_chunk_info(p->head->ctx, 0, y, &k))
		return 0;
	exr_result_t rc;
	if (z->ready) {
		rc = exr_encoding_update(p->head->ctx, 0, &k, &z->q);
	} else {
		rc = exr_encoding_initialize(p->head->ctx, 0, &k, &z->q);
		z->ready = !rc;
		if (!rc)
			rc = choose(p, &z->q);
	}
	z->dst = dst;
	z->room = room;
	z->got = 0;
	if (!rc)
		rc = exr_encoding_run(p->head->ctx, 0, &z->q);
	return rc ? 0 : z->got;
}

void exr_piz_free(struct exr_packer *p)
{
	if (p->piz && p->piz->ready)
		exr_encoding_destroy(p->head->ctx, &p->piz->q);
	free(p->piz);
	p->piz = NULL;
}
