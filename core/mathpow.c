/* mathpow - the program's own pow, exp, log, sin ... under libm's names.
 *
 * liblua5.4.so computes the operator ^ by pow() and % by fmod(), and its math library calls the
 * rest. libm's double functions give other bits on other CPUs (they pick FMA variants at load
 * time), so scripts would too. The program is linked with -rdynamic: these definitions come first
 * in the symbol search order and take the place of libm's for every shared library in the
 * process.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mathx.h"

#define EXPORT __attribute__((visibility("default")))

/* Declared here rather than by <math.h>: its builtin prototypes would let the compiler fold calls.
 * */
double pow(double, double);
double exp(double);
double exp2(double);
double log(double);
double log2(double);
double log10(double);
double sin(double);
double cos(double);
double tan(double);
double asin(double);
double acos(double);
double atan(double);
double atan2(double, double);
double fmod(double, double);

EXPORT double pow(double x, double y) { return mx_pow(x, y); }
EXPORT double exp(double x) { return mx_exp(x); }
EXPORT double exp2(double x) { return mx_exp2(x); }
EXPORT double log(double x) { return mx_log(x); }
EXPORT double log2(double x) { return mx_log2(x); }
EXPORT double log10(double x) { return mx_log10(x); }
EXPORT double sin(double x) { return mx_sin(x); }
EXPORT double cos(double x) { return mx_cos(x); }
EXPORT double tan(double x) { return mx_tan(x); }
EXPORT double asin(double x) { return mx_asin(x); }
EXPORT double acos(double x) { return mx_acos(x); }
EXPORT double atan(double x) { return mx_atan(x); }
EXPORT double atan2(double y, double x) { return mx_atan2(y, x); }
EXPORT double fmod(double x, double y) { return mx_fmod(x, y); }
