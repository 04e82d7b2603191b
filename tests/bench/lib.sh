# lib.sh - what the benchmark scripts share: measuring whole processes, medians of alternating pairs, and result lines.
#
# A script sources this first. It then has $in (interneg), $tmp (an own folder, removed at the end), $PAIRS, and:
#   run NAME CMD...        runs a command once; "wall_us cpu_us peak_KiB" go to $tmp/NAME.m
#   per_frame NAME N1 N2   calls the function NAME with N1 and then N2 frames; prints "wall cpu" in us a frame, so that
#                          start, set-up and first use drop out
#   sample NAME N1 N2      the same, appended to $tmp/NAME.s
#   med NAME wall|cpu      the median of those samples
#   net A B wall|cpu       med A - med B, at least 1 us
#   result SUBJECT OURS PEER RATIO TARGET CMP    one line of the table; TARGET - is for information; CMP ge or le
#   skip SUBJECT WHY       a subject that cannot be measured here
# Result lines are tab-separated and begin with "=": run.sh gathers them into its table.
# One-thread figures are CPU time, which other people's processes disturb least; two-thread figures are wall time.
# SPDX-License-Identifier: BSD-2-Clause
bench=$(cd "$(dirname "$0")" && pwd) || exit 1
root=$(cd "$bench/../.." && pwd) || exit 1
in=${INTERNEG:-$root/interneg}
INTERNEG_SHARE=${INTERNEG_SHARE:-$root}
export INTERNEG_SHARE LC_ALL=C
PAIRS=${PAIRS:-3}
CC=${CC:-cc}
[ -x "$in" ] || { echo "bench: no $in; run make first"; exit 1; }
tmp=$(mktemp -d "${TMPDIR:-/tmp}/interneg-bench.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 130' INT TERM
$CC -O2 -D_GNU_SOURCE -o "$tmp/measure" "$bench/measure.c" || exit 1

have() { command -v "$1" > /dev/null 2>&1; }

run() { # name command...
	_n=$1; shift
	if ! "$tmp/measure" "$tmp/$_n.m" "$@" < /dev/null > "$tmp/$_n.out" 2> "$tmp/$_n.err"; then
		echo "bench: failed: $*" >&2
		tail -n 3 "$tmp/$_n.err" >&2
		return 1
	fi
}

per_frame() { # function frames frames
	"$1" "$2" > /dev/null || return 1
	read -r _w1 _c1 _ < "$tmp/$1.m"
	"$1" "$3" > /dev/null || return 1
	read -r _w2 _c2 _ < "$tmp/$1.m"
	_d=$(($3 - $2))
	echo $(((_w2 - _w1) / _d)) $(((_c2 - _c1) / _d))
}

sample() { per_frame "$1" "$2" "$3" >> "$tmp/$1.s"; }

med() { # function wall|cpu
	[ -s "$tmp/$1.s" ] || { echo 0; return; }
	awk -v k="$2" '{print k == "wall" ? $1 : $2}' "$tmp/$1.s" | sort -n |
		awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : int((v[NR / 2] + v[NR / 2 + 1]) / 2)}'
}

net() { # function source wall|cpu
	_x=$(($(med "$1" "$3") - $(med "$2" "$3")))
	[ $_x -ge 1 ] || _x=1
	echo $_x
}

ms() { awk -v u="$1" 'BEGIN {printf "%.1f ms", u / 1000}'; }
ratio() { awk -v a="$1" -v b="$2" 'BEGIN {printf "%.2f", (b > 0 ? a / b : 0)}'; }

result() { # subject ours peer ratio target cmp
	_met=-
	if [ "$5" != - ]; then
		_met=$(awk -v r="$4" -v t="$5" -v c="${6:-ge}" 'BEGIN {print (c == "le" ? r <= t : r >= t) ? "met" : "NOT MET"}')
	fi
	_goal=$5
	[ "$5" = - ] || { [ "${6:-ge}" = le ] && _goal="<= $5" || _goal=">= $5"; }
	printf '=\t%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$_goal" "$_met"
}

skip() { printf '=\t%s\t%s\n' "$1" "skipped: $2"; }

# What a comparison is about stands before its figures.
note() { printf '# %s\n' "$*"; }

# A peer's helper program, built here from tests/bench/NAME.c; $1: name, the rest: compiler arguments. Fails if absent.
build() {
	_n=$1; shift
	$CC -O2 -std=gnu11 -o "$tmp/$_n" "$bench/$_n.c" "$@" > "$tmp/$_n.cc" 2>&1
}
