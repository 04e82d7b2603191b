#!/bin/sh
# busy.sh - the share of time that both workers are busy in A to D, from the trace, in the middle 60 % of the render.
#
# A worker is busy while a traced event of its own lasts; events inside others count once. On a loaded machine a
# worker that waits for a core counts as busy, so beside it stands CPU time / (wall time x 2) of the whole process,
# start and codec threads included.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$bench/jobs_scenes.sh"
threads=2

# Events are sorted by worker and start; pieces are cut to the window.
share() { # trace
	sed -n 's/.*"ph":"X".*"tid":\([0-9]*\).*"ts":\([0-9]*\),"dur":\([0-9]*\).*/\1 \2 \3/p' "$1" | sort -k1n -k2n > "$tmp/events"
	awk 'NR == FNR { if (NR == 1 || $2 < lo) lo = $2; if ($2 + $3 > hi) hi = $2 + $3; if ($1 <= 2) next; next }
	FNR == 1 { a = lo + 0.2 * (hi - lo); b = lo + 0.8 * (hi - lo) }
	$1 > 2 { next }
	{ s = $2; e = $2 + $3; if ($1 != tid) { tid = $1; end = 0 }
	  if (s < end) s = end; if (s < a) s = a; if (e > b) e = b; if (e > s) busy += e - s; if ($2 + $3 > end) end = $2 + $3 }
	END { printf "%.1f\n", (b > a ? 100 * busy / (2 * (b - a)) : 0) }' "$tmp/events" "$tmp/events"
}

busy() { # label scene target frames
	_o=; [ "$3" = master ] && _o="-o $tmp/t.mov"
	"$tmp/measure" "$tmp/t.m" 2 "$in" render "$tmp/$2.xml" --only "$3" -F "1-$4" $_o --no-cache --overwrite --threads 2 --progress none \
		--trace "$tmp/t.json" 2> "$tmp/t.err" || { skip "$1" "$(head -n 1 "$tmp/t.err")"; return; }
	s=$(share "$tmp/t.json")
	result "$1: both workers busy" "$s %" "100 %" "$(ratio "$s" 100)" 0.95
	read -r w c _ < "$tmp/t.m"
	result "$1: CPU of the process / 2 x wall" "$(ms "$c")" "$(ms $((2 * w)))" "$(ratio "$c" $((2 * w)))" -
}
busy A a end 24
busy B b end 16
busy C c end 24
if have ffmpeg && clip_setup; then busy D d master 12; else skip "D: both workers busy" "no ffmpeg"; fi
