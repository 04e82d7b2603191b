/* base - the one place for compiler extensions and build-wide macros.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_BASE_H
#define IN_BASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IN_PRINTF(f, a) __attribute__((format(printf, f, a)))
#define IN_NORETURN     __attribute__((noreturn))
#define IN_INLINE       static inline __attribute__((always_inline))
/* Loops that would lack registers inside a larger function. */
#define IN_NOINLINE     __attribute__((noinline))
#define IN_UNUSED       __attribute__((unused))
#define IN_LIKELY(x)    __builtin_expect(!!(x), 1)
#define IN_UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define IN_RESTRICT     __restrict__

/* Before a loop over pixels whose output overlaps none of its inputs. */
#define IN_IVDEP        _Pragma("GCC ivdep")

#define IN_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One number for everything that may change pixels but belongs to no node:
 * part of every key. Raise it when shared pixel code changes its result. */
#define CORE_PIXELS 3

#define INTERNEG_VERSION "0.1.0"

/* Four floats at once (GCC vectors: same bits on every target); needs float alignment only. */
typedef float v4f __attribute__((vector_size(16), aligned(4), may_alias));
typedef float v2f __attribute__((vector_size(8), aligned(4), may_alias));
#define v2f_load(p) (*(const v2f *)(const void *)(p))
#define v4f_of(lo, hi) __builtin_shufflevector(lo, hi, 0, 1, 2, 3)
#define v4f_load(p) (*(const v4f *)(const void *)(p))
#define v4f_store(p, v) (*(v4f *)(void *)(p) = (v))
/* Lanes of two such, a's numbered from 0, b's from 4. */
#define v4f_mix(a, b, i, j, k, l) __builtin_shufflevector(a, b, i, j, k, l)
#ifdef __AVX__
/* Eight floats as two halves; v8f_mix does v4f_mix in each. */
typedef float v8f __attribute__((vector_size(32), aligned(4), may_alias));
#define v8f_load(p) (*(const v8f *)(const void *)(p))
#define v8f_store(p, v) (*(v8f *)(void *)(p) = (v))
#define v8f_of(lo, hi) __builtin_shufflevector(lo, hi, 0, 1, 2, 3, 4, 5, 6, 7)
#define v8f_mix(a, b, i, j, k, l) __builtin_shufflevector(a, b, V8F_AT(i), V8F_AT(j), V8F_AT(k), \
	V8F_AT(l), V8F_AT(i) + 4, V8F_AT(j) + 4, V8F_AT(k) + 4, V8F_AT(l) + 4)
#define V8F_AT(i) ((i) < 4 ? (i) : (i) + 4)
#endif

/* 64-bit lanes, as many as multiply at once. vwide_mul32: products of the low halves; vwide_join:
 * a's low halves below b's; vwide_lower, vwide_upper: lanes of a and b by turns. */
#ifdef __AVX2__
typedef uint64_t vwide __attribute__((vector_size(32), aligned(4), may_alias));
typedef int32_t vhalf __attribute__((vector_size(32)));
#define vwide_mul32(a, b) ((vwide)__builtin_ia32_pmuludq256((vhalf)(a), (vhalf)(b)))
#define vwide_lower(a, b) __builtin_shufflevector(a, b, 0, 4, 1, 5)
#define vwide_upper(a, b) __builtin_shufflevector(a, b, 2, 6, 3, 7)
#define vwide_join(a, b) \
	((vwide)__builtin_shufflevector((vhalf)(a), (vhalf)(b), 0, 8, 2, 10, 4, 12, 6, 14))
#else
typedef uint64_t vwide __attribute__((vector_size(16), aligned(4), may_alias));
typedef int32_t vhalf __attribute__((vector_size(16)));
#ifdef __SSE2__
#define vwide_mul32(a, b) ((vwide)__builtin_ia32_pmuludq128((vhalf)(a), (vhalf)(b)))
#else
#define vwide_mul32(a, b) (((a) & 0xffffffffu) * ((b) & 0xffffffffu))
#endif
#define vwide_lower(a, b) __builtin_shufflevector(a, b, 0, 2)
#define vwide_upper(a, b) __builtin_shufflevector(a, b, 1, 3)
#define vwide_join(a, b) ((vwide)__builtin_shufflevector((vhalf)(a), (vhalf)(b), 0, 4, 2, 6))
#endif
/* x in the low halves; the high ones may hold it too. */
#define vwide_of(x) ((vwide)((vhalf){ 0 } + (int32_t)(x)))
#define vwide_store(p, v) (*(vwide *)(void *)(p) = (v))

/* As many floats as a vector register of the target holds, and of these the ones of which eight are a
 * multiple; need float alignment only. */
#if defined __AVX512F__
#define IN_LANES 16
#elif defined __AVX__
#define IN_LANES 8
#else
#define IN_LANES 4
#endif
#define IN_LANES8 (IN_LANES < 8 ? IN_LANES : 8)
typedef float vnf __attribute__((vector_size(4 * IN_LANES), aligned(4), may_alias));
typedef float v8n __attribute__((vector_size(4 * IN_LANES8), aligned(4), may_alias));
typedef int v8ni __attribute__((vector_size(4 * IN_LANES8), aligned(4), may_alias));

/* Pixel files (nodes/, core/px_*.c) are compiled once per instruction set with
 * IN_ISA set to baseline, avx2 or avx512; ISA(name) is the symbol of this copy. */
#ifdef IN_ISA
#define IN_CAT2(a, b) a##_##b
#define IN_CAT1(a, b) IN_CAT2(a, b)
#define ISA(name) IN_CAT1(name, IN_ISA)
#endif

enum isa { ISA_AUTO, ISA_BASELINE, ISA_AVX2, ISA_AVX512 };

#endif
