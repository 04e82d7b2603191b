/* Unit tests of mathx, px_math and mathpow. Oracle: glibc's libm in 80-bit long double, opened by name because
 * the program itself replaces the double functions.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "mathx.h"

#include <dlfcn.h>
#include <locale.h>

#include "px_power.h"
#include "test.h"

typedef long double ld;
typedef ld ld_fn(ld);
typedef ld ld_fn2(ld, ld);

static void *libm;
static uint64_t state = 88172645463325252u;
static double uni(double lo, double hi)
{
	state ^= state << 13; state ^= state >> 7; state ^= state << 17;
	return lo + (hi - lo) * ((double)(state >> 11) * 0x1p-53);
}

static void *sym(const char *name)
{
	void *p = dlsym(libm, name);
	if (!p) { test_ok(0, "mathx: libm has %s", name); exit(1); }
	return p;
}
static ld_fn *fn1(const char *name) { void *p = sym(name); ld_fn *f; memcpy(&f, &p, sizeof f);
                                      return f; }
static ld_fn2 *fn2(const char *name) { void *p = sym(name); ld_fn2 *f; memcpy(&f, &p, sizeof f);
                                       return f; }

/* Distance in units of the last place of a double. */
static double ulps(double got, ld want)
{
	double w = (double)want, a = w < 0 ? -w : w, u = 0x1p-1074;
	if (w != w || got != got) return w != w && got != got ? 0 : 1e30;
	if (a > 1.7e308 || got - got != 0) return got == w ? 0 : 1e30;
	if (a >= 0x1p-1022) u = px_dbl((px_bits(a) & 0x7ff0000000000000u)) * 0x1p-52;
	if (a >= 0x1p-1022 && a < 0x1p-969) u = px_dbl((px_bits(a * 0x1p60) & 0x7ff0000000000000u)) * 0x1p-112;
	ld d = (ld)got - want;
	return (double)((d < 0 ? -d : d) / (ld)u);
}

struct probe { const char *name; double (*mine)(double); const char *oracle; double lo, hi;
               bool by_log; double limit; };
static const struct probe probes[] = {
	{ "exp2", mx_exp2, "exp2l", -1073, 1024, false, 1 }, { "exp", mx_exp, "expl", -744, 709.7, false,
	                                                       1 },
	{ "log2", mx_log2, "log2l", -1073, 1023, true, 0.51 }, { "log", mx_log, "logl", -1073, 1023,
	                                                         true, 0.51 },
	{ "log near 1", mx_log, "logl", 0.9, 1.1, false, 0.51 }, { "log10", mx_log10, "log10l", -1073,
	                                                           1023, true, 0.51 },
	{ "sin", mx_sin, "sinl", -10, 10, false, 1 }, { "cos", mx_cos, "cosl", -10, 10, false, 1 },
	{ "sin far", mx_sin, "sinl", 30, 1023, true, 1 }, { "cos far", mx_cos, "cosl", 3, 60, true, 1 },
	{ "tan", mx_tan, "tanl", -10, 10, false, 2.6 }, { "atan", mx_atan, "atanl", -40, 60, true, 1.5 },
	{ "atan near", mx_atan, "atanl", -3, 3, false, 1.5 }, { "asin", mx_asin, "asinl", -1, 1, false,
	                                                        2.5 },
	{ "acos", mx_acos, "acosl", -1, 1, false, 3 }, { "sinh", mx_sinh, "sinhl", -5, 5, false, 2.5 },
	{ "cosh", mx_cosh, "coshl", -5, 5, false, 2.5 }, { "sinh far", mx_sinh, "sinhl", -709, 709,
	                                                   false, 2.5 },
	{ "tanh", mx_tanh, "tanhl", -3, 3, false, 3 }, { "asinh", mx_asinh, "asinhl", -40, 60, true, 2.5 },
	{ "erf", mx_erf, "erfl", -6, 6, false, 2.5 }, { "erf small", mx_erf, "erfl", -300, 0, true, 2.5 },
	{ "cbrt", mx_cbrt, "cbrtl", -1073, 1023, true, 0.51 },
};

static void accuracy(void)
{
	for (size_t i = 0; i < IN_COUNT(probes); i++) {
		const struct probe *p = &probes[i];
		ld_fn *f = fn1(p->oracle);
		double worst = 0, at = 0;
		for (int k = 0; k < 20000; k++) {
			double x = uni(p->lo, p->hi);
			if (p->by_log) x = mx_exp2(x);
			double u = ulps(p->mine(x), f(x));
			if (u > worst) { worst = u; at = x; }
		}
		test_ok(worst <= p->limit, "mathx %s within %.2f ulp of libm (%.3f at %a)", p->name, p->limit,
		        worst, at);
	}
}

static void two_arguments(void)
{
	ld_fn2 *powl_ = fn2("powl"), *atan2l_ = fn2("atan2l"), *hypotl_ = fn2("hypotl"),
	    *fmodl_ = fn2("fmodl");
	double w[4] = { 0 };
	int bad = 0;
	for (int k = 0; k < 40000; k++) {
		double x = mx_exp2(uni(-1000, 1000)), y = uni(-1.02, 1.02), u;
		if (k & 1) { x = mx_exp2(uni(-20, 20)); y = uni(-50, 50); }
		if ((u = ulps(mx_pow(x, y), powl_(x, y))) > w[0]) w[0] = u;
		double a = uni(-2, 2), b = uni(-2, 2);
		if ((u = ulps(mx_atan2(a, b), atan2l_(a, b))) > w[1]) w[1] = u;
		b = x * uni(-1, 1);
		if ((u = ulps(mx_hypot(x, b), hypotl_(x, b))) > w[2]) w[2] = u;
		b = k & 1 ? x * mx_exp2(uni(-200, 1)) : mx_exp2(uni(-1073, 1000));
		bad += b > 0 && (ld)mx_fmod(x, b) != fmodl_(x, b);
	}
	test_ok(w[0] <= 0.75, "mathx pow within 0.75 ulp (%.3f)", w[0]);
	test_ok(w[1] <= 2, "mathx atan2 within 2 ulp (%.3f)", w[1]);
	test_ok(w[2] <= 1, "mathx hypot within 1 ulp (%.3f)", w[2]);
	test_ok(!bad, "mathx fmod is exact (%d wrong)", bad);
}

static bool same_special(double a, double b)
{
	if (a != a || b != b) return a != a && b != b;
	double d = a - b, m = b < 0 ? -b : b;
	if (a == b) return a != 0 || (px_bits(a) >> 63) == (px_bits(b) >> 63);
	return (d < 0 ? -d : d) <= 1e-15 * m;
}
static void special_values(void)
{
	const double inf = __builtin_inf(), v[] = { 0.0, -0.0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, inf, -inf,
		__builtin_nan(""), 1e300, -1e300, 1e-310, -1e-310, 0.99999999, 1.0000001, 0x1p53, 0x1p53 + 2,
		    -0x1p53, 5e-324 };
	const struct { const char *name; double (*f)(double, double); } two[] = {
		{ "powl", mx_pow }, { "atan2l", mx_atan2 }, { "fmodl", mx_fmod }, { "hypotl", mx_hypot } };
	const struct { const char *name; double (*f)(double); } one[] = { { "floorl", mx_floor },
	                                                                  { "ceill", mx_ceil },
		{ "roundl", mx_round }, { "asinhl", mx_asinh }, { "cbrtl", mx_cbrt } };
	int bad = 0;
	for (size_t k = 0; k < IN_COUNT(two); k++)
		for (size_t i = 0; i < IN_COUNT(v); i++)
			for (size_t j = 0; j < IN_COUNT(v); j++) {
				double a = two[k].f(v[i], v[j]), b = (double)fn2(two[k].name)(v[i], v[j]);
				if (!same_special(a, b)) bad++, printf("# %s(%g, %g) = %g, not %g\n", two[k].name, v[i], v[j],
				                                       a, b);
			}
	for (size_t i = 0; i < IN_COUNT(v); i++) {
		for (size_t k = 0; k < IN_COUNT(probes); k++) {
			double a = probes[k].mine(v[i]), b = (double)fn1(probes[k].oracle)(v[i]);
			if (!same_special(a, b)) bad++, printf("# %s(%g) = %g, not %g\n", probes[k].name, v[i], a, b);
		}
		for (size_t k = 0; k < IN_COUNT(one); k++) {
			double a = one[k].f(v[i]), b = (double)fn1(one[k].name)(v[i]);
			if (!same_special(a, b)) bad++, printf("# %s(%g) = %g, not %g\n", one[k].name, v[i], a, b);
		}
	}
	test_ok(!bad, "mathx special values as C99 has them (%d wrong)", bad);
}

static void text(void)
{
	setlocale(LC_ALL, "de_DE.UTF-8");
	const struct { double v; const char *s; } known[] = { { 0.1, "0.1" }, { 1e22, "1e+22" },
	                                                      { -0.0, "-0" },
		{ 24, "24" }, { 5e-324, "5e-324" }, { 0.30000000000000004, "0.30000000000000004" } };
	char out[40];
	int bad = 0;
	for (size_t i = 0; i < IN_COUNT(known); i++) {
		mx_print(known[i].v, out);
		if (strcmp(out, known[i].s)) bad++, printf("# %s, not %s\n", out, known[i].s);
	}
	for (int i = 0; i < 5000; i++) {
		double v = px_dbl((uint64_t)uni(0, 0x1p53) << 10 | (uint64_t)uni(0, 1024)), back;
		if (v - v != 0) continue;
		mx_print(v, out);
		if (mx_parse(out, &back) || back != v) bad++;
	}
	test_ok(!bad, "mathx print is shortest and reads back (%d wrong)", bad);
	bad = 0;
	for (int i = 0; i < 5000; i++) {
		double v = (double)(int64_t)(uni(0, 2e15) - 1e15) * (i % 3 ? 1 : 1e-12);
		char libc[40];
		v = (double)(int64_t)v;
		mx_print(v, out);
		snprintf(libc, sizeof libc, "%.0f", v);
		bad += strcmp(out, libc) != 0 && strcmp(libc, "-0") != 0;
	}
	test_ok(!bad, "mathx print of whole numbers is as printf has it (%d wrong)", bad);
	const char *junk[] = { "", " 1", "1 ", "inf", "nan", "-nan", "1e999", "1,5", "1e", "--1", "+-1", ".", "0x", "1f" };
	double v;
	bad = 0;
	for (size_t i = 0; i < IN_COUNT(junk); i++) bad += mx_parse(junk[i], &v) == 0;
	test_ok(!bad, "mathx parse refuses junk (%d accepted)", bad);
	test_ok(!mx_parse("0x1.8p1", &v) && v == 3 && !mx_parse("-.5e1", &v)
	        && v == -5, "mathx parse takes hex and decimals");
}

/* Floats of every size. */
static float any_float(void) { return px_flt((uint32_t)uni(0, 4294967296.0)); }
static double float_ulps(float got, ld want)
{
	float w = (float)want;
	if (w != w || got != got) return w != w && got != got ? 0 : 1e30;
	int64_t a = px_bitsf(got), b = px_bitsf(w);
	if (a >> 31) a = -(a & 0x7fffffff);
	if (b >> 31) b = -(b & 0x7fffffff);
	return (double)(a > b ? a - b : b - a);
}

/* Distance in units of the last place of a float from a number that is no float. */
static double float_off(float got, double want)
{
	double a = want < 0 ? -want : want;
	float w = (float)want;
	if (w != w || got != got || w - w != 0 || got - got != 0 || a < 0x1p-126) return float_ulps(got, want);
	double d = (got - want) / (px_dbl(px_bits(a) & 0x7ff0000000000000u) * 0x1p-23);
	return d < 0 ? -d : d;
}

/* Every 251st float; set 1 for all of them. */
enum { EVERY = 251 };
static void one_argument(void)
{
	ld_fn *exp2l_ = fn1("exp2l"), *log2l_ = fn1("log2l");
	double we = 0, wl = 0, u;
	for (uint64_t b = 0; b < 0x7f800000u; b += EVERY) {
		float x = px_flt((uint32_t)b), e = 0;
		if ((u = float_off(px_log2(x), (double)log2l_(x))) > wl && x > 0) wl = u;
		if (x > 160 || x < 0x1p-30f) continue;
		for (int k = 0; k < 2; k++) {
			e = k ? -x : x;
			if ((u = float_off(px_exp2(e), (double)exp2l_(e))) > we) we = u;
		}
	}
	test_ok(we < 2 && wl < 2, "px exp2, log2 within 2 ulp over every 251st float (%.2f %.2f)", we, wl);
}

static void pixel_functions(void)
{
	ld_fn2 *powl_ = fn2("powl");
	double w = 0, u;
	for (int i = 0; i < 300000; i++) {
		float p = px_abs(any_float()), y = (float)uni(-3, 3);
		if (i & 1) p = (float)uni(0, 20);
		if (i % 5 == 0) { p = 1 + (float)(int)uni(-9, 9) * 0x1p-24f; y = (float)uni(-3e8, 3e8); }
		if (p == p && (u = float_off(px_pow(p, y), (double)powl_(p, y))) > w) w = u;
	}
	test_ok(w <= 1, "px pow within 1 ulp (%.2f)", w);
	const float inf = __builtin_inff(), nan = __builtin_nanf("");
	test_ok(px_exp2(inf) == inf && px_exp2(-inf) == 0 && px_exp2(nan) != px_exp2(nan)
	        && px_exp2(0) == 1 &&
	        px_exp2(-149) == 0x1p-149f, "px exp2 special values");
	test_ok(px_log2(0) == -inf && px_log2(inf) == inf && px_log2(-1) != px_log2(-1)
	        && px_log2(1) == 0 &&
	        px_log2(0x1p-149f) == -149 && px_log2(nan) != px_log2(nan), "px log2 special values");
	test_ok(px_pow(0, 2) == 0 && px_pow(0, 0) == 1 && px_pow(0, -1) == inf && px_pow(inf,
	                                                                                 .5f) == inf &&
	        px_pow(inf, -1) == 0 && px_pow(-1, 2) != px_pow(-1, 2) && px_spow(-4, .5f) == -2
	        && px_pow(3, 2) == 9 &&
	        px_pow(nan, 1) != px_pow(nan, 1), "px pow special values");
	test_ok(px_floor(-0.5f) == -1 && px_floor(2.75f) == 2 && px_floor(-3) == -3
	        && px_floor(8388607.5f) == 8388607 &&
	        px_floor(-8388607.5f) == -8388608 && px_floor(3e9f) == 3e9f
	        && px_floor(-inf) == -inf, "px floor");
}

/* Powers over rows: bases of every size and around 1, the exponents of grades and transfer curves. */
static void power_rows(void)
{
	static const float ys[] = { 2.4f, 2.2f, 2.6f, 1 / 2.4f, 1 / 2.6f, 0.45f, 1 / 0.45f, 0.5f, 2, 3, 0.95f, 1.05f, 0.01f, 1 };
	static float in[1000], out[1000];
	ld_fn2 *powl_ = fn2("powl");
	double worst = 0, slow = 0;
	for (size_t j = 0; j < IN_COUNT(ys); j++)
		for (int round = 0; round < 20; round++) {
			for (int i = 0; i < 1000; i++) in[i] = i % 3 ? (float)uni(0, round & 1 ? 2 : 0.01) : px_abs(any_float());
			memcpy(out, in, sizeof in);
			px_power_row(out, ys[j], round & 2 ? POW_ODD : POW_KEEP, 1000);
			for (int i = 0; i < 1000; i++) {
				double want = (double)powl_(in[i], ys[j]), u = float_off(out[i], want);
				if (in[i] < 0x1p-126f && in[i] > 0) continue;
				if (want < 0x1p-125) u = out[i] > 0x1p-125f ? 9 : 0;
				if (u > worst) worst = u;
			}
			memcpy(out, in, sizeof in);
			px_power_row(out, ys[j] + 3, POW_KEEP, 1000);
			for (int i = 0; i < 1000; i++) {
				double u = float_off(out[i], (double)powl_(in[i], ys[j] + 3));
				if (u > slow) slow = u;
			}
		}
	test_ok(worst <= 2 && slow <= 1, "px_rows powers within 2 ulp, above 3 within 1 (%.2f %.2f)", worst, slow);
	const float inf = __builtin_inff(), nan = __builtin_nanf("");
	float odd[7] = { 0, -4, inf, -inf, nan, 1, -0.0f }, keep[5] = { -4, 0, inf, nan, 1 }, big[2] = { 1e30f, 1e-30f };
	px_power_row(odd, 0.5f, POW_ODD, 7);
	test_ok(odd[0] == 0 && odd[1] == -2 && odd[2] == inf && odd[3] == -inf && odd[4] != odd[4] && odd[5] == 1
	        && px_bitsf(odd[6]) == 0x80000000u, "px_rows mirror below 0, keep 0, inf and NaN");
	px_power_row(keep, 0.3f, POW_KEEP, 5);
	px_power_row(big, 2, POW_KEEP, 2);
	test_ok(keep[0] == -4 && keep[1] == 0 && keep[2] == inf && keep[3] != keep[3] && keep[4] == 1 && big[0] == inf
	        && big[1] == 0, "px_rows leave what is not above 0, overflow to inf, underflow to 0");
}

/* The same by tables: every exponent they serve, every place of an octave and both of its borders. */
static void power_tables(void)
{
	static const float ys[] = { 1.02f, 0.98f, 2.4f, 1 / 2.4f, 0.45f, 0.5f, 2, 3, 0.01f, 0.382f, 2.618f };
	static float in[2048], out[2048];
	ld_fn2 *powl_ = fn2("powl");
	double worst = 0;
	int other = 0;
	for (size_t j = 0; j < IN_COUNT(ys); j++) {
		struct power_table t;
		power_table_make(&t, ys[j]);
		for (int round = 0; round < 12; round++) {
			for (int i = 0; i < 2048; i++) {
				in[i] = i % 3 ? (float)uni(0, round & 1 ? 2 : 0.01) : px_abs(any_float());
				/* a border between two places lies half way */
				if (round == 2) in[i] = px_flt((uint32_t)(0x3e800000 + (i / 3 << 17) + i % 3 - 1));
			}
			px_power_by(&t, false, 0, 0, in, out, 2048);
			for (int i = 0; i < 2048; i++) {
				double want = (double)powl_(in[i], ys[j]), u = float_off(out[i], want);
				if (in[i] < 0x1p-126f && in[i] > 0) continue;
				if (want < 0x1p-125) u = out[i] > 0x1p-125f ? 9 : 0;
				if (u > worst) worst = u;
			}
		}
		for (int i = 0; i < 2048; i++) in[i] = (float)uni(-0.1, 1), out[i] = in[i];
		px_power_by(&t, true, 1.25f, -0.1f, out, out, 2048 - 3);
		for (int i = 0; i < 2048 - 3; i++) {
			float b = in[i] * 1.25f - 0.1f, one = b;
			px_power_by(&t, false, 0, 0, &one, &one, 1);
			other += px_bitsf(out[i]) != px_bitsf(one) || (b <= 0 && out[i] != b);
		}
		power_table_free(&t);
	}
	test_ok(worst <= 2 && !other, "px_power tables within 2 ulp (%.2f), alone or in a row, scaled or not (%d differ)",
	        worst, other);
	const float inf = __builtin_inff(), nan = __builtin_nanf("");
	float v[9] = { 1, 0, -0.0f, -4, inf, -inf, nan, 0x1.fffffep127f, 0x1p-120f };
	struct power_table t;
	power_table_make(&t, 2);
	px_power_by(&t, false, 0, 0, v, v, 9);
	test_ok(v[0] == 1 && v[1] == 0 && px_bitsf(v[2]) == 0x80000000u && v[3] == -4 && v[4] == inf && v[5] == -inf &&
	        v[6] != v[6] && v[7] == inf && v[8] == 0, "px_power tables keep what is not above 0, overflow, underflow");
	power_table_free(&t);
	power_table_make(&t, 1);
	bool none = !t.v;
	power_table_make(&t, 3.5f);
	test_ok(none && !t.v, "px_power has no table for 1 and beyond 3");
}

/* fma32 without hardware FMA (this file is built for x86-64) against libm's exact fmaf. */
static void fused(void)
{
	void *p = sym("fmaf");
	float (*fmaf_)(float, float, float);
	memcpy(&fmaf_, &p, sizeof fmaf_);
	int bad = 0;
	for (int i = 0; i < 400000; i++) {
		float a = any_float(), b = any_float(), c = any_float();
		if (i % 3) { a = (float)uni(-2, 2); b = (float)uni(-2, 2); c = -a * b * (1 + (float)(int)uni(-4,
		                                                                                             4) * 0x1p-23f); }
		if (i % 7 == 0) c *= 0x1p-24f;
		float x = fma32(a, b, c), y = fmaf_(a, b, c);
		bad += px_bitsf(x) != px_bitsf(y) && !(x != x && y != y);
	}
	test_ok(!bad, "px fma32 emulation is exact (%d wrong)", bad);
}

enum { N = 4096 };
/* The same loop twice, once for a wider instruction set. */
IN_INLINE void loop(float *IN_RESTRICT o, const float *IN_RESTRICT a, int n)
{
	for (int i = 0; i < n; i++)
		o[i] = px_spow(a[i], 0.45f) + px_exp2(a[i]) + fma32(a[i], px_log2(px_abs(a[i])), a[i]);
	const struct px_power c = px_power_of(1 / 2.4);
	const struct px_exp_curve e = { 0x1.184p+4f, 4.375e-3f, 17.52f, -0x1.370ap+3f, -2.9296875e-5f, 0, 7.97f, 0.155f, 0.1f, 0 };
	const struct px_log_curve l = { 1, 0, 0x1.d38p-5f, 9.75e-6f, 0.0823f, 0x1.1c1p-1f, -1.5e-5f, 0.0078f, 10, 0 };
	px_pow_row(o, &c, POW_ODD, n / 2);
	px_exp_row(o + n / 2, &e, n / 4);
	px_log_row(o + n / 2 + n / 4, &l, n / 4 - 3);
}
static void loop_base(float *o, const float *a, int n) { loop(o, a, n); }
__attribute__((target("avx2,fma"))) static void loop_avx2(float *o, const float *a, int n) { loop(o, a, n); }

static void instruction_sets(void)
{
	static float in[N], a[N], b[N];
	if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma")) { test_skip("px on AVX2: "
	                                                                                   "CPU lacks "
	                                                                                   "it"); return; }
	for (int i = 0; i < N; i++) in[i] = i & 1 ? any_float() : (float)uni(-2, 20);
	loop_base(a, in, N);
	loop_avx2(b, in, N);
	int bad = 0;
	for (int i = 0; i < N; i++) bad += px_bitsf(a[i]) != px_bitsf(b[i]) && a[i] == a[i];
	test_ok(!bad, "px same bits for x86-64 and AVX2 (%d differ)", bad);
}

double pow(double, double);
double fmod(double, double);
static void interposed(void)
{
	Dl_info mine, theirs;
	double (*volatile p)(double, double) = pow;
	void *a, *b = dlsym(RTLD_DEFAULT, "pow");
	memcpy(&a, (void *)&p, sizeof a);
	test_ok(p(1.7, 2.3) == mx_pow(1.7, 2.3), "mathpow: pow is mx_pow");
	test_ok(b && dladdr(a, &mine) && dladdr(b, &theirs) && !strcmp(mine.dli_fname, theirs.dli_fname),
	        "mathpow: shared libraries resolve pow to the program");
}

int main(void)
{
	libm = dlopen("libm.so.6", RTLD_NOW);
	if (!libm) { test_skip("mathx: no libm.so.6"); return 0; }
	accuracy();
	two_arguments();
	special_values();
	text();
	one_argument();
	pixel_functions();
	power_rows();
	power_tables();
	fused();
	instruction_sets();
	interposed();
	TEST_END();
}
