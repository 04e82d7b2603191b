#!/bin/sh
# exr.sh - EXR files beside OpenEXR's C++ library and oiiotool: a 4K frame of an AI clip, upscaled, graded and grained,
# written and read in turns by both, on tmpfs and on the disk (there with fsync on both sides). Medians of PAIRS pairs
# and their ratios (over 1: interneg is faster); CPU time beside wall time, since machines are shared.
#   sh tests/bench/exr.sh            everything            ONLY="none zip" sh tests/bench/exr.sh    these compressions
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
in=${INTERNEG:-$PWD/interneg} B=${B:-build} PAIRS=${PAIRS:-5}
data=../shared/data; [ -d "$data" ] || data=/work/shared/data
clip=$data/video/wan21_cat_i2v.mp4
[ -r "$clip" ] || { echo "bench: no $clip"; exit 0; }
command -v "${CXX:-g++}" > /dev/null || { echo "bench: no C++ compiler for OpenEXR's C++ library"; exit 0; }
pkg-config --exists OpenEXR || { echo "bench: no OpenEXR"; exit 0; }
tmp=$(mktemp -d) || exit 1
shm=$(mktemp -d -p /dev/shm 2> /dev/null) || shm=
trap 'rm -rf "$tmp" "$shm"' EXIT
trap 'exit 1' INT TERM
mkdir -p "$B/bench"
# shellcheck disable=SC2046
${CC:-gcc} -std=c11 -D_GNU_SOURCE -O2 -Icore $(pkg-config --cflags OpenEXR) -c tests/bench/exr_ours.c -o "$B/bench/exr_ours.o" &&
	${CXX:-g++} -O3 -march=native $(pkg-config --cflags OpenEXR) tests/bench/exr_peer.cpp "$B/bench/exr_ours.o" \
		"$B/libinterneg.a" $(pkg-config --libs OpenEXR libxml-2.0 lua5.4 libavformat libavcodec libavfilter libavutil \
		libswscale libswresample nettle libpng libxxhash libdeflate zlib) -pthread -o "$B/bench/exr_peer" || exit 1
cat > "$tmp/s.xml" <<X
<graph version="1" name="b" working="acescg">
  <read id="a" file="$(realpath "$clip")" color="rec709" origin="ai" generator="wan"/>
  <pass id="up" kind="detail"><upscale id="u" in="a" width="3840" height="2160"/></pass>
  <pass id="look" kind="look"><grade id="g" in="up" exposure="0.3" temperature="8" contrast="1.05" saturation="0.9"/></pass>
  <pass id="fin" kind="integrate" keep="always" path="$tmp/frame.####.exr"><grain id="gr" in="look" amount="0.03"/></pass>
</graph>
X
"$in" render "$tmp/s.xml" --only fin -F 10 --cache "$tmp/cache" --progress none || exit 1
frame=$tmp/frame.0010.exr
rm -rf "$tmp/cache"
for dir in ${shm:+"$shm"} "$tmp"; do
	echo "-- $([ "$dir" = "$shm" ] && echo 'tmpfs' || echo 'disk, with fsync'), 3840 x 2160 R G B"
	if [ "$dir" = "$shm" ]; then
		"$B/bench/exr_peer" table "$frame" "$dir" "$PAIRS"
		"$B/bench/exr_peer" tools "$frame" "$dir" 3
	else SYNC=1 ONLY=${ONLY:-none zip} "$B/bench/exr_peer" table "$frame" "$dir" "$PAIRS"
	fi
done
echo "-- what an intermediate costs, by compression (CPU time of both threads together)"
"$B/bench/exr_peer" levels "$frame" "${shm:-$tmp}" 3
