#!/bin/sh
# steady-table.sh - what steady="1" takes from the flicker of a network, and what that costs: a table of nodes/UPSCALE.md.
# A part of each AI clip of ../shared/data is halved, doubled by the network in $MODEL without and with steady, and compared with
# the clip: `probe --flicker` in codes of 8 bits, PSNR and SSIM against the truth. steady-table.sh PAGE: what stands between the
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
sha=$("$in" model "$model" | sed -n 's/^sha256 *//p')
one() { # clip x y steady
	cat > "$tmp/$4.xml" <<END
<graph version="1">
  <read id="plate" file="$data/video/$1.mp4"/>
  <pass id="crop" kind="geometry"><reformat id="c" in="plate" width="320" height="192" fit="none" centre="$2 $3"/></pass>
  <pass id="half" kind="geometry"><upscale id="h" in="crop" scale="0.5"/></pass>
  <pass id="detail" kind="detail">
    <upscale id="up" in="half" method="neural" model="$model" model_sha256="$sha" scale="2" steady="$4"/>
  </pass>
  <write id="w" in="detail" file="up$4.####.png" preset="png"/>
  <write id="t" in="crop" file="truth.####.png" preset="png"/>
</graph>
END
	"$in" render "$tmp/$4.xml" -F "1-$frames" --cache "$tmp/cache" --overwrite --progress none > "$tmp/log" 2>&1 || { cat "$tmp/log" >&2; return 1; }
}
flicker() { # files key
	"$in" probe --flicker --json "$tmp/$1.####.png" | sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p"
}
versus() { # files filter
	ffmpeg -nostdin -v info -i "$tmp/$1.%04d.png" -i "$tmp/truth.%04d.png" -lavfi "$2" -f null - 2>&1 |
		sed -n 's/.*average:\([0-9.]*\).*/\1/p; s/.*All:\([0-9.]*\).*/\1/p'
}
rows() {
	while read -r clip x y; do
		rm -rf "$tmp"/*
		one "$clip" "$x" "$y" 0 && one "$clip" "$x" "$y" 1 || return 1
		echo "$clip" "$(flicker truth edges)" "$(flicker up0 edges)" "$(flicker up1 edges)" "$(flicker truth flat)" "$(flicker up0 flat)" \
			"$(flicker up1 flat)" "$(versus up0 psnr)" "$(versus up1 psnr)" "$(versus up0 ssim)" "$(versus up1 ssim)" |
			awk 'NF != 11 {exit 1} {printf "| %s | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.2f | %.4f | %.4f |\n", $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11}' || return 1
	done <<END
ltx2_dialogue 0.95 0.3
kandinsky5_profile 0.55 0.2
wan21_cat_i2v 0.5 0.4
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
