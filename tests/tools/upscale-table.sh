#!/bin/sh
# upscale-table.sh - `make upscale-table`: writes the tables of nodes/UPSCALE.md anew from the photographs of ../shared/data.
# upscale-table.sh UPSCALE-PSNR PAGE: what stands between the page's lines "<!-- tables -->" and "<!-- end -->" is replaced.
# SPDX-License-Identifier: BSD-2-Clause
tool=$1 page=$2
data=
for d in ../shared/data /work/shared/data; do [ -z "$data" ] && [ -r "$d/grain" ] && data=$d; done
[ -n "$data" ] || { echo "upscale-table: no ../shared/data"; exit 1; }
INTERNEG_SHARE=${INTERNEG_SHARE:-.}
export INTERNEG_SHARE
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
for f in "$data"/grain/kodak_[0-9][0-9].png; do
	ffmpeg -nostdin -v error -y -i "$f" -pix_fmt rgb24 "$tmp/$(basename "$f" .png).ppm" || exit 1
done
for v in ltx2_dialogue turbot2av_3_teacher wan21_cat_i2v; do
	ffmpeg -nostdin -v error -y -ss 1 -i "$data/video/$v.mp4" -vf 'crop=480:480' -pix_fmt rgb24 -frames:v 1 "$tmp/$v.ppm" || exit 1
done
{
	sed '/^<!-- tables -->$/q' "$page"
	for k in 2 3 4; do
		echo
		echo "| x$k | bicubic | lanczos3, ringing=0 | lanczos3 | learned, ringing=0 | learned |"
		echo "|---|---|---|---|---|---|"
		"$tool" $k "$tmp"/*.ppm | awk 'NR > 1 {printf "| %s |", $1; for (i = 2; i <= NF; i++) printf " %s |", $i; print ""}' || exit 1
	done
	echo
	sed -n '/^<!-- end -->$/,$p' "$page"
} > "$tmp/page" && cp "$tmp/page" "$page"
