#!/bin/sh
# lint.sh - the house rules that a machine can check: layers, self-contained headers, sizes.
# Layers and headers fail; sizes over the aim are listed with their numbers.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
bad=0 licence=0
layer() { # stem -> number
	while read -r n pats; do
		case $n in '#'*|'') continue ;; esac
		for p in $pats; do
			# shellcheck disable=SC2254
			case $1 in $p) echo "$n"; return ;; esac
		done
	done < tests/tools/layers.txt
	echo none
}
set -f
for f in $(find core -name '*.[ch]' | LC_ALL=C sort); do
	stem=$(basename "$f" | sed 's/\.[ch]$//')
	own=$(layer "$stem")
	[ "$own" = none ] && { echo "not ok layers: $f stands in no layer (tests/tools/layers.txt)"; bad=1; continue; }
	for h in $(sed -n 's/^#include "\([^"]*\)\.h"/\1/p' "$f"); do
		up=$(layer "$h")
		[ "$up" = none ] && continue
		[ "$up" -gt "$own" ] && { echo "not ok layers: $f (L$own) includes $h.h (L$up)"; bad=1; }
	done
done
[ $bad -eq 0 ] && echo "ok layers: includes point down only"
set +f
flags="-std=c11 -D_GNU_SOURCE -Wall -Wextra -Wno-unused -fsyntax-only -Icore -DIN_ISA=baseline $(pkg-config --cflags libxml-2.0 OpenEXR lua5.4 libavformat nettle libpng libxxhash)"
# Each header alone, one on each core.
alone=$(printf '%s\n' core/*.h | flags="$flags" xargs -n 1 -P "$(nproc)" sh -c \
	'why=$(printf "#include \"%s\"\n" "${1#core/}" | ${CC:-cc} $flags -x c - 2>&1) ||
		echo "not ok header $1 is not self-contained: $(echo "$why" | grep -m 1 error)"' -)
if [ -n "$alone" ]; then echo "$alone"; bad=1; else echo "ok headers: each compiles alone"; fi
for f in core/*.[ch] nodes/*.[ch] tests/*/*.c; do
	n=$(wc -l < "$f")
	[ "$n" -gt 600 ] && echo "size: $f has $n lines (aim 600)"
done
awk 'FNR==1 {infn=0} /^[a-z].*\)$|^[a-z].*\) *$/ {name=$0} /^{/ {start=FNR; infn=1} /^}/ {if (infn && FNR-start > 80) printf "size: %s:%d function of %d lines (aim 60)\n", FILENAME, start, FNR-start; infn=0}' core/*.c nodes/*.c
grep -nE '^.{111,}' core/*.[ch] nodes/*.[ch] | sed 's/^\([^:]*:[0-9]*\):.*/size: \1 over 110 columns/' | head -20
for f in core/*.[ch] nodes/*.[ch] tests/*/*.[ch]; do
	head -12 "$f" | grep -q SPDX || { echo "not ok licence: $f has no SPDX line"; bad=1; licence=1; }
done
[ $licence -eq 0 ] && echo "ok licence: each file has its SPDX line"
exit $bad
