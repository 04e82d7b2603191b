/* exr_zip - EXR's ZIP and ZIPS (bytes split in two halves, differences, zlib) by libdeflate.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>

#include "exr_int.h"

/* Even bytes to the first half, odd ones to the second, then differences modulo 256 plus 128. */
static void split_and_diff(uint8_t *dst, const uint8_t *src, size_t n)
{
	uint8_t *a = dst, *b = dst + (n + 1) / 2;
	for (size_t i = 0; i + 1 < n; i += 2) {
		*a++ = src[i];
		*b++ = src[i + 1];
	}
	if (n & 1)
		*a = src[n - 1];
	for (size_t i = n; i-- > 1;)
		dst[i] = (uint8_t)(dst[i] - dst[i - 1] + 128);
}

static void sum_and_join(uint8_t *dst, uint8_t *src, size_t n)
{
	for (size_t i = 1; i < n; i++)
		src[i] = (uint8_t)(src[i] + src[i - 1] - 128);
	const uint8_t *a = src, *b = src + (n + 1) / 2;
	for (size_t i = 0; i + 1 < n; i += 2) {
		dst[i] = *a++;
		dst[i + 1] = *b++;
	}
	if (n & 1)
		dst[n - 1] = *a;
}

/* A buffer of the pipeline, which frees it with free() in the end. */
static exr_result_t buffer(void **p, size_t *size, size_t need)
{
	if (*p && *size >= need)
		return EXR_ERR_SUCCESS;
	free(*p);
	*p = malloc(need);
	*size = *p ? need : 0;
	return *p ? EXR_ERR_SUCCESS : EXR_ERR_OUT_OF_MEMORY;
}

exr_result_t exr_zip_pack(exr_encode_pipeline_t *p)
{
	struct libdeflate_compressor *z = ((struct exr_packer *)p->encoding_user_data)->zip;
	size_t n = (size_t)p->packed_bytes, bound = libdeflate_zlib_compress_bound(z, n);
	if (buffer(&p->scratch_buffer_1, &p->scratch_alloc_size_1, n)
	    || buffer(&p->compressed_buffer, &p->compressed_alloc_size, bound > n ? bound : n))
		return EXR_ERR_OUT_OF_MEMORY;
	split_and_diff(p->scratch_buffer_1, p->packed_buffer, n);
	size_t got = libdeflate_zlib_compress(z, p->scratch_buffer_1, n, p->compressed_buffer, bound);
	if (got == 0 || got >= n) {     /* not smaller: stored as it is, which readers tell by the size */
		memcpy(p->compressed_buffer, p->packed_buffer, n);
		got = n;
	}
	p->compressed_bytes = got;
	return EXR_ERR_SUCCESS;
}

exr_result_t exr_zip_unpack(exr_decode_pipeline_t *p)
{
	size_t n = (size_t)p->chunk.unpacked_size;
	struct libdeflate_decompressor *z = libdeflate_alloc_decompressor();
	if (!z || buffer(&p->scratch_buffer_1, &p->scratch_alloc_size_1, n)) {
		libdeflate_free_decompressor(z);
		return EXR_ERR_OUT_OF_MEMORY;
	}
	enum libdeflate_result rc = libdeflate_zlib_decompress(
		z, p->packed_buffer, (size_t)p->chunk.packed_size, p->scratch_buffer_1, n, NULL);
	libdeflate_free_decompressor(z);
	if (rc != LIBDEFLATE_SUCCESS)
		return EXR_ERR_CORRUPT_CHUNK;
	sum_and_join(p->unpacked_buffer, p->scratch_buffer_1, n);
	return EXR_ERR_SUCCESS;
}
