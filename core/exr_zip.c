/* exr_zip - EXR's byte-level compressions on whole chunks: ZIP and ZIPS by libdeflate, and RLE.
 * Both first put even bytes before odd ones and take differences modulo 256, plus 128.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <libdeflate.h>
#include <string.h>

#include "exr_int.h"

#if defined __SSE2__
#include <emmintrin.h>

/* Splits whole blocks of 32 bytes; returns how many bytes of src are done. */
static size_t split_blocks(uint8_t *a, uint8_t *b, const uint8_t *src, size_t n)
{
	const __m128i low = _mm_set1_epi16(0xff);
	size_t i = 0;
	for (; i + 32 <= n; i += 32) {
		__m128i v = _mm_loadu_si128((const __m128i *)(src + i));
		__m128i w = _mm_loadu_si128((const __m128i *)(src + i + 16));
		__m128i even = _mm_packus_epi16(_mm_and_si128(v, low), _mm_and_si128(w, low));
		__m128i odd = _mm_packus_epi16(_mm_srli_epi16(v, 8), _mm_srli_epi16(w, 8));
		_mm_storeu_si128((__m128i *)(a + i / 2), even);
		_mm_storeu_si128((__m128i *)(b + i / 2), odd);
	}
	return i;
}

static size_t join_blocks(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t n)
{
	size_t i = 0;
	for (; i + 32 <= n; i += 32) {
		__m128i v = _mm_loadu_si128((const __m128i *)(a + i / 2));
		__m128i w = _mm_loadu_si128((const __m128i *)(b + i / 2));
		_mm_storeu_si128((__m128i *)(dst + i), _mm_unpacklo_epi8(v, w));
		_mm_storeu_si128((__m128i *)(dst + i + 16), _mm_unpackhi_epi8(v, w));
	}
	return i;
}

/* Differences from the end of the block to its front, so that they can be taken in place. Bytes from
 * *n down to a remainder of at most 16 are done. */
static void diff_blocks(uint8_t *v, size_t *n)
{
	const __m128i bias = _mm_set1_epi8(-128);
	size_t i = *n;
	for (; i >= 17; i -= 16) {
		__m128i now = _mm_loadu_si128((const __m128i *)(v + i - 16));
		__m128i before = _mm_loadu_si128((const __m128i *)(v + i - 17));
		_mm_storeu_si128((__m128i *)(v + i - 16), _mm_add_epi8(_mm_sub_epi8(now, before), bias));
	}
	*n = i;
}

/* Running sums by doubling steps; v[0] stands, bytes 1 to the returned index are summed. */
static size_t sum_blocks(uint8_t *v, size_t n)
{
	const __m128i bias = _mm_set1_epi8(-128);
	size_t i = 1;
	if (n == 0)
		return 0;
	__m128i carry = _mm_set1_epi8((char)v[0]);
	for (; i + 16 <= n; i += 16) {
		__m128i s = _mm_add_epi8(_mm_loadu_si128((const __m128i *)(v + i)), bias);
		s = _mm_add_epi8(s, _mm_slli_si128(s, 1));
		s = _mm_add_epi8(s, _mm_slli_si128(s, 2));
		s = _mm_add_epi8(s, _mm_slli_si128(s, 4));
		s = _mm_add_epi8(s, _mm_slli_si128(s, 8));
		s = _mm_add_epi8(s, carry);
		_mm_storeu_si128((__m128i *)(v + i), s);
		carry = _mm_set1_epi8((char)v[i + 15]);
	}
	return i;
}
#else
static size_t split_blocks(uint8_t *a, uint8_t *b, const uint8_t *src, size_t n)
{
	return (void)a, (void)b, (void)src, (void)n, 0;
}

static size_t join_blocks(uint8_t *dst, const uint8_t *a, const uint8_t *b, size_t n)
{
	return (void)dst, (void)a, (void)b, (void)n, 0;
}

static void diff_blocks(uint8_t *v, size_t *n)
{
	(void)v, (void)n;
}

static size_t sum_blocks(uint8_t *v, size_t n)
{
	return (void)v, n > 0;
}
#endif

static void split_and_diff(uint8_t *dst, const uint8_t *src, size_t n)
{
	uint8_t *a = dst, *b = dst + (n + 1) / 2;
	for (size_t i = split_blocks(a, b, src, n); i < n; i++)
		(i & 1 ? b : a)[i / 2] = src[i];
	size_t left = n;
	diff_blocks(dst, &left);
	for (size_t i = left; i-- > 1;)
		dst[i] = (uint8_t)(dst[i] - dst[i - 1] + 128);
}

static void sum_and_join(uint8_t *dst, uint8_t *src, size_t n)
{
	for (size_t i = sum_blocks(src, n); i < n; i++)
		src[i] = (uint8_t)(src[i] + src[i - 1] - 128);
	const uint8_t *a = src, *b = src + (n + 1) / 2;
	for (size_t i = join_blocks(dst, a, b, n); i < n; i++)
		dst[i] = (i & 1 ? b : a)[i / 2];
}

/* Runs of 3 to 128 equal bytes as (length - 1, byte), others as (-length, bytes). 0: more than room. */
static size_t rle_pack(uint8_t *dst, size_t room, const uint8_t *src, size_t n)
{
	enum { MIN_RUN = 3, MAX_RUN = 128, MAX_OTHER = 127 };
	size_t out = 0;
	for (size_t i = 0; i < n;) {
		size_t end = i + 1, most = n - i > MAX_RUN ? MAX_RUN : n - i;
		while (end < i + most && src[end] == src[i])
			end++;
		if (end - i >= MIN_RUN) {
			if (room - out < 2)
				return 0;
			dst[out++] = (uint8_t)(end - i - 1);
			dst[out++] = src[i];
			i = end;
			continue;
		}
		most = n - i > MAX_OTHER ? MAX_OTHER : n - i;
		end = i;
		while (end < i + most
		       && !(n - end >= MIN_RUN && src[end] == src[end + 1] && src[end] == src[end + 2]))
			end++;
		if (room - out < end - i + 1)
			return 0;
		dst[out++] = (uint8_t)(i - end);
		memcpy(dst + out, src + i, end - i);
		out += end - i;
		i = end;
	}
	return out;
}

static int rle_unpack(uint8_t *dst, size_t n, const uint8_t *src, size_t len)
{
	size_t out = 0, in = 0;
	while (in < len) {
		int k = (int8_t)src[in++];
		size_t count = k < 0 ? (size_t)-k : (size_t)k + 1;
		if (count > n - out || (k < 0 ? count : 1) > len - in)
			return -1;
		if (k < 0)
			memcpy(dst + out, src + in, count);
		else
			memset(dst + out, src[in], count);
		in += k < 0 ? count : 1;
		out += count;
	}
	return out == n ? 0 : -1;
}

size_t exr_squeeze(struct libdeflate_compressor *z, uint8_t *dst, uint8_t *tmp, const uint8_t *src,
                   size_t n)
{
	split_and_diff(tmp, src, n);
	size_t got = z ? libdeflate_zlib_compress(z, tmp, n, dst, n - 1) : rle_pack(dst, n - 1, tmp, n);
	if (got > 0 && got < n)
		return got;
	memcpy(dst, src, n);            /* not smaller: stored as it is, which readers tell by the size */
	return n;
}

int exr_unsqueeze(struct libdeflate_decompressor *z, uint8_t *dst, size_t n, uint8_t *tmp,
                  const uint8_t *src, size_t len)
{
	int rc = z ? libdeflate_zlib_decompress(z, src, len, tmp, n, NULL) != LIBDEFLATE_SUCCESS
	           : rle_unpack(tmp, n, src, len);
	if (rc)
		return -1;
	sum_and_join(dst, tmp, n);
	return 0;
}
