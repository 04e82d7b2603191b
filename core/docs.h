/* docs - the reference of node types, printed from their declarations.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_DOCS_H
#define IN_DOCS_H

#include <stdio.h>

#include "graph.h"

/* One line a visible type, by category. */
void docs_list(FILE *f, const struct registry *reg);
/* Everything about one type, for the terminal. */
void docs_node(FILE *f, const struct node_type *t);
/* The reference page, and the same facts as one JSON array. */
void docs_markdown(FILE *f, const struct registry *reg);
void docs_json(FILE *f, const struct registry *reg);

#endif
