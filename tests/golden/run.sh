#!/bin/sh
# run.sh - renders some frames of every example and compares their hashes with the committed ones; `make bless` rewrites
# them, and a reviewer looks at the pictures before committing. They hold on every x86-64 machine.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
cp -r examples graphs lua "$tmp"/
export INTERNEG_SHARE="$tmp"
for dir in "$tmp"/examples/[0-9]*; do
	name=$(basename "$dir")
	rm -rf "$dir/out" "$dir/.interneg"
	"$INTERNEG" render "$dir/scene.xml" -F 1,3,6 --progress json --no-cache 2>"$tmp/err" |
		sed -n 's/.*"node":"\([^"]*\)","frame":\([0-9]*\),"hash":"\([0-9a-f]*\)".*/\1 \2 \3/p' | LC_ALL=C sort > "$tmp/got"
	golden=tests/golden/$name.txt
	if [ -n "${BLESS:-}" ]; then cp "$tmp/got" "$golden"; echo "ok blessed $name"; continue; fi
	if [ -s "$tmp/got" ] && cmp -s "$golden" "$tmp/got"; then echo "ok golden $name"
	else echo "not ok golden $name: $(diff "$golden" "$tmp/got" 2>&1 | head -3 | tr '\n' ' ') $(head -1 "$tmp/err")"; fi
done
