#!/bin/sh
# colour.sh - the colour arithmetic alone, one thread, CPU milliseconds per 1080p float frame, beside OpenColorIO's CPU
# processor and FFmpeg's float filters where they are installed (apt: libopencolorio-dev g++ ffmpeg). Quote the ratios.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
lib=${B:-build}/libinterneg.a
make --no-print-directory "$lib" > /dev/null || exit 1
libs="$(pkg-config --libs libxml-2.0 lua5.4 libavformat libavcodec libavfilter libavutil libswscale libswresample nettle libpng libxxhash libdeflate zlib) -lOpenEXRCore-3_1 -pthread -lm"
if pkg-config --exists OpenColorIO 2> /dev/null && command -v g++ > /dev/null; then
	g++ -O2 -w -c tests/bench/bench_ocio.cpp -o "$tmp/peer.o" $(pkg-config --cflags OpenColorIO) || exit 1
	libs="$libs $(pkg-config --libs OpenColorIO) -lstdc++"
else
	echo "bench: no libopencolorio-dev to compare with"
	printf '#include "bench_ocio.h"\nint bench_ocio_open(enum bench_ocio w) { (void)w; return 0; }\nvoid bench_ocio_run(const float *a, float *b, int w, int h) { (void)a; (void)b; (void)w; (void)h; }\n' > "$tmp/peer.c"
	${CC:-gcc} -c -Itests/bench "$tmp/peer.c" -o "$tmp/peer.o" || exit 1
fi
# shellcheck disable=SC2086
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O2 -Icore -Itests -Itests/bench $(pkg-config --cflags OpenEXR libxml-2.0) tests/bench/colour.c "$tmp/peer.o" "$lib" $libs -o "$tmp/colour" || exit 1
# what solve reads of a frame, against a plain read of the same planes
# shellcheck disable=SC2086
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O3 -Icore -Itests $(pkg-config --cflags OpenEXR libxml-2.0) tests/bench/stats.c "$lib" $libs -o "$tmp/stats" || exit 1
"$tmp/stats" || exit 1
"$tmp/colour" || exit 1
command -v ffmpeg > /dev/null || { echo "bench: no ffmpeg to compare with"; exit 0; }
# FFmpeg's own filters: CPU time of a run with the filter less one without it
N=${N:-24}
printf 'LUT_1D_SIZE 3\n0 0 0\n0.45 0.5 0.55\n1 1 1\n' > "$tmp/p.cube"
ff() { # filter -> CPU ms of N frames
	ffmpeg -hide_banner -nostats -benchmark -threads 1 -filter_threads 1 -f lavfi -i "color=c=0x806040:s=1920x1080:r=24,format=gbrpf32le" \
		-frames:v "$N" -vf "$1" -f null - < /dev/null 2>&1 | sed -n 's/.*utime=\([0-9.]*\)s.*/\1/p' | head -1
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
for f in "lut1d=file=$tmp/p.cube" colorchannelmixer=rr=1.1:rg=-.1:gb=.1 "lut1d=file=$tmp/p.cube,colorchannelmixer=rr=1.1:rg=-.1:gb=.1"; do
	rm -f "$tmp/a" "$tmp/b"
	for _ in 1 2 3 4 5; do ff "$f" >> "$tmp/a"; ff null >> "$tmp/b"; done
	a=$(median < "$tmp/a"); b=$(median < "$tmp/b")
	echo "$f" | sed "s,file=$tmp/p.cube,1D,g" | awk -v a="$a" -v b="$b" -v n="$N" '{printf "FFmpeg %-60s %6.2f ms\n", $0, (a - b) * 1000 / n}'
done
