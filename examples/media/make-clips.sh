#!/bin/sh
# make-clips.sh - makes the three demo clips beside it from the pattern node: untagged 8-bit 4:2:0 H.264, as AI models
# deliver it. The clips are committed, so that every CPU reads the same bytes; run this only to change them.
# The matrix is BT.709 and the range limited, and nothing in the file says so. Needs ./interneg and ffmpeg with libx264.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
here=$(cd "$(dirname "$0")" && pwd)
INTERNEG=${INTERNEG:-$here/../../interneg}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT INT TERM

clip() { # name variant crf
	cat > "$tmp/$1.xml" <<-SCENE
	<?xml version="1.0" encoding="UTF-8"?>
	<graph version="1" name="$1" fps="24">
	  <pattern id="shot" kind="shot" variant="$2" width="640" height="360" frames="24"/>
	  <write id="stills" in="shot" file="$tmp/$1.####.png"/>
	</graph>
	SCENE
	"$INTERNEG" render "$tmp/$1.xml"
	ffmpeg -v error -y -start_number 1 -framerate 24 -i "$tmp/$1.%04d.png" \
		-vf "scale=out_color_matrix=bt709:out_range=tv,format=yuv420p,$untag" \
		-c:v libx264 -preset veryslow -crf "$3" -threads 1 -map_metadata -1 -fflags +bitexact -flags:v +bitexact \
		-movflags +faststart "$here/$1.mp4"
}
untag=setparams=colorspace=unknown:range=unknown:color_primaries=unknown:color_trc=unknown
clip room 0 23
clip room-close 1 22
clip room-warm 2 23
ls -l "$here"/*.mp4
