/* node_table - the generated tables of static node types, one an instruction set, NULL-terminated.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NODE_TABLE_H
#define IN_NODE_TABLE_H
struct node_type;
extern const struct node_type *const nodes_baseline[], *const nodes_avx2[], *const nodes_avx512[];
#endif
