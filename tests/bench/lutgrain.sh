#!/bin/sh
# lutgrain.sh - CPU milliseconds per 1080p float frame of a 3D LUT and of three-channel grain beside FFmpeg's
# lut3d=interp=tetrahedral and noise with gblur, one thread each, in one run, as medians of five pairs and as ratios
# (over 1: interneg is faster). Whole runs of N frames, user and system time, less those of the source alone: set-up, first
# use and page faults, shared out over N frames, are in it (grain.sh has slopes without them). CUBE=file.cube takes
# another table.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
in=${INTERNEG:-$PWD/interneg}
command -v ffmpeg > /dev/null || { echo "bench: no ffmpeg to compare with"; exit 0; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
N=${N:-12}
cube=${CUBE:-$tmp/look.cube}
awk 'BEGIN {n = 33; print "LUT_3D_SIZE", n; for (b = 0; b < n; b++) for (g = 0; g < n; g++) for (r = 0; r < n; r++) {
	x = r / (n - 1); y = g / (n - 1); z = b / (n - 1)
	printf "%.6f %.6f %.6f\n", x * x * (3 - 2 * x) * 0.9 + 0.05 * y, 0.8 * y + 0.1 * x * z, sqrt(z) * 0.85 + 0.05 * x}}' > "$tmp/look.cube"
scene() { # name nodes
	printf '<graph version="1" name="b" fps="24" working="linear-rec709">\n<pattern id="src" kind="ramp" width="1920" height="1080" frames="400"/>\n<pass id="p" kind="integrate">%s</pass>\n</graph>\n' "$2" > "$tmp/$1.xml"
}
# the LUT's own space is the working one, so that no conversion is timed
scene lut "<convert id=\"lin\" in=\"src\" to=\"linear-rec709\"/><grade id=\"end\" in=\"lin\" lut=\"$cube\" lut_in=\"linear-rec709\"/>"
scene grain '<grain id="end" in="src" amount="0.05"/>'
cpu() { # command: user and system milliseconds x 1000 a frame
	/usr/bin/env bash -c 'TIMEFORMAT="%U %S"; time "$@" > /dev/null 2> /dev/null < /dev/null' - "$@" 2>&1 | tail -1 |
		awk -v n="$N" '{printf "%d\n", ($1 + $2) * 1e6 / n}'
}
ours() { # scene node
	cpu "$in" render "$tmp/$1.xml" --only "$2" -F "1-$N" --no-cache --threads 1 --progress none
}
ff() { cpu ffmpeg -v error -threads 1 -filter_threads 1 -f lavfi -i "gradients=s=1920x1080:r=24:n=4,format=gbrpf32le" -frames:v "$N" -vf "$1" -f null -; }
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
pairs() { # label scene source filter
	rm -f "$tmp/a" "$tmp/b"
	for _ in 1 2 3 4 5; do
		a=$(($(ours "$2" end) - $(ours "$2" "$3"))); b=$(($(ff "$4") - $(ff null)))
		[ $a -lt 1 ] && a=1; [ $b -lt 1 ] && b=1
		echo $a >> "$tmp/a"; echo $b >> "$tmp/b"
	done
	a=$(median < "$tmp/a"); b=$(median < "$tmp/b")
	awk -v l="$1" -v a="$a" -v b="$b" 'BEGIN {printf "%-28s 1 thread   interneg %7.1f ms  ffmpeg %7.1f ms  ratio %.2f\n", l, a / 1000, b / 1000, b / a}'
}
pairs "3D LUT, tetrahedral" lut lin "lut3d=file=$cube:interp=tetrahedral"
pairs "grain 0.6, three channels" grain src "format=gbrp,noise=alls=5:allf=t,format=gbrpf32le,gblur=sigma=0.6"
