#!/bin/sh
# grain.sh - CPU milliseconds per 1080p float frame (three channels, one thread) of grain, net of its sources, beside
# FFmpeg's noise plus gblur of the same size, whose source is one frame over and over and costs nothing, in the same run,
# as medians of alternating pairs and as ratios (over 1: interneg is faster). From frame 4 to frame 34, so that set-up and
# first use drop out (lutgrain.sh has them in it).
# Gaussian grain by size; grain of profiles beside gblur of about their correlation; a plate; regrain. Both sources
# of the last two are cheap ramps, of which base is one: what a plate holds costs nothing.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
have ffmpeg || { skip "grain" "no ffmpeg to compare with"; exit 0; }
scene() { # name nodes
	printf '<graph version="1" name="b" fps="24">\n<pattern id="src" kind="ramp" width="1920" height="1080" frames="400"/>\n<pattern id="scan" kind="ramp" colour="0.5 0.45 0.4" width="1920" height="1080" frames="400"/>\n<pass id="p" kind="integrate">%s</pass>\n</graph>\n' "$2" > "$tmp/$1.xml"
}
ours() { run "$1" "$in" render "$tmp/$1.xml" --only end -F "1-$2" --no-cache --threads 1 --progress none; }
scene base '<grain id="end" in="src" amount="0"/>'          # is the source itself
base() { ours base "$1"; }
peer() {
	run peer ffmpeg -v error -threads 1 -filter_threads 1 -f lavfi \
		-i "gradients=s=1920x1080:r=24:n=4,format=gbrpf32le,loop=-1:1" -frames:v "$1" \
		-vf "format=gbrp,noise=alls=5:allf=t,format=gbrpf32le,gblur=sigma=$sigma" -f null -
}
subject() { ours subject "$1"; }
pairs() { # label sigma target node [sources]
	sigma=$2
	scene subject "$4"
	rm -f "$tmp"/*.s
	for _ in $(seq "$PAIRS"); do
		sample base 4 34; sample subject 4 34; sample peer 4 34
	done
	_a=$(($(med subject cpu) - ${5:-1} * $(med base cpu))); _b=$(med peer cpu)
	[ "$_a" -ge 1 ] || _a=1
	result "$1" "$(ms "$_a")" "$(ms "$_b")" "$(ratio "$_b" "$_a")" "$3"
}
note "grain, 1080p float, three channels, one thread: interneg and FFmpeg noise + gblur"
pairs "grain size 0.6" 0.6 2 '<grain id="end" in="src" amount="0.05" size="0.6"/>'
pairs "grain size 1.2" 1.2 2 '<grain id="end" in="src" amount="0.05" size="1.2"/>'
pairs "grain size 2.5" 2.5 2 '<grain id="end" in="src" amount="0.05" size="2.5"/>'
for s in 35mm-medium 16mm-medium 16mm-coarse; do
	pairs "grain stock:$s" 0.8 2 "<grain id=\"end\" in=\"src\" profile=\"stock:$s\"/>"
done
pairs "grain of a plate" 0.8 2 '<grain id="end" in="src" plate="scan" amount="0.05" plate_strength="asked"/>' 2
pairs "regrain through" 0.8 - '<regrain id="end" in="src" original="scan" neutral="src" through="yes"/>' 2
