/* cpu - what CPU this is, and that its AVX-512 really adds, fuses and masks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <cpuid.h>
#include <immintrin.h>
#include <stdbool.h>

#include "test.h"

__attribute__((target("avx512f")))
static void vectors(void)
{
	float a[16], b[16], sum[16], fused[16], part[18];
	int bad = 0;
	for (int i = 0; i < 16; i++) a[i] = 1.0f + (float)i * 0x1p-23f, b[i] = (float)i + 0.5f;
	for (int i = 0; i < 18; i++) part[i] = -7.0f;
	__m512 x = _mm512_loadu_ps(a), y = _mm512_loadu_ps(b);
	_mm512_storeu_ps(sum, _mm512_add_ps(x, y));
	_mm512_storeu_ps(fused, _mm512_fmsub_ps(x, x, _mm512_mul_ps(x, x)));
	_mm512_mask_storeu_ps(part, 0x00ff, x);
	for (int i = 0; i < 16; i++) {
		volatile float s = a[i] + b[i], p = a[i] * a[i];
		volatile double exact = (double)a[i] * a[i] - (double)p;
		bad += sum[i] != s || (double)fused[i] != exact || part[i] != (i < 8 ? a[i] : -7.0f);
	}
	test_ok(bad == 0, "16 floats are added, multiplied with one rounding, stored under a mask (%d wrong)", bad);
}

int main(void)
{
	static const char *const amx[] = { "no AMX", "AMX" };
	unsigned r[12] = { 0 };
	char name[49] = "";
	for (unsigned i = 0; i < 3; i++)
		__get_cpuid(0x80000002u + i, &r[4 * i], &r[4 * i + 1], &r[4 * i + 2], &r[4 * i + 3]);
	memcpy(name, r, 48);
	__get_cpuid_count(7, 0, &r[0], &r[1], &r[2], &r[3]);
	printf("# CPU: %s, %s\n", name, amx[r[3] >> 24 & 1]);
	bool has = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
		__builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl");
	test_ok(has, "the CPU has AVX-512 F, BW, CD, DQ, VL");
	if (has) vectors();
	TEST_END();
}
