#!/bin/sh
# run.sh [COUNT] - builds the fuzzers with the sanitizers and runs COUNT cases of each (of graphs, a
# fiftieth), by default 20000, from a number that changes daily; a failing case is replayed by its number.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/../.."
count=${1:-20000}
first=$(($(date +%j) * 1000000))
B=${B:-build-asan}
make --no-print-directory MODE=asan B="$B" "$B/libinterneg.a"
# The same objects as the program; the fuzzers see the tests' headers.
flags="-std=c11 -D_GNU_SOURCE -g -O1 -fsanitize=address,undefined -fno-sanitize-recover=all -Icore -Itests -Itests/conform"
pkgs="libxml-2.0 lua5.4 libavformat libavcodec libavfilter libavutil libswscale libswresample nettle libpng libxxhash libdeflate zlib"
for f in tests/fuzz/*.c; do
	n=$(basename "$f" .c) cases=$count more=
	# A graph is rendered seven times.
	[ "$n" = graphs ] && { cases=$((count / 50)); more="tests/conform/rig.c tests/conform/psource.c"; }
	mkdir -p "$B/fuzz"
	# shellcheck disable=SC2046,SC2086
	${CC:-gcc} $flags $(pkg-config --cflags $pkgs) -o "$B/fuzz/$n" "$f" $more "$B/libinterneg.a" $(pkg-config --libs $pkgs) \
		-lOpenEXRCore-3_1 -pthread -lm
	echo "$n: $cases cases from $first"
	"$B/fuzz/$n" "$cases" "$first"
done
