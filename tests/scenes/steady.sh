#!/bin/sh
# steady.sh - blending along motion behind a network: one hash everywhere, any frame alone, less flicker, no detail lost.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
data=
for d in ../shared/data /work/shared/data; do [ -z "$data" ] && [ -r "$d/weights" ] && data=$(cd "$d" && pwd); done
say() { # good name why
	if [ "$1" = 0 ]; then echo "ok steady $2"; else echo "not ok steady $2: $3"; fi
}
hashes() { # file options...
	f=$1; shift
	"$INTERNEG" render "$tmp/$f" --dry --no-cache --progress json "$@" 2>"$tmp/err" |
		sed -n 's/.*"frame":\([0-9]*\).*"hash":"\([0-9a-f]*\)".*/\1 \2/p' | sort -n
}
cat > "$tmp/p.xml" <<END
<graph version="1">
  <pattern id="plate" kind="shot" width="150" height="91" frames="6"/>
  <pass id="up" kind="geometry"><upscale id="big" in="plate" scale="1.5"/></pass>
  <pass id="calm" kind="detail"><steady id="st" in="up" source="plate" reach="2"/></pass>
  <write id="w" in="calm" file="out.####.png" preset="png"/>
</graph>
END
want=$(hashes p.xml --oracle --threads 1)
[ "$(echo "$want" | wc -l)" = 6 ]; say $? "the oracle renders it" "$(head -1 "$tmp/err")"
isas="--isa baseline"
grep -qw avx2 /proc/cpuinfo && isas="$isas|--isa avx2"
grep -qw avx512f /proc/cpuinfo && isas="$isas|--isa avx512"
IFS='|'
for o in "--threads 1 --tile 32" "--threads 7 --tile 64" "--threads 2 --no-fuse" $isas; do
	unset IFS
	got=$(hashes p.xml $o)
	[ "$got" = "$want" ]; say $? "$o: difference 0" "$got is not $want $(head -1 "$tmp/err")"
done
unset IFS
for f in 1 4 6; do
	got=$(hashes p.xml -F $f)
	[ "$got" = "$(echo "$want" | grep "^$f ")" ]; say $? "frame $f alone is frame $f of the clip" "$got"
done

[ -n "$data" ] || { echo "skip steady behind a network: no ../shared/data"; exit 0; }
m=$data/weights/realesr-animevideov3-x2.param
sha=$("$INTERNEG" model "$m" | sed -n 's/^sha256 *//p')
net() { # file steady pass-extra
	cat > "$tmp/$1.xml" <<END
<graph version="1">
  <read id="plate" file="$data/live/carphone_distorted.mp4"/>
  <pass id="crop" kind="geometry">
    <reformat id="c" in="plate" width="96" height="80" fit="none"/>
  </pass>
  <pass id="detail" kind="detail">
    <upscale id="up" in="crop" method="neural" model="$m" model_sha256="$sha" scale="0" steady="$2"/>$3
  </pass>
  <write id="w" in="detail" file="$1.####.png" preset="png"/>
</graph>
END
}
net off 0 ""
net on 1 ""
net two 1 "<upscale id=\"again\" in=\"up\" method=\"neural\" model=\"$m\" model_sha256=\"$sha\" scale=\"0\"/>"
"$INTERNEG" check "$tmp/on.xml" > "$tmp/out" 2>&1; say $? "is one AI process" "$(head -2 "$tmp/out")"
"$INTERNEG" check "$tmp/two.xml" > "$tmp/out" 2>&1; [ $? = 4 ]; say $? "with another network it is two" "$(head -2 "$tmp/out")"
for s in off on; do
	"$INTERNEG" render "$tmp/$s.xml" -F 1-7 --cache "$tmp/cache" --progress none > "$tmp/out" 2>&1 || say 1 "render $s" "$(tail -1 "$tmp/out")"
done
# both at the places, and along the motion, of the one without
measure() { "$INTERNEG" probe --flicker --along "$tmp/off.####.png" --json "$tmp/$1" | sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p"; }
for k in brightness:1 edges:0.95 flat:0.9 warp:0.9; do
	a=$(measure "off.####.png" ${k%:*}) b=$(measure "on.####.png" ${k%:*})
	awk -v a="$a" -v b="$b" -v m="${k#*:}" 'BEGIN {exit !(a > 0 && b > 0 && b < m * a)}'; say $? "${k%:*} flickers less ($a to $b codes)" "$a to $b"
done

# what the network made of reduced clips, against the clips themselves: calming costs no detail
command -v ffmpeg > /dev/null || { echo "skip steady against the truth: no ffmpeg"; exit 0; }
in=$INTERNEG model=$m
. "$(dirname "$0")/../tools/steady-clip.sh"
# Where a clip moves too far between frames (8 a second) for much to be blended, less is gained; nowhere is it worse.
while read -r clip x y most; do
	for s in 0 1; do steady_render "$clip" "$x" "$y" 192 128 6 $s || say 1 "render $clip" "$(tail -1 "$tmp/log")"; done
	a=$(steady_versus up0 psnr) b=$(steady_versus up1 psnr)
	awk -v a="$a" -v b="$b" 'BEGIN {exit !(a > 20 && b > a - 0.2)}'; say $? "$clip: $a dB to $b dB against the truth" "$a to $b"
	a=$(steady_flicker up0 edges) b=$(steady_flicker up1 edges)
	awk -v a="$a" -v b="$b" -v m="$most" 'BEGIN {exit !(a > 0 && b > 0 && b < m * a)}'; say $? "$clip $x $y: edges flicker less ($a to $b codes)" "$a to $b"
done <<END
live/flower.mp4 0.5 0.5 0.9
video/ltx2_dialogue.mp4 0.95 0.3 0.9
video/wan21_cat_i2v.mp4 0.5 0.4 0.9
video/wan21_cat_i2v.mp4 0.5 0.5 0.9
video/kandinsky5_profile.mp4 0.55 0.2 0.95
video/cogvideox_3.mp4 0.5 0.5 0.97
END
