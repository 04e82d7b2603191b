#!/bin/sh
# grain.sh - the verb grain: profiles and tables written and read, the same whatever the threads, bad files refused; what
# dav1d adds to an AV1 picture is what its film grain table says; a profile synthesised and measured comes back.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
I=${INTERNEG:-$PWD/interneg}
stocks=$PWD/graphs/stocks
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
say() { # good-or-bad name why
	if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2: $(echo "$3" | head -c 400 | tr '\n' ' ')"; fi
}
cd "$tmp" || exit 1
cat > t.tbl << 'X'
filmgrn1
E 0 9223372036854775807 1 7391 1
	p 3 7 0 11 0 1 128 192 256 128 192 256
	sY 3  16 40 128 90 235 60
	sCb 2 16 64 235 64
	sCr 2 16 64 235 96
	cY 0 0 0 0 0 0 0 0 0 -4 -10 -4 0 0 0 -4 -10 40 -10 -4 0 0 -10 40
	cCb 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 0 0 0 0 20 0
	cCr 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 0 0 0 0 20 0
X

# --- files ---
"$I" grain t.tbl -o t.grain > out 2> err && grep -q '^method table' t.grain && "$I" grain t.grain --table back.tbl > out 2> err
say $? "a table becomes a profile and a table again" "$(cat err)"
head -c 300 t.grain > cut.grain
head -c 200 t.tbl > cut.tbl
for f in cut.grain cut.tbl none.tbl none.grain none.mp4 t.sh; do
	[ $f = t.sh ] && echo 'no picture' > t.sh
	"$I" grain $f -o no.grain > out 2> err
	s=$?
	[ $s = 5 ] && grep -q "$f" err && ! [ -e no.grain ]
	say $? "grain refuses $f" "status $s: $(cat err)"
done
"$I" grain t.tbl --method best > out 2> err; s1=$?
"$I" grain --compare t.tbl > out 2> err; s2=$?
[ $s1 = 2 ] && [ $s2 = 2 ]
say $? "grain refuses options that say nothing" "$s1 $s2 $(cat err)"
"$I" grain --compare t.tbl t.grain --json > out 2> err && grep -q '"worst_db":\[0,0,0\]' out
say $? "a profile does not differ from itself" "$(cat out err)"

# --- a profile synthesised over a ramp and measured comes back ---
if ! command -v ffmpeg > /dev/null; then echo "skip grain clips: no ffmpeg"; exit 0; fi
ffmpeg -v error -y -f lavfi -i "nullsrc=s=960x540:r=24:d=0.25,format=gray16,geq=lum='6000+50000*X/960'" -pix_fmt rgb48 \
	ramp%02d.png 2> err || { echo "skip grain clips: $(cat err)"; exit 0; }
cat > s.xml << X
<graph version="1" name="g" fps="24" working="acescg">
  <read id="src" file="ramp%02d.png" color="rec709"/>
  <pass id="f" kind="integrate"><grain id="g" in="src" profile="$stocks/35mm-medium.grain" seed="3"/></pass>
  <write id="a" in="g" file="g%02d.png" bits="16" dither="none"/>
</graph>
X
if "$I" render s.xml --no-cache --progress none > out 2> err; then
	"$I" grain g%02d.png -o one.grain --plot one.png --threads 1 > one 2> err && LC_ALL=de_DE.UTF-8 "$I" grain g%02d.png \
		-o two.grain --plot two.png --threads 2 > two 2>> err && cmp one.grain two.grain && cmp one.png two.png && cmp one two
	say $? "grain gives the same bytes for any threads and locale" "$(cat err)"
	grep -q 'differences: ' one && grep -q '^new in every frame' one
	say $? "synthesised grain is new in every frame" "$(cat one)"
	"$I" grain g%02d.png --memory 220M > out 2> err
	s1=$?
	most=$(sed -n 's/.*may name \([0-9]*\) neighbouring frames$/\1/p' err)
	"$I" grain g%02d.png --memory 220M -F "1-${most:-6}" > out 2>> err
	s2=$?
	[ $s1 = 7 ] && [ $s2 = 0 ] && [ "$most" -lt 6 ] && grep -q 'g%02d.png: to measure 6 frames of 960 x 540 takes' err
	say $? "grain of more frames than --memory holds is refused, and told how many it does" "$s1 $s2 $(cat err)"
	"$I" grain g%02d.png --memory 20M > out 2> err
	s=$?
	least=$(sed -n 's/.*to measure one frame of 960 x 540 takes \([0-9]*\) MiB.*/\1/p' err)
	"$I" grain g%02d.png -F 1 --memory "${least:-1}M" > out 2>> err
	[ $s = 7 ] && [ -n "$least" ] && [ "$(grep -c MiB err)" = 1 ]
	say $? "grain of one frame that --memory does not hold: told what it takes" "$s $(cat err)"
else say 1 "a profile is synthesised" "$(cat err)"; fi

# --- AV1: dav1d adds what the table says ---
if ! command -v aomenc > /dev/null || ! command -v dav1d > /dev/null; then echo "skip grain av1: no aomenc, dav1d"; exit 0; fi
ffmpeg -v error -y -f lavfi -i "nullsrc=s=1280x720:r=24:d=0.17,format=yuv420p,geq=lum='40+150*X/1280':cb=128:cr=128" \
	-f yuv4mpegpipe r.y4m &&
aomenc --film-grain-table=t.tbl --cpu-used=8 --end-usage=q --cq-level=10 --ivf -o t.ivf r.y4m > out 2>&1 &&
dav1d -q -i t.ivf --filmgrain 1 -o g.y4m 2> err || { echo "skip grain av1: $(tail -1 out err | tr '\n' ' ')"; exit 0; }
"$I" grain --compare g.y4m t.tbl --json > out 2> err
sed -n 's/.*"strength_rms":\[\([^]]*\)\].*/\1/p' out | tr , ' ' | awk '{ exit !(NF == 3 && $1 < .05 && $2 < .05 && $3 < .05) }'
say $? "what dav1d adds has its table's strength within 5 %" "$(cat out err)"

# --- colour stocks through AV1: dav1d shows strength, spectrum by octaves and correlations of the imported table, and the
# --- stock's own strength and octaves. A frame has one template, of which octaves of a few scatter by 0.3 dB and more: the
# --- table's seed is one whose first frames together do not. The lowest octave scatters most in the few pairs that are taken.
octaves() { # most-dB most-strength most-correlation octaves [most-dB-in-the-lowest]; reads the report
	sed -n 's/.*"bands_db":\[\(.*\)\],"worst.*"strength_rms":\[\([^]]*\)\],"correlation":\[\([^]]*\)\].*/\1 S \2 C \3/p' out | tr '[],' '   ' |
		awk -v db="$1" -v st="$2" -v co="$3" -v n="$4" -v low="${5:-$1}" '{ for (i = 1; i <= NF; i++) {
			if ($i == "S" || $i == "C") { w = $i; k++; continue }
			v = $i < 0 ? -$i : $i
			if (w == "" && i % 4 != 1 && i <= 4 * n && v > (i > 4 ? db : low) || w == "S" && v > st || w == "C" && v > co) exit 1
		} exit k != 2 }'
}
ffmpeg -v error -y -f lavfi -i "nullsrc=s=1280x720:r=24:d=0.5,format=yuv420p10,geq=lum='160+600*X/1280':cb=512:cr=512" \
	-strict -1 -f yuv4mpegpipe r.y4m
for stock in 35mm-medium 16mm-coarse; do
	"$I" grain "$stocks/$stock.grain" --table s.tbl > out 2> err &&
	aomenc --film-grain-table=s.tbl --bit-depth=10 --cpu-used=8 --end-usage=q --cq-level=10 --ivf -o s.ivf r.y4m > out 2>&1 &&
	dav1d -q -i s.ivf --filmgrain 1 -o s.y4m 2> err && "$I" grain s.y4m -o s.grain > out 2> err
	"$I" grain --compare s.grain s.tbl --json > out 2> err; octaves 1.2 0.05 0.04 6
	say $? "dav1d shows $stock as its table says (octaves 1.2 dB, strength 5 %, correlation 0.04)" "$(cat out err)"
	sed 's/^height .*/height 720/' "$stocks/$stock.grain" > p.grain
	[ $stock = 35mm-medium ] && n=5 || n=4
	"$I" grain --compare s.grain p.grain --json > out 2> err; octaves 0.5 0.05 1 $n 0.9
	say $? "dav1d shows $stock as its profile says ($n octaves 0.5 dB, the lowest 0.9 dB, strength 5 %)" "$(cat out err)"
done
awk '$1 == "spectrum" { $3 = $4 = $5 = $2 ? -60 : 0 } 1' "$stocks/16mm-coarse.grain" > wide.grain
"$I" grain wide.grain --table s.tbl > out 2> err && grep -q 'cannot be this grain: [0-9.]* dB off' err
say $? "grain as wide as the picture: the table is written with a warning of how far off it is" "$(cat err)"
