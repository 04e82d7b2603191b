#!/bin/sh
# lua.sh - traced Lua beside hand-written C: megapixels a second in cache on one core, and a 1080p render beside the
# C nodes that do the same. Needs a built tree (make).
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
in=${INTERNEG:-$PWD/interneg}
B=${B:-build}
CC=${CC:-cc}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
export INTERNEG_SHARE="${INTERNEG_SHARE:-$PWD}"
flags="-std=c11 -D_GNU_SOURCE -O3 -g -Wall -ffp-contract=off -fno-math-errno -fno-trapping-math -Icore"
libs="libxml-2.0 lua5.4 libavformat libavcodec libavfilter libavutil libswscale libswresample nettle libpng libxxhash libdeflate zlib"
objects=
while read -r isa march; do
	# shellcheck disable=SC2086
	$CC $flags -march=$march -DIN_ISA="$isa" -c -o "$tmp/$isa.o" tests/bench/lua_hand.c || exit 1
	objects="$objects $tmp/$isa.o"
done << 'LIST'
baseline x86-64
avx2 x86-64-v3
avx512 x86-64-v4 -mprefer-vector-width=512
LIST
# shellcheck disable=SC2046,SC2086
$CC $flags -o "$tmp/lua" tests/bench/lua.c $objects "$B/libinterneg.a" $(pkg-config --cflags --libs $libs) \
	-lOpenEXRCore-3_1 -pthread -rdynamic || exit 1
"$tmp/lua" tests/bench/lua_grade.lua || exit 1

# Renders: CPU milliseconds a 1080p frame on one thread, net of the same scene without the last node.
command -v bash > /dev/null || exit 0
N=${N:-24}
scene() { # name nodes
	printf '<graph version="1" name="b" fps="24">\n<script file="%s/tests/bench/lua_grade.lua"/>\n<pattern id="src" kind="constant" width="1920" height="1080" frames="400"/>\n<pass id="p" kind="look"><grade id="end" in="src" exposure="0.1"/>%s</pass>\n</graph>\n' "$PWD" "$2" > "$tmp/$1.xml"
}
scene none '<grade id="g" exposure="0.1"/>'
scene lua '<grade id="x" exposure="0.1"/><bench_grade id="g"/>'
scene animated '<grade id="x" exposure="0.1"/><bench_grade id="g"><animate param="saturation"><key frame="1" value="0.9"/><key frame="400" value="1"/></animate></bench_grade>'
scene c '<grade id="x" exposure="0.1"/><grade id="g" space="linear" slope="1.1 1 0.9" offset="0.01 0.02 0.03" saturation="0.9" contrast="1.1" pivot="0.18"/>'
cpu() { # scene -> CPU microseconds a frame
	bash -c 'TIMEFORMAT="%U %S"; time "$@" > /dev/null 2>&1' sh "$in" render "$tmp/$1.xml" --only g -F 1-$N --no-cache \
		--threads 1 --progress none 2>&1 | awk -v n=$N '{printf "%d\n", ($1 + $2) * 1e6 / n}'
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
for _ in 1 2 3 4 5; do
	base=$(cpu none)
	for s in lua animated c; do echo $(($(cpu $s) - base)) >> "$tmp/$s.t"; done
done
l=$(median < "$tmp/lua.t"); a=$(median < "$tmp/animated.t"); c=$(median < "$tmp/c.t")
awk -v l="$l" -v a="$a" -v c="$c" 'BEGIN {printf "render    traced Lua %.1f ms a 1080p frame  animated %.1f ms  C node grade (linear, the same terms but the clamps) %.1f ms\n", l / 1000, a / 1000, c / 1000}'
