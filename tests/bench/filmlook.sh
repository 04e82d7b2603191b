#!/bin/sh
# filmlook.sh - blurs of sigma 15 to 60, halation and bloom, beside FFmpeg's gblur of the same sigma: CPU time of a 1080p
# float frame of three channels on one thread, net of the source, in alternating pairs. FFmpeg's gblur is recursive and no
# exact Gaussian; halation and bloom are two Gaussians (sigma and 2.5 sigma) and the join, against one gblur.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
have ffmpeg || { skip "halation and large blurs" "no ffmpeg"; exit 0; }
scene() { # name node
	printf '<graph version="1" name="b" fps="24"><pattern id="src" kind="constant" width="1920" height="1080" frames="400"/><pass id="p" kind="integrate">%s</pass></graph>\n' "$2" > "$tmp/$1.xml"
}
ours() { run "$1" "$in" render "$tmp/$1.xml" --only end -F "1-$2" --no-cache --threads 1 --progress none; }
theirs() { # name frames filter
	run "$1" ffmpeg -v error -threads 1 -filter_threads 1 -f lavfi -i "color=c=0x806040:s=1920x1080:r=24,format=gbrpf32le" \
		-frames:v "$2" -vf "$3" -f null -
}
source_() { ours source_ "$1"; }
peer_source() { theirs peer_source "$1" null; }
node() { ours node "$1"; }
peer() { theirs peer "$1" "gblur=sigma=$sigma"; }
scene source_ '<merge id="end" in="src" over="src" operation="average"/>'
for sigma in ${S:-15 30 60}; do
	for what in ${W:-blur halation}; do
		scene node "<$what id=\"end\" in=\"src\" sigma=\"$sigma\"/>"
		rm -f "$tmp"/*.s
		i=0
		while [ $i -lt "$PAIRS" ]; do
			sample source_ 4 20; sample node 4 20; sample peer_source 4 20; sample peer 4 20
			i=$((i + 1))
		done
		a=$(net node source_ cpu) b=$(net peer peer_source cpu)
		result "$what, sigma $sigma" "$(ms "$a")" "$(ms "$b")" "$(ratio "$a" "$b")" 1.5 le
	done
done
