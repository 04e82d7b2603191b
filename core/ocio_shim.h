/* ocio_shim - what the shared object over OpenColorIO offers: one table of functions, plain C.
 *
 * Only core/ocio.c opens it; the program itself is linked with no C++. Threads:
 * open is for any thread, apply too.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_OCIO_SHIM_H
#define IN_OCIO_SHIM_H

#include <stddef.h>

/* Names of the config; NULL or "": not asked. look alone: from and to are process-neutral ends. */
struct ocio_shim_ask {
	const char *config;                  /* path of the config file */
	const char *from, *to, *look, *display, *view;
	int inverse;
	int whole;                           /* never as steps: OpenColorIO's own processor */
};

/* clf: the transform as Common LUT Format steps, or NULL and why; then cpu evaluates it. id:
 * OpenColorIO's own hash of all that the transform holds. All malloced. */
struct ocio_shim_result {
	char *clf, *why, *id;
	char **file; int nfile;              /* files that were read for it, beside the config */
	void *cpu;
};

struct ocio_shim {
	int abi;                             /* OCIO_SHIM_ABI */
	const char *(*version)(void);
	/* 0, or -1 with a message. */
	int (*open)(const struct ocio_shim_ask *ask, struct ocio_shim_result *out, char *msg, size_t size);
	/* Rows in place; equal results for any division into rows. */
	void (*apply)(const void *cpu, float *r, float *g, float *b, long n);
	void (*close)(struct ocio_shim_result *r);
	/* The config's name for ACES2065-1, or "", malloced; NULL with a message. */
	char *(*interchange)(const char *config, char *msg, size_t size);
};

enum { OCIO_SHIM_ABI = 1 };
#define OCIO_SHIM_SYMBOL "interneg_ocio"

#endif
