/* broken - node types that break their declaration, ended by one without a name.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_BROKEN_H
#define IN_BROKEN_H
#include "node.h"
extern const struct node_type broken_types[];
#endif
