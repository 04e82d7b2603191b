#!/bin/sh
# gen-nodes.sh FILE... - prints the table of node types, one copy an instruction set, from the files' names.
# SPDX-License-Identifier: BSD-2-Clause
names=$(for f in "$@"; do basename "$f" .c; done | LC_ALL=C sort)
echo '/* Made by gen-nodes.sh from the files in nodes/. */'
echo '#include "node.h"'
echo '#include "node_table.h"'
for isa in baseline avx2 avx512; do
	for n in $names; do echo "extern const struct node_type node_${n}_${isa};"; done
	echo "const struct node_type *const nodes_${isa}[] = {"
	for n in $names; do echo "	&node_${n}_${isa},"; done
	echo "	NULL };"
done
