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

#define IN_COUNT(a) (sizeof(a) / sizeof((a)[0]))

/* One number for everything that may change pixels but belongs to no node:
 * part of every key. Raise it when shared pixel code changes its result. */
#define CORE_PIXELS 2

#define INTERNEG_VERSION "0.1.0"

/* Four floats at once (GCC vectors: same bits on every target); needs float alignment only. */
typedef float v4f __attribute__((vector_size(16), aligned(4), may_alias));

/* Pixel files (nodes/, core/px_*.c) are compiled once per instruction set with
 * IN_ISA set to baseline, avx2 or avx512; ISA(name) is the symbol of this copy. */
#ifdef IN_ISA
#define IN_CAT2(a, b) a##_##b
#define IN_CAT1(a, b) IN_CAT2(a, b)
#define ISA(name) IN_CAT1(name, IN_ISA)
#endif

enum isa { ISA_AUTO, ISA_BASELINE, ISA_AVX2, ISA_AVX512 };

#endif
