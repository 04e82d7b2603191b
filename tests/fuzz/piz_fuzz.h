/* piz_fuzz - random pictures packed as PIZ by OpenEXRCore, whole and damaged, taken apart by it and by exr_unpiz: what both
 * accept has to be the same bytes, and what was packed has to be accepted. For the unit test and the fuzzer.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PIZ_FUZZ_H
#define IN_PIZ_FUZZ_H

#include "exr_int.h"
#include "rng.h"
#include "../test.h"

enum { PIZ_CHANNELS = 4, PIZ_SIDE = 150 };

/* damage: 0 none; else changes to each chunk. */
struct piz_fuzz {
	uint32_t number, drawn;
	int w, h, x0, y0, nch, tile_w, tile_h, step[PIZ_CHANNELS];
	exr_pixel_type_t type[PIZ_CHANNELS];
	uint8_t *plane[PIZ_CHANNELS];
	struct exr_unpiz *z;
	exr_result_t (*library)(exr_decode_pipeline_t *q);
	bool damage;
	uint32_t chunks, refused;
	const char *why;
};

static uint32_t piz_draw(struct piz_fuzz *f, uint32_t n)
{
	return philox4x32(f->number, f->drawn++, 7, 0, 3, 4).c[0] % n;
}

static int piz_size(exr_pixel_type_t t)
{
	return t == EXR_PIXEL_HALF ? 2 : 4;
}

/* Samples of every kind: one value, few, a slope, noise in the low bits, in all bits. */
static void piz_fill(struct piz_fuzz *f, int c)
{
	size_t n = (size_t)f->w * (size_t)f->h;
	int bytes = piz_size(f->type[c]);
	uint32_t kind = piz_draw(f, 6), base = piz_draw(f, UINT32_MAX), mask = (1u << piz_draw(f, 24)) - 1, s = base | 1;
	for (size_t i = 0; i < n; i++) {
		uint32_t x = (uint32_t)(i % (size_t)f->w), y = (uint32_t)(i / (size_t)f->w), v = base;
		s = s * 1664525u + 1013904223u;
		if (kind == 1) v = base + (s >> 28 == 0);
		if (kind == 2) v = base + (x + y) * (mask / 64 + 1);
		if (kind == 3) v = base + x * 37 + (s >> 8 & mask);
		if (kind == 4) v = s ^ s >> 13;
		if (kind == 5) v = x / 20 % 2 ? 0 : s >> 24;
		memcpy(f->plane[c] + i * (size_t)bytes, &v, (size_t)bytes);
	}
}

static void piz_shape(struct piz_fuzz *f)
{
	bool tiled = piz_draw(f, 3) == 0;
	f->w = 1 + (int)piz_draw(f, piz_draw(f, 4) ? 64 : PIZ_SIDE);
	f->h = 1 + (int)piz_draw(f, piz_draw(f, 4) ? 40 : PIZ_SIDE);
	f->nch = 1 + (int)piz_draw(f, PIZ_CHANNELS);
	f->x0 = (int)piz_draw(f, 9) * 2 - 8;
	f->y0 = (int)piz_draw(f, 9) * 2 - 8;
	f->tile_w = tiled ? 1 + (int)piz_draw(f, 70) : 0;
	f->tile_h = tiled ? 1 + (int)piz_draw(f, 70) : 0;
	bool halved = !tiled && piz_draw(f, 4) == 0;
	if (halved) f->w += f->w & 1, f->h += f->h & 1;
	for (int c = 0; c < f->nch; c++) {
		f->type[c] = (exr_pixel_type_t[]){ EXR_PIXEL_HALF, EXR_PIXEL_FLOAT, EXR_PIXEL_UINT }[piz_draw(f, 3)];
		f->step[c] = halved && piz_draw(f, 2) ? 2 : 1;
		f->plane[c] = malloc((size_t)f->w * (size_t)f->h * 4);
		piz_fill(f, c);
	}
}

static exr_result_t piz_header(struct piz_fuzz *f, exr_context_t ctx)
{
	static const char *const names[] = { "A", "B", "G", "R" };
	exr_attr_box2i_t box;
	exr_attr_v2f_t middle;
	int part = 0;
	middle.x = middle.y = 0;
	box.min.x = f->x0;
	box.min.y = f->y0;
	box.max.x = f->x0 + f->w - 1;
	box.max.y = f->y0 + f->h - 1;
	exr_result_t rc = exr_add_part(ctx, "p", f->tile_w ? EXR_STORAGE_TILED : EXR_STORAGE_SCANLINE, &part);
	if (!rc) rc = exr_initialize_required_attr(ctx, 0, &box, &box, 1, &middle, 1, EXR_LINEORDER_INCREASING_Y,
		EXR_COMPRESSION_PIZ);
	for (int c = 0; !rc && c < f->nch; c++)
		rc = exr_add_channel(ctx, 0, names[c], f->type[c], EXR_PERCEPTUALLY_LOGARITHMIC, f->step[c], f->step[c]);
	if (!rc && f->tile_w)
		rc = exr_set_tile_descriptor(ctx, 0, (uint32_t)f->tile_w, (uint32_t)f->tile_h, EXR_TILE_ONE_LEVEL,
			EXR_TILE_ROUND_DOWN);
	return rc ? rc : exr_write_header(ctx);
}

static exr_result_t piz_pack_one(struct piz_fuzz *f, exr_context_t ctx, const exr_chunk_info_t *k, int x, int y)
{
	exr_encode_pipeline_t q = EXR_ENCODE_PIPELINE_INITIALIZER;
	exr_result_t rc = exr_encoding_initialize(ctx, 0, k, &q);
	for (int c = 0; !rc && c < f->nch; c++) {
		exr_coding_channel_info_t *ch = &q.channels[c];
		int bytes = piz_size(f->type[c]), s = f->step[c];
		ch->encode_from_ptr = f->plane[c] + ((size_t)(y / s) * (size_t)(f->w / s) + (size_t)(x / s)) * (size_t)bytes;
		ch->user_data_type = (uint16_t)f->type[c];
		ch->user_bytes_per_element = (int16_t)bytes;
		ch->user_pixel_stride = bytes;
		ch->user_line_stride = bytes * (f->w / s);
	}
	if (!rc) rc = exr_encoding_choose_default_routines(ctx, 0, &q);
	if (!rc) rc = exr_encoding_run(ctx, 0, &q);
	exr_encoding_destroy(ctx, &q);
	return rc;
}

static exr_result_t piz_write(struct piz_fuzz *f, const char *path)
{
	exr_context_t ctx;
	exr_chunk_info_t k;
	exr_result_t rc = exr_start_write(&ctx, path, EXR_WRITE_FILE_DIRECTLY, NULL);
	if (rc) return rc;
	rc = piz_header(f, ctx);
	int dx = f->tile_w ? f->tile_w : f->w, dy = f->tile_w ? f->tile_h : 32;
	for (int y = 0; !rc && y < f->h; y += dy)
		for (int x = 0; !rc && x < f->w; x += dx) {
			rc = f->tile_w ? exr_write_tile_chunk_info(ctx, 0, x / dx, y / dy, 0, 0, &k)
			     : exr_write_scanline_chunk_info(ctx, 0, f->y0 + y, &k);
			if (!rc) rc = piz_pack_one(f, ctx, &k, x, y);
		}
	exr_result_t end = exr_finish(&ctx);
	return rc ? rc : end;
}

static void piz_damage(struct piz_fuzz *f, uint8_t *p, size_t n)
{
	for (uint32_t k = 1 + piz_draw(f, 3); k; k--) {
		size_t at = piz_draw(f, 3) ? piz_draw(f, (uint32_t)n) : piz_draw(f, (uint32_t)(n < 64 ? n : 64));
		uint32_t how = piz_draw(f, 4), bit = piz_draw(f, 8);
		if (how == 0) p[at] = (uint8_t)piz_draw(f, 256);
		else if (how == 1) p[at] = bit & 1 ? 0xff : 0;
		else if (how == 2) p[at] = (uint8_t)(p[at] + (bit & 1 ? 1 : -1));
		else p[at] ^= (uint8_t)(1u << bit);
	}
}

/* The bytes that the library would take apart, ours first, from a block of just their size. */
static void piz_compare(struct piz_fuzz *f, exr_decode_pipeline_t *q, struct exr_piz_channel *ch)
{
	const exr_chunk_info_t *k = &q->chunk;
	size_t n = (size_t)k->unpacked_size, len = (size_t)k->packed_size;
	uint8_t *in = malloc(len), *out = malloc(n), *tmp = malloc(n);
	memcpy(in, q->packed_buffer, len);
	int y0 = f->tile_w ? f->y0 + k->start_y * f->tile_h : k->start_y;
	bool mine = exr_unpiz(f->z, ch, q->channel_count, y0, k->height, (uint16_t *)(void *)tmp, out, in, len) == 0;
	bool its = (mine || !f->damage) && f->library(q) == EXR_ERR_SUCCESS;
	f->chunks++;
	f->refused += !mine;
	if (!f->damage && !its) f->why = "the library refuses its own chunk";
	else if (!f->damage && !mine) f->why = "a sound chunk is refused";
	else if (mine && !its) f->why = "what the library refuses is accepted";
	else if (mine && memcmp(out, q->unpacked_buffer, n)) f->why = "other bytes than the library's";
	free(in);
	free(out);
	free(tmp);
}

/* In the library's place. */
static exr_result_t piz_both(exr_decode_pipeline_t *q)
{
	struct piz_fuzz *f = q->decoding_user_data;
	size_t len = (size_t)q->chunk.packed_size;
	struct exr_piz_channel ch[64];
	if (len == q->chunk.unpacked_size || q->channel_count > 64)
		return q->channel_count > 64 ? EXR_ERR_INVALID_ARGUMENT : EXR_ERR_SUCCESS;
	for (int c = 0; c < q->channel_count; c++)
		ch[c] = (struct exr_piz_channel){ q->channels[c].width, q->channels[c].height,
			q->channels[c].bytes_per_element / 2, q->channels[c].y_samples, NULL };
	uint8_t *sound = malloc(len);
	memcpy(sound, q->packed_buffer, len);
	for (int i = 0; i < (f->damage ? 8 : 1) && !f->why; i++) {
		memcpy(q->packed_buffer, sound, len);
		if (f->damage) piz_damage(f, q->packed_buffer, len);
		piz_compare(f, q, ch);
	}
	free(sound);
	return EXR_ERR_SUCCESS;
}

static exr_result_t piz_stop(exr_decode_pipeline_t *q)
{
	(void)q;
	return EXR_ERR_SUCCESS;
}

static exr_result_t piz_read_one(struct piz_fuzz *f, exr_context_t ctx, const exr_chunk_info_t *k)
{
	exr_decode_pipeline_t q = EXR_DECODE_PIPELINE_INITIALIZER;
	static uint8_t never[8];
	exr_result_t rc = exr_decoding_initialize(ctx, 0, k, &q);
	for (int c = 0; !rc && c < q.channel_count; c++) {
		q.channels[c].decode_to_ptr = never;
		q.channels[c].user_data_type = EXR_PIXEL_FLOAT;
		q.channels[c].user_bytes_per_element = 4;
		q.channels[c].user_pixel_stride = q.channels[c].user_line_stride = 8;
	}
	if (!rc) rc = exr_decoding_choose_default_routines(ctx, 0, &q);
	f->library = q.decompress_fn;
	q.decompress_fn = piz_both;
	q.unpack_and_convert_fn = piz_stop;
	q.decoding_user_data = f;
	if (!rc) rc = exr_decoding_run(ctx, 0, &q);
	exr_decoding_destroy(ctx, &q);
	return rc;
}

static void piz_quiet(exr_const_context_t ctx, exr_result_t rc, const char *msg)
{
	(void)ctx, (void)rc, (void)msg;
}

/* Every chunk of a file's first part; f->w to f->y0 and its tiles come from the file. */
static exr_result_t piz_read(struct piz_fuzz *f, const char *path)
{
	exr_context_t ctx;
	exr_chunk_info_t k;
	exr_attr_box2i_t box;
	exr_storage_t kind;
	exr_context_initializer_t init = EXR_DEFAULT_CONTEXT_INITIALIZER;
	init.error_handler_fn = piz_quiet;
	exr_result_t rc = exr_start_read(&ctx, path, &init);
	if (rc) return rc;
	rc = exr_get_data_window(ctx, 0, &box);
	if (!rc) rc = exr_get_storage(ctx, 0, &kind);
	f->tile_w = f->tile_h = 0;
	if (!rc && kind == EXR_STORAGE_TILED) rc = exr_get_tile_sizes(ctx, 0, 0, 0, &f->tile_w, &f->tile_h);
	f->y0 = box.min.y;
	f->w = box.max.x - box.min.x + 1;
	f->h = box.max.y - box.min.y + 1;
	int dx = f->tile_w ? f->tile_w : f->w, dy = f->tile_w ? f->tile_h : 32;
	for (int y = 0; !rc && y < f->h; y += dy)
		for (int x = 0; !rc && x < f->w; x += dx) {
			rc = f->tile_w ? exr_read_tile_chunk_info(ctx, 0, x / dx, y / dy, 0, 0, &k)
			     : exr_read_scanline_chunk_info(ctx, 0, f->y0 + y, &k);
			if (!rc) rc = piz_read_one(f, ctx, &k);
		}
	exr_finish(&ctx);
	return rc;
}

/* One case; NULL or what went wrong. */
static IN_UNUSED const char *piz_case(struct piz_fuzz *f, uint32_t number, const char *path)
{
	struct piz_fuzz keep = { .number = number, .z = f->z, .damage = f->damage, .chunks = f->chunks,
		.refused = f->refused };
	*f = keep;
	piz_shape(f);
	if (piz_write(f, path)) f->why = "the library does not write";
	else if (piz_read(f, path) && !f->why) f->why = "the library does not read";
	for (int c = 0; c < PIZ_CHANNELS; c++) free(f->plane[c]);
	return f->why;
}

#endif
