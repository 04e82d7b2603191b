#!/bin/sh
# upscale-table.sh - `make upscale-table`: writes the tables of nodes/UPSCALE.md anew from the pictures of ../shared/data.
# upscale-table.sh UPSCALE-PSNR PAGE: what stands between the page's lines "<!-- tables -->" and "<!-- end -->" is replaced.
# Networks come from ../shared/data/weights through the program ($INTERNEG, default ./interneg); one that is missing is left out.
# VIF is ffmpeg's filter vif (VMAF's feature: the mean of its four scales, and the finest).
# SPDX-License-Identifier: BSD-2-Clause
tool=$1 page=$2
in=${INTERNEG:-./interneg}
data=
for d in ../shared/data /work/shared/data; do [ -z "$data" ] && [ -r "$d/grain" ] && data=$(cd "$d" && pwd); done
[ -n "$data" ] || { echo "upscale-table: no ../shared/data"; exit 1; }
INTERNEG_SHARE=${INTERNEG_SHARE:-.}
export INTERNEG_SHARE
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
ff() { ffmpeg -nostdin -v error -y "$@"; }
for f in "$data"/grain/kodak_[0-9][0-9].png; do
	ff -i "$f" -pix_fmt rgb24 "$tmp/$(basename "$f" .png).ppm" || exit 1
done
for v in ltx2_dialogue turbot2av_3_teacher wan21_cat_i2v; do
	ff -ss 1 -i "$data/video/$v.mp4" -vf 'crop=480:480' -pix_fmt rgb24 -frames:v 1 "$tmp/$v.ppm" || exit 1
done

# Networks made for a factor.
networks() {
	case $1 in
	2) echo realesr-animevideov3-x2 waifu2x_upconv7_photo_x2 ;;
	3) echo realesr-animevideov3-x3 ;;
	4) echo realesr-animevideov3-x4 4xLSDIRCompactC3 realesr-general-x4v3 realesr-general-wdn-x4v3 ;;
	esac
}
# The reduction in $tmp/FACTOR, enlarged by a network: $tmp/FACTOR/NAME.ppm.
enlarge() { # factor name
	model=$data/weights/$2.param dir=$tmp/$1
	ff -i "$dir/low.ppm" "$dir/low.png" || return 1
	cat > "$dir/net.xml" <<END
<graph version="1" fps="24">
  <read id="src" file="low.png" color="rec709" fps="24"/>
  <pass id="p" kind="detail">
    <upscale id="up" in="src" scale="$1" method="neural" model="$model" model_sha256="$("$in" model "$model" | sed -n 's/^sha256 *//p')"/>
  </pass>
  <write id="w" in="p" file="net.####.png" preset="png" bits="8" dither="none"/>
</graph>
END
	"$in" render "$dir/net.xml" --no-cache --overwrite --progress none > "$dir/log" 2>&1 || { cat "$dir/log" >&2; return 1; }
	ff -i "$dir/net.0001.png" -pix_fmt rgb24 "$dir/$2.ppm"
}
vif() { # a b
	ffmpeg -nostdin -hide_banner -i "$1" -i "$2" -lavfi '[0]format=yuv444p[a];[1]format=yuv444p[b];[a][b]vif' -f null - 2>&1 |
		sed -n 's/.*VIF scale=[0-3] average:\([0-9.]*\).*/\1/p' | awk '{s += $1; v[NR] = $1} END {if (NR != 4) exit 1; printf "%.4f %.4f", s / 4, v[1]}'
}
# A line "NAME PSNR SSIM MS-SSIM VIF VIF0" for each way and each picture of a factor.
measured() { # factor
	ways="bicubic lanczos3 learned"
	for n in $(networks "$1"); do [ -r "$data/weights/$n.param" ] && ways="$ways $n"; done
	for p in "$tmp"/*.ppm; do
		dir=$tmp/$1
		rm -rf "$dir"; mkdir "$dir"
		"$tool" --write "$1" "$p" "$dir" || return 1
		for w in $ways; do
			[ -r "$dir/$w.ppm" ] || enlarge "$1" "$w" || return 1
			echo "$w $("$tool" --compare "$1" "$dir/truth.ppm" "$dir/$w.ppm") $(vif "$dir/$w.ppm" "$dir/truth.ppm")"
		done
	done
}
means() {
	awk '!($1 in n) {order[++k] = $1} {n[$1]++; for (i = 2; i <= 6; i++) s[$1, i] += $i}
		END {for (j = 1; j <= k; j++) {w = order[j]; printf "| %s |", w
			for (i = 2; i <= 6; i++) printf i == 2 ? " %.2f |" : " %.4f |", s[w, i] / n[w]; print ""}}'
}
for k in 2 3 4; do
	{ measured $k > "$tmp/all$k" && : > "$tmp/done$k"; } &
done
{
	sed '/^<!-- tables -->$/q' "$page"
	for k in 2 3 4; do
		echo
		echo "| x$k | bicubic | lanczos3, ringing=0 | lanczos3 | learned, ringing=0 | learned |"
		echo "|---|---|---|---|---|---|"
		"$tool" $k "$tmp"/*.ppm | awk 'NR > 1 {printf "| %s |", $1; for (i = 2; i <= NF; i++) printf " %s |", $i; print ""}' || exit 1
	done
	wait
	for k in 2 3 4; do
		[ -e "$tmp/done$k" ] || exit 1
		echo
		echo "| x$k, means | PSNR | SSIM | MS-SSIM | VIF | VIF, finest |"
		echo "|---|---|---|---|---|---|"
		means < "$tmp/all$k"
	done
	echo
	sed -n '/^<!-- end -->$/,$p' "$page"
} > "$tmp/page" && grep -q '^<!-- end -->$' "$tmp/page" && cp "$tmp/page" "$page"
