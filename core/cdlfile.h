/* cdlfile - ASC CDL corrections from .cc, .ccc and .cdl files.
 * ASC CDL Transfer Functions and Interchange Syntax v1.2 (2009). Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CDLFILE_H
#define IN_CDLFILE_H

#include "base.h"
#include "err.h"

#define CDL_FILE_MAX ((size_t)16 << 20)

struct cdl_values { double slope[3], offset[3], power[3], saturation; };

/* The correction of the file that id names: its id attribute, or else its number from 0 on. An empty
 * id takes the only one. What a correction leaves out is neutral. E_INPUT with file:line otherwise. */
int cdl_load(const char *path, const char *id, struct cdl_values *out, struct err *e);
/* The same from text; name stands in messages. */
int cdl_parse(const char *name, const char *text, size_t len, const char *id, struct cdl_values *out,
              struct err *e);

#endif
