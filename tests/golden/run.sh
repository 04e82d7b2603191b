#!/bin/sh
# run.sh - verifies every example against its committed lock: all frames, and some with each instruction set. `make bless`
# locks again; a reviewer looks at the pictures before committing. The locks hold on every x86-64 machine.
# SPDX-License-Identifier: BSD-2-Clause
in=${INTERNEG:?}
isas="baseline"
grep -qw avx2 /proc/cpuinfo && isas="$isas avx2"
grep -qw avx512f /proc/cpuinfo && isas="$isas avx512"
for scene in examples/[0-9]*/scene.xml; do
	name=$(basename "$(dirname "$scene")")
	if out=$("$in" verify "$scene" 2>&1); then echo "ok golden $name"
	else echo "not ok golden $name: $(echo "$out" | grep -v warning | head -4 | tr '\n' ' ')"; fi
	for isa in $isas; do
		if out=$("$in" verify "$scene" --sample 2 --isa $isa --threads 1 --tile 100 2>&1); then echo "ok golden $name $isa"
		else echo "not ok golden $name $isa: $(echo "$out" | grep -v warning | head -4 | tr '\n' ' ')"; fi
	done
done
