/* cache_int - what the files of the cache share.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CACHE_INT_H
#define IN_CACHE_INT_H

#include "cache.h"

#endif
