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

void half_round(float *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = from_half(to_half(v[i]));
}

static void row_from_half(float *IN_RESTRICT dst, const uint8_t *IN_RESTRICT src, int n)
{
	for (int i = 0; i < n; i++) {
		uint16_t h;
		memcpy(&h, src + 2 * i, sizeof h);
		dst[i] = from_half(h);
	}
}

static void row_from_float(float *IN_RESTRICT dst, const uint8_t *IN_RESTRICT src, int n)
{
	for (int i = 0; i < n; i++) {
		uint32_t u;
		memcpy(&u, src + 4 * i, sizeof u);
		dst[i] = float_of((u & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : u);
	}
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
	for (int i = 0; i < n; i++) {
		uint16_t h = (uint16_t)to_half(src[i]);
		memcpy(dst + 2 * i, &h, sizeof h);
	}
}
