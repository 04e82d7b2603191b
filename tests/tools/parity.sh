#!/bin/sh
# parity.sh [-o FILE] - the parity table: for every transform the largest error against its oracle, as the tests measure it.
# Frozen vectors always; OpenColorIO and FFmpeg themselves where they are installed. `make parity` writes nodes/PARITY.md.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
out=/dev/stdout
[ "${1:-}" = -o ] && out=$2
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
bad=0
rows() { # title, sorted parity lines on stdin
	printf '\n## %s\n\n| transform | oracle | largest error | limit |\n|---|---|---|---|\n' "$1"
	awk -F'|' '{printf "| %s | %s | %s | %s |\n", $2, $3, $4, $5}'
}
for u in colour aces tone ocio; do
	[ -x "$B/unit/$u" ] || { echo "parity: make $B/unit/$u first" >&2; exit 2; }
	PARITY=1 "$B/unit/$u" > "$tmp/$u" 2>&1 || { bad=1; grep '^not ok' "$tmp/$u" >&2; }
	grep '^parity|' "$tmp/$u" > "$tmp/$u.p"
done
{
	echo '# Parity'
	echo
	echo 'Made by `make parity` from the tests. Errors are absolute up to 1 and relative beyond; where the oracle works in single'
	echo 'precision or with approximate powers, most of the error is its own.'
	rows 'Colour spaces and display encodings' < "$tmp/colour.p"
	rows 'Output transforms and tone' < "$tmp/aces.p"
	grep . "$tmp/tone.p" | awk -F'|' '{printf "| %s | %s | %s | %s |\n", $2, $3, $4, $5}'
	rows 'OpenColorIO configs' < "$tmp/ocio.p"
	printf '\n## Grading\n\n'
	sh tests/tools/parity-grade.sh 2> "$tmp/err" | sed 's/  *|/ |/g; s/|  */| /g' > "$tmp/grade" || { bad=1; cat "$tmp/err" >&2; }
	cat "$tmp/grade"
	printf '\n## LUT files\n\n'
	sh tests/tools/parity-lut.sh > "$tmp/lut" || bad=1
	cat "$tmp/lut"
} > "$tmp/all"
cat "$tmp/all" > "$out"
exit $bad
