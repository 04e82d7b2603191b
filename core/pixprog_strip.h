/* pixprog_strip - the machine of compiled block programs: one strip of a row at a time,
 * whose current value stays in eight vector registers while the operations go over
 * it; what is read twice lies in memory.
 *
 * Compiled once per instruction set. The strip is longer where vectors are wider, which no result depends on.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PIXPROG_STRIP_H
#define IN_PIXPROG_STRIP_H

#include "pixprog.h"
#include "px_math.h"
#include "px_vec.h"

enum { PS_VECTORS = 8, PS_STRIP = PS_VECTORS * PXV_LANES };

/* x^y as C99 has it: below 0 the integer powers exist. */
IN_INLINE float ps_signed_pow(float x, float y)
{
	float r = px_pow(px_abs(x), y);
	float odd = px_floor(0.5f * y) * 2.0f != y ? -r : r;
	float below = px_floor(y) == y ? odd : __builtin_nanf("");
	return x < 0.0f ? below : r;
}

static void ps_pow(float *IN_RESTRICT d, const float *a, const float *b)
{
	for (int i = 0; i < PS_STRIP; i++) d[i] = ps_signed_pow(a[i], b[i]);
}

static void ps_exp2(float *IN_RESTRICT d, const float *a)
{
	for (int i = 0; i < PS_STRIP; i++) d[i] = px_exp2(a[i]);
}

static void ps_log2(float *IN_RESTRICT d, const float *a)
{
	for (int i = 0; i < PS_STRIP; i++) d[i] = px_log2(a[i]);
}

/* What an operation does to the current value v with one operand, or with more. */
IN_INLINE pxv ps_load(pxv v, pxv m) { (void)v; return m; }
IN_INLINE pxv ps_add(pxv v, pxv m) { return v + m; }
IN_INLINE pxv ps_sub(pxv v, pxv m) { return v - m; }
IN_INLINE pxv ps_rsub(pxv v, pxv m) { return m - v; }
IN_INLINE pxv ps_mul(pxv v, pxv m) { return v * m; }
IN_INLINE pxv ps_div(pxv v, pxv m) { return v / m; }
IN_INLINE pxv ps_rdiv(pxv v, pxv m) { return m / v; }
IN_INLINE pxv ps_min(pxv v, pxv m) { return pxv_min(v, m); }
IN_INLINE pxv ps_rmin(pxv v, pxv m) { return pxv_min(m, v); }
IN_INLINE pxv ps_max(pxv v, pxv m) { return pxv_max(v, m); }
IN_INLINE pxv ps_rmax(pxv v, pxv m) { return pxv_max(m, v); }
IN_INLINE pxv ps_ldadd(pxv v, pxv m, pxv n) { (void)v; return m + n; }
IN_INLINE pxv ps_ldsub(pxv v, pxv m, pxv n) { (void)v; return m - n; }
IN_INLINE pxv ps_ldmul(pxv v, pxv m, pxv n) { (void)v; return m * n; }
IN_INLINE pxv ps_addmul(pxv v, pxv m, pxv n) { return v + m * n; }
IN_INLINE pxv ps_submul(pxv v, pxv m, pxv n) { return v - m * n; }
IN_INLINE pxv ps_rsubmul(pxv v, pxv m, pxv n) { return m * n - v; }
IN_INLINE pxv ps_scale(pxv v, pxv m, pxv n) { return (v - m) * n + m; }
IN_INLINE pxv ps_muladd(pxv v, pxv m, pxv n) { return v * m + n; }
IN_INLINE pxv ps_clamp(pxv v, pxv m, pxv n) { return pxv_min(pxv_max(v, m), n); }

/* The step's work on vector k, by where its operands lie: memory (M), one
 * uniform vector (p, q), or only v. */
#define PS_AT(p, k) pxv_load((p) + (k) * PXV_LANES)
#define PS_M(f, k) v##k = f(v##k, PS_AT(a, k));
#define PS_U(f, k) v##k = f(v##k, p);
#define PS_MM(f, k) v##k = f(v##k, PS_AT(a, k), PS_AT(b, k));
#define PS_MU(f, k) v##k = f(v##k, PS_AT(a, k), p);
#define PS_UU(f, k) v##k = f(v##k, p, q);
#define PS_V(f, k) v##k = f(v##k);
#define PS_MULADD3(f, k) v##k = PS_AT(a, k) * p + q;
#define PS_SCALE3(f, k) v##k = ps_scale(PS_AT(a, k), PS_AT(b, k), p);
#define PS_GAIN4(f, k) v##k = pxv_max(PS_AT(a, k) * p + q, r);
#define PS_MIX5(f, k) v##k = ps_scale(ps_scale(PS_AT(a, k), PS_AT(b, k), p), q, r);
#define PS_WEIGH4(f, k) v##k = PS_AT(a, k) * p + PS_AT(c, k) * q;
#define PS_DOT6(f, k) v##k = PS_AT(a, k) * p + PS_AT(c, k) * q + PS_AT(e, k) * r;
#define PS_CHOOSE(f, k) v##k = f(v##k, PS_AT(a, k), PS_AT(b, k), PS_AT(c, k));
#define PS_CHOOSE_YES(f, k) v##k = f(PS_AT(a, k), PS_AT(b, k), v##k, PS_AT(c, k));
#define PS_CHOOSE_NO(f, k) v##k = f(PS_AT(a, k), PS_AT(b, k), PS_AT(c, k), v##k);
#define PS_STORE(f, k) pxv_store(d + k * PXV_LANES, v##k);
#define PS_ALL(g, f) g(f, 0) g(f, 1) g(f, 2) g(f, 3) g(f, 4) g(f, 5) g(f, 6) g(f, 7)

#define PS_CASE(name, g, f) case PS_##name: PS_ALL(g, f) break;
#define PS_CASE1(name, f) PS_CASE(name, PS_M, f) \
	case PS_##name##_U: { pxv p = pxv_load(a); PS_ALL(PS_U, f) break; }
#define PS_CASE2(name, f) PS_CASE(name, PS_MM, f) \
	case PS_##name##_U: { pxv p = pxv_load(b); PS_ALL(PS_MU, f) break; }
#define PS_CASE_UU(name, g, x, y, f) \
	case PS_##name: { pxv p = pxv_load(x), q = pxv_load(y); PS_ALL(g, f) break; }
#define PS_CASE3(name, g, x, y, z) case PS_##name: { \
	pxv p = pxv_load(x), q = pxv_load(slot[y]), r = pxv_load(slot[z]); PS_ALL(g, ) break; }
#define PS_BLOCK(name, call) case PS_##name: call; v0 = v1 = v2 = v3 = v4 = v5 = v6 = v7 = none; continue;

/* Runs steps over one strip; slot[i] points to slot i's floats. */
static void ps_run(const struct pp_step *s, float *const *slot)
{
	const pxv none = pxv_of(0.0f);
	pxv v0 = none, v1 = none, v2 = none, v3 = none, v4 = none, v5 = none, v6 = none, v7 = none;
	for (;; s++) {
		const float *a = slot[s->a], *b = slot[s->b], *c = slot[s->c];
		switch ((enum ps_op)s->op) {
		case PS_END: return;
		case PS_KEEP: break;
		PS_CASE1(LOAD, ps_load) PS_CASE1(ADD, ps_add) PS_CASE1(SUB, ps_sub) PS_CASE1(RSUB, ps_rsub)
		PS_CASE1(MUL, ps_mul) PS_CASE1(DIV, ps_div) PS_CASE1(RDIV, ps_rdiv)
		PS_CASE1(MIN, ps_min) PS_CASE1(RMIN, ps_rmin) PS_CASE1(MAX, ps_max) PS_CASE1(RMAX, ps_rmax)
		PS_CASE2(LDADD, ps_ldadd) PS_CASE2(LDSUB, ps_ldsub) PS_CASE2(LDMUL, ps_ldmul)
		PS_CASE2(ADDMUL, ps_addmul) PS_CASE2(SUBMUL, ps_submul) PS_CASE2(RSUBMUL, ps_rsubmul)
		PS_CASE2(SCALE, ps_scale)
		PS_CASE_UU(MULADD, PS_UU, a, b, ps_muladd) PS_CASE_UU(CLAMP, PS_UU, a, b, ps_clamp)
		PS_CASE_UU(SCALEU, PS_UU, a, b, ps_scale) PS_CASE_UU(LDMULADD, PS_MULADD3, b, c, )
		case PS_LDSCALE: { pxv p = pxv_load(c); PS_ALL(PS_SCALE3, ) break; }
		PS_CASE3(GAIN, PS_GAIN4, b, s->c, s->d) PS_CASE3(MIX, PS_MIX5, c, s->d, s->e)
		case PS_WEIGH: { pxv p = pxv_load(b), q = pxv_load(slot[s->d]); PS_ALL(PS_WEIGH4, ) break; }
		case PS_DOT: {
			const float *e = slot[s->e];
			pxv p = pxv_load(b), q = pxv_load(slot[s->d]), r = pxv_load(slot[s->f]);
			PS_ALL(PS_DOT6, ) break;
		}
		PS_CASE(NEG, PS_V, pxv_neg) PS_CASE(ABS, PS_V, pxv_abs)
		PS_CASE(FLOOR, PS_V, pxv_floor) PS_CASE(SQRT, PS_V, pxv_sqrt)
		PS_CASE(LT, PS_CHOOSE, pxv_lt) PS_CASE(LE, PS_CHOOSE, pxv_le) PS_CASE(EQ, PS_CHOOSE, pxv_eq)
		PS_CASE(LTV, PS_CHOOSE_YES, pxv_lt) PS_CASE(LEV, PS_CHOOSE_YES, pxv_le)
		PS_CASE(EQV, PS_CHOOSE_YES, pxv_eq) PS_CASE(LTW, PS_CHOOSE_NO, pxv_lt)
		PS_CASE(LEW, PS_CHOOSE_NO, pxv_le) PS_CASE(EQW, PS_CHOOSE_NO, pxv_eq)
		PS_BLOCK(POW, ps_pow(slot[s->st], a, b)) PS_BLOCK(EXP2, ps_exp2(slot[s->st], a))
		PS_BLOCK(LOG2, ps_log2(slot[s->st], a))
		default: return;
		}
		if (!s->st) continue;
		float *d = slot[s->st];
		PS_ALL(PS_STORE, )
	}
}

#endif
