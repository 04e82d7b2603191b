/* grain_stock - where the program's own grain profiles lie, and by which name.
 * Threads: any.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAIN_STOCK_H
#define IN_GRAIN_STOCK_H

#include "base.h"

#define GRAIN_STOCK "stock:"

/* The path that "stock:NAME" means: NAME.grain below $INTERNEG_SHARE/graphs/stocks, else beside the
 * program. False where text is no such name or there is no such file. */
bool grain_stock_path(const char *text, char *out, size_t size);
/* "stock:NAME" for a path that grain_stock_path gives; false for others. */
bool grain_stock_name(const char *path, char *out, size_t size);
/* Names of all stocks, sorted, with spaces between. */
void grain_stock_list(char *out, size_t size);

#endif
