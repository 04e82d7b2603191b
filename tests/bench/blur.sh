#!/bin/sh
# blur.sh - CPU milliseconds per 1080p float frame (three channels, one thread) of blurs, net of the source, beside
# FFmpeg's gblur on gbrpf32le in the same run, as medians of five pairs and as ratios (over 1: interneg is faster). FFmpeg's is
# recursive and no exact Gaussian.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
in=${INTERNEG:-$PWD/interneg}
command -v ffmpeg > /dev/null || { echo "bench: no ffmpeg to compare with"; exit 0; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
N=${N:-24}
scene() { # name nodes
	printf '<graph version="1" name="b" fps="24">\n<pattern id="src" kind="constant" width="1920" height="1080" frames="400"/>\n<pass id="p" kind="integrate">%s</pass>\n</graph>\n' "$2" > "$tmp/$1.xml"
}
cpu() { # command -> user and system time in microseconds a frame
	bash -c 'TIMEFORMAT="%U %S"; time "$@" > /dev/null 2> /dev/null < /dev/null' x "$@" 2>&1 | awk -v n="$N" '{print int(($1 + $2) * 1e6 / n)}'
}
ours() { cpu "$in" render "$tmp/$1.xml" --only end -F 1-$N --no-cache --threads 1 --progress none; }
ff() { cpu ffmpeg -v error -threads 1 -filter_threads 1 -f lavfi -i "color=c=0x806040:s=1920x1080:r=24,format=gbrpf32le" -frames:v "$N" -vf "$1" -f null -; }
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
scene source '<merge id="end" in="src" over="src" operation="average"/>'
for sigma in ${S:-0.6 1.5 3 6 15 30 60}; do
	scene blur "<blur id=\"end\" in=\"src\" sigma=\"$sigma\"/>"
	rm -f "$tmp/a" "$tmp/b"
	for _ in 1 2 3 4 5; do
		echo $(($(ours blur) - $(ours source))) >> "$tmp/a"; echo $(($(ff "gblur=sigma=$sigma") - $(ff null))) >> "$tmp/b"
	done
	awk -v s="$sigma" -v a="$(median < "$tmp/a")" -v b="$(median < "$tmp/b")" 'BEGIN {
		printf "blur %-5s interneg %7.1f ms  ffmpeg gblur %7.1f ms  ratio %.2f\n", s, a / 1000, b / 1000, b / (a < 1 ? 1 : a)}'
done
