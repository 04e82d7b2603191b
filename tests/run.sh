#!/bin/sh
# run.sh [NAME...] - runs the unit programs, the house rules and every test script, counts their ok / not ok /
# skip lines, and closes with "N passed, N failed, N skipped". A program that dies without a "not ok" counts as one failure.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/.." || exit 1
B=${B:-build}
export B
INTERNEG=${INTERNEG:-$PWD/interneg}
case $INTERNEG in /*) ;; *) INTERNEG=$PWD/$INTERNEG ;; esac
export INTERNEG LC_ALL=C
# libx264 and libx265 synchronise by atomics of their own, which ThreadSanitizer cannot see in code it did not compile
[ "${SANITIZED:-}" = tsan ] && export TSAN_OPTIONS="ignore_noninstrumented_modules=1 ${TSAN_OPTIONS:-}"
log=$B/test.log
mkdir -p "$B"
: > "$log"
failed_names=""
run() { # name command...
	name=$1; shift
	start=$(date +%s)
	"$@" > "$B/test.one" 2>&1
	rc=$?
	bad=$(grep -ac '^not ok ' "$B/test.one")
	good=$(grep -ac '^ok ' "$B/test.one")
	if [ $rc -ne 0 ] && [ "$bad" -eq 0 ]; then
		echo "not ok $name: ended with status $rc" >> "$B/test.one"
		bad=1
	fi
	printf '%-28s %4d ok %3d not ok  %3ds\n' "$name" "$good" "$bad" "$(($(date +%s) - start))"
	[ "$bad" -ne 0 ] && { grep -aA3 '^not ok ' "$B/test.one" | head -40; [ $rc -gt 1 ] && tail -25 "$B/test.one"; }
	cat "$B/test.one" >> "$log"
}
wanted() { [ $# -eq 1 ] && return 0; n=$1; shift; for w in "$@"; do [ "$w" = "$n" ] && return 0; done; return 1; }
for t in tests/unit/*.c; do
	[ -e "$t" ] || continue
	n=$(basename "$t" .c)
	wanted "$n" "$@" && run "$n" "$B/unit/$n"
done
wanted conform "$@" && run conform "$B/conform"
wanted lint "$@" && run lint sh tests/tools/lint.sh
for t in tests/golden/run.sh tests/scenes/*.sh; do
	[ -e "$t" ] || continue
	n=$(echo "$t" | sed 's|tests/||; s|\.sh$||')
	wanted "$n" "$@" && run "$n" sh "$t"
done
passed=$(grep -ac '^ok ' "$log")
failed=$(grep -ac '^not ok ' "$log")
skipped=$(grep -ac '^skip ' "$log")
grep -a '^skip ' "$log" | head -20
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
