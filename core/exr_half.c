/* exr_half - half floats to single floats and back, by integer arithmetic.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "exr_int.h"

static inline float float_of(uint32_t u)
{
	float f;
	memcpy(&f, &u, sizeof f);
	return f;
}

static inline uint32_t bits_of(float f)
{
	uint32_t u;
	memcpy(&u, &f, sizeof u);
	return u;
}

/* Subnormals come out right because float subtraction normalises them. */
static inline float from_half(uint32_t h)
{
	uint32_t sign = (h & 0x8000u) << 16, m = (h & 0x7fffu) << 13;
	uint32_t normal = m + ((127 - 15) << 23);
	uint32_t special = m > (31u << 23) ? 0x7fc00000u : 0x7f800000u;
	uint32_t small = bits_of(float_of(m + (113u << 23)) - float_of(113u << 23));
	uint32_t u = m >= (31u << 23) ? special : m < (1u << 23) ? small : normal;
	return float_of(u == 0x7fc00000u ? u : u | sign);
}

/* Round to nearest even; from 65520 up infinity; every NaN 0x7e00. Below 2^-14 the addition of 0.5
 * does the rounding. */
static inline uint32_t to_half(float f)
{
	uint32_t u = bits_of(f), sign = u >> 16 & 0x8000u, m = u & 0x7fffffffu;
	uint32_t normal = (m - ((127 - 15) << 23) + 0xfffu + (m >> 13 & 1)) >> 13;
	uint32_t small = bits_of(float_of(m < 0x38800000u ? m : 0) + 0.5f) - 0x3f000000u;
	uint32_t h = m < 0x38800000u ? small : m >= 0x477ff000u ? 0x7c00u : normal;
	return m > 0x7f800000u ? 0x7e00u : h | sign;
}

#if defined __x86_64__
#include <immintrin.h>

/* Eight at a time by F16C (every CPU with AVX2 has it), whose rounding is the one above; NaN apart. */
#define F16C __attribute__((target("avx2,f16c")))

static inline bool has_f16c(void)
{
	return __builtin_cpu_supports("avx2");
}

F16C static inline __m256 widen8(__m128i h)
{
	__m256 v = _mm256_cvtph_ps(h);
	__m256 nan = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fc00000));
	return _mm256_blendv_ps(v, nan, _mm256_cmp_ps(v, v, _CMP_UNORD_Q));
}

F16C static inline __m128i narrow8(__m256 v)
{
	__m128i h = _mm256_cvtps_ph(v, _MM_FROUND_TO_NEAREST_INT);
	__m256i odd = _mm256_castps_si256(_mm256_cmp_ps(v, v, _CMP_UNORD_Q));
	__m128i is = _mm_packs_epi32(_mm256_castsi256_si128(odd), _mm256_extracti128_si256(odd, 1));
	return _mm_blendv_epi8(h, _mm_set1_epi16(0x7e00), is);
}

/* Both return how many they did, a multiple of eight. */
F16C static int widen(float *dst, const uint8_t *src, int n)
{
	int i = 0;
	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(dst + i, widen8(_mm_loadu_si128((const __m128i *)(src + 2 * i))));
	return i;
}

F16C static int narrow(uint8_t *dst, const float *src, int n)
{
	int i = 0;
	for (; i + 8 <= n; i += 8)
		_mm_storeu_si128((__m128i *)(dst + 2 * i), narrow8(_mm256_loadu_ps(src + i)));
	return i;
}

F16C static size_t round_trip(float *v, size_t n)
{
	size_t i = 0;
	for (; i + 8 <= n; i += 8)
		_mm256_storeu_ps(v + i, widen8(narrow8(_mm256_loadu_ps(v + i))));
	return i;
}
#else
static inline bool has_f16c(void)
{
	return false;
}

static int widen(float *dst, const uint8_t *src, int n)
{
	return (void)dst, (void)src, (void)n, 0;
}

static int narrow(uint8_t *dst, const float *src, int n)
{
	return (void)dst, (void)src, (void)n, 0;
}

static size_t round_trip(float *v, size_t n)
{
	return (void)v, (void)n, 0;
}
#endif

void half_round(float *v, size_t n)
{
	for (size_t i = has_f16c() ? round_trip(v, n) : 0; i < n; i++)
		v[i] = from_half(to_half(v[i]));
}

static void row_from_half(float *dst, const uint8_t *src, int n)
{
	for (int i = has_f16c() ? widen(dst, src, n) : 0; i < n; i++) {
		uint16_t h;
		memcpy(&h, src + 2 * i, sizeof h);
		dst[i] = from_half(h);
	}
}

/* dst may be src: then only NaN is touched. */
static void row_from_float(float *dst, const uint8_t *src, int n)
{
	for (int i = 0; i < n; i++) {
		uint32_t u;
		memcpy(&u, src + 4 * i, sizeof u);
		dst[i] = float_of((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : u);
	}
}

void exr_row_canon(float *v, int n)
{
	for (int i = 0; i < n; i++)
		if (v[i] != v[i])
			v[i] = float_of(0x7fc00000u);
}

void exr_row_from(float *dst, const uint8_t *src, int n, int pixel_type)
{
	if (pixel_type == EXR_PIXEL_HALF) {
		row_from_half(dst, src, n);
	} else if (pixel_type == EXR_PIXEL_FLOAT) {
		row_from_float(dst, src, n);
	} else {
		for (int i = 0; i < n; i++) {
			uint32_t u;
			memcpy(&u, src + 4 * i, sizeof u);
			dst[i] = (float)u;
		}
	}
}

void exr_row_to(uint8_t *dst, const float *src, int n, bool half)
{
	if (!half) {
		memcpy(dst, src, (size_t)n * sizeof *src);
		return;
	}
	for (int i = has_f16c() ? narrow(dst, src, n) : 0; i < n; i++) {
		uint16_t h = (uint16_t)to_half(src[i]);
		memcpy(dst + 2 * i, &h, sizeof h);
	}
}
