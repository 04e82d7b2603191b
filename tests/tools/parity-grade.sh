#!/bin/sh
# parity-grade.sh - a table of the grading transforms: the largest error of each against its oracle. Beyond 1 the error
# is relative. Frozen vectors always; those of the OpenColorIO that is installed as well, when /usr/bin/python3 has it.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
B=${B:-build}
bad=0
[ -x "$B/unit/gradevec" ] || { echo "parity-grade: make $B/unit/gradevec first" >&2; exit 2; }
table() {
	awk -v oracle="$1" '/^(not )?ok [a-z_]+ .*: within / {
		mark = $1 == "not" ? "  OVER" : ""; sub(/^(not )?ok /, ""); node = $1; sub(/^[a-z_]+ /, "")
		at = match($0, /: within [^(]*\(/); name = substr($0, 1, at - 1)
		rest = substr($0, at + 9); limit = rest; sub(/ .*/, "", limit); sub(/.*\(/, "", rest); sub(/ .*/, "", rest)
		printf "| %-10s | %-34s | %-16s | %8s | %7s |%s\n", node, name, oracle, rest, limit, mark }'
}
echo "| node       | transform                          | oracle           | error    | limit   |"
echo "|------------|------------------------------------|------------------|----------|---------|"
out=$("$B/unit/gradevec") || bad=1
echo "$out" | table "frozen 2.1.2"
data=; [ -d ../shared/data ] && data=../shared/data; [ -d /work/shared/data ] && data=${data:-/work/shared/data}
tmp=$(mktemp) || exit 1
trap 'rm -f "$tmp"' EXIT
# shellcheck disable=SC2086
if version=$(/usr/bin/python3 -c 'import PyOpenColorIO as o; print(o.__version__)' 2>/dev/null) &&
   /usr/bin/python3 tests/tools/gradevec.py $data > "$tmp" 2>/dev/null; then
	out=$(GRADE_VECTORS=$tmp "$B/unit/gradevec") || bad=1
	echo "$out" | table "OCIO $version"
else echo "# no PyOpenColorIO here: frozen vectors only"; fi
exit $bad
