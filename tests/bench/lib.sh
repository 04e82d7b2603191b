# lib.sh - what the benchmark scripts share: measuring whole processes, medians of alternating pairs, and result lines.
#
# A script sources this first. It then has $in (interneg), $tmp (an own folder, removed at the end), $PAIRS, and:
#   run NAME CMD...        runs a command once; "wall_us cpu_us peak_KiB wanted_us" go to $tmp/NAME.m
#   twins NAME CMD...      the same, two of it at once: what two threads that wait for nothing of each other could do
#   per_frame NAME N1 N2   calls the function NAME with N1 and then N2 frames; prints "wall cpu quiet" in us a frame, so
#                          that start, set-up, decode of stills and first use drop out; what cannot be is measured again
#   sample NAME N1 N2      the same, appended to $tmp/NAME.s
#   pairs N1 N2 NAME...    PAIRS samples of every NAME, in turns, every other turn backwards; $threads is how many it may use
#   med NAME wall|cpu|quiet        the median of those samples
#   med_ratio A B wall|cpu|quiet   the median of the ratios A / B, turn by turn
#   net A B wall|cpu       med A - med B, at least 1 us
#   result SUBJECT OURS PEER RATIO TARGET CMP    one line of the table; TARGET - is for information; CMP ge or le
#   skip SUBJECT WHY       a subject that cannot be measured here
# Result lines are tab-separated and begin with "=": run.sh gathers them into its table.
# One-thread figures are CPU time, which other people's processes disturb least. "quiet" is the wall time without the
# waits for a core that others had: wall x CPU / wanted (measure.c); on a quiet machine it is the wall time.
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
	if ! "$tmp/measure" "$tmp/$_n.m" "${threads:-0}" "$@" < /dev/null > "$tmp/$_n.out" 2> "$tmp/$_n.err"; then
		echo "bench: failed: $*" >&2
		tail -n 3 "$tmp/$_n.err" >&2
		return 1
	fi
}

# The command twice at once; by wall time, measure looks at one process alone.
twins() { # name command...
	_n=$1; shift
	threads=0
	run "$_n" sh -c '"$0" "$@" & "$0" "$@" && wait $!' "$@"
}

# Two runs' difference: no CPU time, or less wall time than the cores allow, is other people's noise.
slope() { # wall cpu wanted, twice, frames between
	awk -v w1="$1" -v c1="$2" -v r1="$3" -v w2="$4" -v c2="$5" -v r2="$6" -v n="$7" -v cores="$(nproc)" 'BEGIN {
		w = (w2 - w1) / n; c = (c2 - c1) / n; r = (r2 - r1) / n
		if (c <= 0 || w <= 0 || w < 0.9 * c / cores || r1 > 0 && r <= 0) exit 1
		q = w
		if (r > c) q = w * c / r
		printf "%d %d %d\n", w, c, q }'
}

per_frame() { # function frames frames
	for _again in 1 2 3 4; do
		"$1" "$2" > /dev/null || return 1
		read -r _w1 _c1 _ _r1 < "$tmp/$1.m"
		"$1" "$3" > /dev/null || return 1
		read -r _w2 _c2 _ _r2 < "$tmp/$1.m"
		slope "$_w1" "$_c1" "$_r1" "$_w2" "$_c2" "$_r2" $(($3 - $2)) && return 0
	done
	echo "bench: $1: no sensible figure in four runs" >&2
	return 1
}

sample() { per_frame "$1" "$2" "$3" >> "$tmp/$1.s"; }

pairs() { # frames frames function...
	_p1=$1 _p2=$2; shift 2
	_back=; for _f in "$@"; do rm -f "$tmp/$_f.s"; _back="$_f $_back"; done
	for _turn in $(seq "$PAIRS"); do
		_list=$*; [ $((_turn % 2)) = 1 ] || _list=$_back
		for _f in $_list; do sample "$_f" "$_p1" "$_p2" || return 1; done
	done
}

# A column of numbers' median.
middle() { sort -g | awk '{v[NR] = $1} END {print NR % 2 ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2}'; }
column() { case $1 in wall) echo 1 ;; cpu) echo 2 ;; *) echo 3 ;; esac; }

med() { # function wall|cpu|quiet
	[ -s "$tmp/$1.s" ] || { echo 0; return; }
	awk -v k="$(column "$2")" '{print $k}' "$tmp/$1.s" | middle | awk '{print int($1)}'
}

med_ratio() { # function function wall|cpu|quiet
	paste -d ' ' "$tmp/$1.s" "$tmp/$2.s" | awk -v k="$(column "$3")" '{printf "%.4f\n", $k / $(k + 3)}' | middle |
		awk '{printf "%.2f\n", $1}'
}

net() { # function source wall|cpu
	_x=$(($(med "$1" "$3") - $(med "$2" "$3")))
	[ $_x -ge 1 ] || _x=1
	echo $_x
}

load() { cut -d ' ' -f 1 /proc/loadavg; }
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
