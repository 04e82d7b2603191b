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

N=${N:-48}
scene() { # name nodes
	printf '<graph version="1" name="b" fps="24">\n<script file="%s/tests/bench/lua_grade.lua"/>\n<pattern id="src" kind="gradient" width="1920" height="1080" frames="400"/>\n<pass id="p" kind="look">%s</pass>\n</graph>\n' "$PWD" "$2" > "$tmp/$1.xml"
}
key='<animate param="saturation"><key frame="1" value="0.9"/><key frame="400" value="1"/></animate>'
exp='<exposure id="pre" in="src" ev="0.1"/>'
scene source "$exp"
scene lua "$exp<bench_grade id=\"end\"/>"
scene animated "$exp<bench_grade id=\"end\">$key</bench_grade>"
scene cdl "$exp<cdl id=\"end\" slope=\"1.1 1 0.9\" offset=\"0.01 0.02 0.03\" saturation=\"0.9\" space=\"linear\"/>"
ours() { # scene -> microseconds of CPU a frame
	"$in" render "$tmp/$1.xml" -F 1-$N --no-cache --threads 1 --progress none > /dev/null 2> "$tmp/err" || { head -3 "$tmp/err" >&2; exit 1; }
}
