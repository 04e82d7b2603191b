#!/bin/sh
# bake.sh - looks written as .cube, .clf and ASC CDL give the same picture in FFmpeg's lut3d and in OpenColorIO as in the
# render, within the error that bake states; what no table can hold is refused with the reason.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
I=${INTERNEG:-$PWD/interneg}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
say() { # good-or-bad name why
	if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2: $(echo "$3" | head -c 300 | tr '\n' ' ')"; fi
}
cat > "$tmp/s.xml" << 'X'
<graph version="1" name="b" fps="24" working="acescg">
  <read id="src" file="in.png" color="rec709"/>
  <read id="other" file="in.png" color="rec709"/>
  <pass id="l1" kind="look">
    <grade id="cdl" in="src" slope="1.1 1 0.95" offset="0.01 0 -0.01" power="1.05 1 0.9" saturation="0.9"/>
  </pass>
  <pass id="l2" kind="look">
    <grade id="tidy" in="src" space="clip" slope="0.9 0.95 0.9" offset="0.05 0.02 0.03" power="1.1 1 0.95" saturation="0.8"/>
  </pass>
  <pass id="l3" kind="look">
    <grade id="warm" in="tidy" temperature="8" contrast="1.08" red="0,0 0.4,0.42 1,1"/>
  </pass>
  <pass id="l4" kind="look">
    <grade id="end" in="warm" saturation="1.1"/>
  </pass>
  <pass id="n" kind="neutral">
    <match id="matched" in="src" reference="other" slope="1.02 1 0.99" offset="0 0 0.004" power="1 1 1.1" saturation="0.95" solved="1"/>
  </pass>
  <pass id="f" kind="integrate">
    <grade id="masked" in="warm" exposure="0.5" mask="other"/>
    <merge id="merged" in="warm" over="other"/>
    <vignette id="vig" in="warm"/>
    <blur id="soft" in="warm" sigma="2"/>
    <grain id="grainy" in="warm"/>
  </pass>
  <write id="a" in="tidy" file="a.png" bits="16" dither="none"/>
  <write id="b" in="warm" file="b.png" bits="16" dither="none"/>
  <write id="c" in="cdl" file="c.png" bits="16" dither="none" color="acescct"/>
  <write id="d" in="src" file="d.png" bits="16" dither="none" color="acescct"/>
</graph>
X
cd "$tmp" || exit 1

# --- refusals and options: no picture is needed beyond one to read ---
if ! command -v ffmpeg > /dev/null; then echo "skip bake: no ffmpeg"; exit 0; fi
ffmpeg -v error -f lavfi -i "nullsrc=s=128x96:d=0.04,format=gbrp16,geq=r='X*516':g='Y*689':b='65535*random(0)'" -frames:v 1 \
	-pix_fmt rgb48be in.png 2> err || { echo "skip bake: ffmpeg makes no picture: $(cat err)"; exit 0; }

refused() { # name status words arguments
	name=$1 status=$2 words=$3
	shift 3
	"$I" bake s.xml "$@" > out 2> err
	[ $? = "$status" ] && grep -q "$words" err && ! [ -e x.cube ]
	say $? "bake refuses $name" "$(cat out err)"
	rm -f x.cube
}
refused "a blur" 3 'id="soft"> blurs' soft --cube 17 -o x.cube
refused "grain" 3 'adds grain' grainy --cube 17 -o x.cube
refused "a vignette" 3 'by its place in the picture' vig --cube 17 -o x.cube
refused "a mask" 3 'has a mask' masked --cube 17 -o x.cube
refused "a second picture" 3 'second picture' merged --cube 17 -o x.cube
refused "a source" 3 'makes pictures' src --cube 17 -o x.cube
refused "an output" 3 'is an output' a --cube 17 -o x.cube
refused "a run from below to above" 2 'does not lie above' warm..tidy --cube 17 -o x.cube
refused "a list with a node missing" 2 "'warm' lies between" tidy,end --cube 17 -o x.cube
refused "an unknown node" 2 'did you mean warm' wram --cube 17 -o x.cube
refused "two kinds at once" 2 'wants one of' warm --cube 17 --cdl -o x.cube
refused "an ending of another kind" 2 'must end in' warm --cube 17 -o x.clf
refused "one node a side" 2 '2 to 129' warm --cube 1 -o x.cube
refused "an unknown space" 2 'is no colour space' warm --cube 17 --in-space nowhere -o x.cube
refused "a shaper for encoded numbers" 2 'encoded already' warm --cube 17 --shaper acescct -o x.cube
refused "a CDL of what is more" 3 'does more than its CDL' warm --cdl -o x.cc
echo "someone else's" > x.cube
"$I" bake s.xml warm --cube 17 -o x.cube > out 2> err
[ $? = 9 ] && grep -q "not interneg's" err && grep -q "someone" x.cube
say $? "bake leaves the files of others" "$(cat err)"
"$I" bake s.xml warm --cube 17 -o x.cube --overwrite > out 2> err && "$I" bake s.xml warm --cube 17 -o x.cube > out 2>> err
say $? "bake replaces with --overwrite, and its own without" "$(cat err)"

# --- the same picture in FFmpeg ---
"$I" render s.xml --no-cache --overwrite --progress none > out 2> err || say 1 "bake's scene renders" "$(cat err)"
codes() { ffmpeg -v error -i "$1" -frames:v 1 -f rawvideo -pix_fmt rgb48le - 2> /dev/null | od -An -v -tu2 -w6; }
# largest and mean difference of two lists, as shares of white
differ() { paste "$1" "$2" | awk '{for (i = 1; i <= 3; i++) {d = $i - $(i + 3); if (d < 0) d = -d; if (d > m) m = d; s += d; n++}}
	END {printf "%.6f %.6f %d\n", m / 65535, s / n / 65535, n}'; }
against() { # name picture mean arguments: the bake's own stated error holds for FFmpeg
	name=$1 picture=$2 mean=$3
	shift 3
	rm -f l.cube
	"$I" bake s.xml "$@" -o l.cube > out 2> err || { say 1 "bake $name" "$(cat err)"; return; }
	stated=$(sed -n 's/.*largest error \([^ ]*\) .*/\1/p' out)
	ffmpeg -v error -y -i in.png -vf "format=gbrp16,lut3d=file=l.cube:interp=tetrahedral" -pix_fmt rgb48be f.png 2> err
	codes "$picture" > ours
	codes f.png > theirs
	differ ours theirs > d
	awk -v s="$stated" -v mean="$mean" '{exit !($3 == 36864 && $1 <= s + 2 / 65535 && $2 < mean)}' d
	say $? "bake $name: FFmpeg's lut3d within the stated $stated ($(cat d))" "$(cat out err)"
}
against "one node, 33" a.png 0.0005 tidy --cube 33
against "one node, 65" a.png 0.0002 tidy --cube 65
against "a run, 33" b.png 0.002 tidy..warm --cube 33
against "a list, 65" b.png 0.001 tidy,warm --cube 65

# --- and in OpenColorIO ---
if ! command -v ociochecklut > /dev/null; then echo "skip bake in OpenColorIO: no ociochecklut"; exit 0; fi
# the colours of some pixels through a file; ours beside
colours() { # file before after tolerance name
	codes "$2" | awk 'NR % 1231 == 7' > before
	codes "$3" | awk 'NR % 1231 == 7' > after
	while read -r r g b; do
		ociochecklut "$1" $(echo "$r $g $b" | awk '{printf "%.9f %.9f %.9f", $1 / 65535, $2 / 65535, $3 / 65535}') 2> err | tail -1
	done < before > got
	paste after got | awk -v tol="$4" '{for (i = 1; i <= 3; i++) {v = $(i + 3); v = v < 0 ? 0 : v > 1 ? 1 : v; d = $i / 65535 - v; if (d < 0) d = -d;
		if (d > m) m = d}} END {printf "%.6f of %d\n", m, NR; exit !(NR >= 9 && m <= tol)}' > d
	say $? "bake $5 in OpenColorIO ($(cat d))" "$(cat err got)"
}
rm -f l.clf l.cube
"$I" bake s.xml tidy --clf -o l.clf > out 2> err && "$I" bake s.xml tidy --cube 33 -o l.cube >> out 2>> err
stated=$(sed -n 's/.*largest error \([^ ]*\) .*/\1/p' out | head -1)
colours l.clf in.png a.png "$stated" "as .clf"
colours l.cube in.png a.png "$stated" "as .cube"
for ending in cc ccc cdl; do
	"$I" bake s.xml cdl --cdl -o "l.$ending" > out 2> err
	say $? "bake a CDL as .$ending" "$(cat err)"
done
"$I" bake s.xml matched --cdl -o m.cc > out 2> err
say $? "bake a match, whose reference no pixel reads" "$(cat err)"
colours l.cc d.png c.png 0.00005 "as .cc"
# linear light through the shaper, as both formats
"$I" bake s.xml warm --clf --cube 33 --shaper acescct --in-space acescg --out-space acescct -o s.clf > out 2> err &&
	"$I" bake s.xml warm --cube 33 --shaper acescct --in-space acescg --out-space acescct -o s.cube > out2 2>> err
say $? "bake with a shaper" "$(cat err)"
for c in "0.18 0.18 0.18" "4 1.5 0.2" "0.01 0.02 0.05" "0.9 0.3 0.6"; do
	echo "$(ociochecklut s.clf $c 2>> err | tail -1) $(ociochecklut s.cube $c 2>> err | tail -1)"
done | awk 'NF == 6 {for (i = 1; i <= 3; i++) {d = $i - $(i + 3); if (d < 0) d = -d; if (d > m) m = d} n++} END {printf "%.6f of %d\n", m, n; exit !(n == 4 && m < 0.001)}' > d
say $? "bake with a shaper: .clf and .cube agree in OpenColorIO ($(cat d))" "$(cat err)"
