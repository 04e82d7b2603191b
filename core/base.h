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
#define IN_UNUSED       __attribute__((unused))
#define IN_LIKELY(x)    __builtin_expect(!!(x), 1)
#define IN_UNLIKELY(x)  __builtin_expect(!!(x), 0)
#define IN_RESTRICT     __restrict__

/* Before a loop over pixels whose output overlaps none of its inputs. */
#define IN_IVDEP        _Pragma("GCC ivdep")

#define IN_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One number for everything that may change pixels but belongs to no node:
 * part of every key. Raise it when shared pixel code changes its result. */
#define CORE_PIXELS 1

#define INTERNEG_VERSION "0.1.0"

/* Four floats at once (GCC vectors: same bits on every target); needs float alignment only. */
typedef float v4f __attribute__((vector_size(16), aligned(4), may_alias));
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
typedef float v8f __attribute__((vector_size(4 * IN_LANES8), aligned(4), may_alias));
typedef int v8i __attribute__((vector_size(4 * IN_LANES8), aligned(4), may_alias));

/* Pixel files (nodes/, core/px_*.c) are compiled once per instruction set with
 * IN_ISA set to baseline, avx2 or avx512; ISA(name) is the symbol of this copy. */
#ifdef IN_ISA
#define IN_CAT2(a, b) a##_##b
#define IN_CAT1(a, b) IN_CAT2(a, b)
#define ISA(name) IN_CAT1(name, IN_ISA)
#endif

enum isa { ISA_AUTO, ISA_BASELINE, ISA_AVX2, ISA_AVX512 };

#endif
