/* mathx - the program's own elementary functions: equal bits on every machine.
 * No libm in pixels or coefficient set-up (libm differs between CPUs). sqrt is IEEE-exact and allowed.
 * Scalar double functions here; vectorisable float ones in px_math.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MATHX_H
#define IN_MATHX_H

#include "base.h"

#define MX_PI 3.14159265358979323846

double mx_exp2(double x);
double mx_exp(double x);
double mx_log2(double x);              /* -inf at 0, NaN below */
double mx_log(double x);
double mx_log10(double x);
double mx_pow(double x, double y);     /* C99 pow's special cases */
double mx_sin(double x);
double mx_cos(double x);
double mx_tan(double x);
double mx_atan(double x);
double mx_atan2(double y, double x);
double mx_asin(double x);
double mx_acos(double x);
double mx_sinh(double x);
double mx_cosh(double x);
double mx_tanh(double x);
double mx_asinh(double x);
double mx_erf(double x);
double mx_cbrt(double x);
double mx_hypot(double x, double y);
double mx_floor(double x);
double mx_ceil(double x);
double mx_round(double x);             /* half away from zero */
double mx_fmod(double x, double y);    /* exact */

/* Locale-free number text. parse: whole string, finite, decimal or C99 hex; 0 or -1.
 * print: shortest decimal text that reads back to the same double. */
int mx_parse(const char *s, double *out);
void mx_print(double v, char out[40]);

/* bfloat16: a float's upper half, to the nearest, ties to even. */
static inline uint16_t mx_bf16(float v)
{
	uint32_t b;
	__builtin_memcpy(&b, &v, sizeof b);
	return (uint16_t)((b + 0x7fff + (b >> 16 & 1)) >> 16);
}
static inline float mx_from_bf16(uint16_t h)
{
	uint32_t b = (uint32_t)h << 16;
	float v;
	__builtin_memcpy(&v, &b, sizeof v);
	return v;
}

#endif
