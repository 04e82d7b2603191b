#!/bin/sh
# steady-table.sh - what steady="1" takes from the flicker of a network, and what that costs: a table of nodes/UPSCALE.md.
# A part of each AI clip of ../shared/data is halved, doubled by the network in $MODEL without and with steady, and compared with
# the clip: `probe --flicker` in codes of 8 bits along the truth's motion, PSNR and SSIM against the truth. steady-table.sh PAGE: what stands between the
# page's lines "<!-- steady -->" and "<!-- end steady -->" is replaced; without PAGE the table is printed. $FRAMES, default 7.
# SPDX-License-Identifier: BSD-2-Clause
in=${INTERNEG:-./interneg} page=$1 frames=${FRAMES:-7}
INTERNEG_SHARE=${INTERNEG_SHARE:-.}
export INTERNEG_SHARE
data=
for d in ../shared/data /work/shared/data; do [ -z "$data" ] && [ -r "$d/weights" ] && data=$(cd "$d" && pwd); done
[ -n "$data" ] || { echo "steady-table: no ../shared/data"; exit 1; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
model=${MODEL:-$data/weights/realesr-animevideov3-x2.param}
. "$(dirname "$0")/steady-clip.sh"
rows() {
	while read -r clip x y; do
		rm -rf "$tmp"/*
		for s in 0 1; do
			steady_render "video/$clip.mp4" "$x" "$y" 320 192 "$frames" $s || { cat "$tmp/log" >&2; return 1; }
		done
		echo "$clip" "$(steady_flicker truth edges)" "$(steady_flicker up0 edges)" "$(steady_flicker up1 edges)" \
			"$(steady_flicker truth flat)" "$(steady_flicker up0 flat)" "$(steady_flicker up1 flat)" "$(steady_versus up0 psnr)" \
			"$(steady_versus up1 psnr)" "$(steady_versus up0 ssim)" "$(steady_versus up1 ssim)" |
			awk 'NF != 11 {exit 1} {printf "| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.4f | %.4f |\n",
				$1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11}' || return 1
	done <<END
ltx2_dialogue 0.95 0.3
kandinsky5_profile 0.55 0.2
wan21_cat_i2v 0.5 0.4
wan21_cat_i2v 0.5 0.5
cogvideox_3 0.5 0.5
END
}
table() {
	echo
	echo "| clip | edges: truth | net | steady | flat: truth | net | steady | PSNR: net | steady | SSIM: net | steady |"
	echo "|---|---|---|---|---|---|---|---|---|---|---|"
	rows || return 1
	echo
}
new=$(mktemp) || exit 1
trap 'rm -rf "$tmp" "$new"' EXIT INT TERM
table > "$new" || exit 1
[ -n "$page" ] || { cat "$new"; exit 0; }
grep -q '^<!-- end steady -->$' "$page" || { echo "steady-table: $page has no place for it"; exit 1; }
awk -v new="$new" '/^<!-- end steady -->$/ {skip = 0} !skip {print} /^<!-- steady -->$/ {skip = 1; while ((getline l < new) > 0) print l}' "$page" > "$tmp/page" &&
	cp "$tmp/page" "$page"
