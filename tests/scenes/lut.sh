#!/bin/sh
# lut.sh - LUT files in a scene: every format gives the same picture as its .cube, a LUT that clamps tells its share of
# pixels (the same for any threads, tiles and evaluator), and what is wrong in a file is said with file and line.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/../setup.sh"
scene() { # lut, attributes
	cat > s.xml << X
<graph version="1" name="l" fps="24" working="linear-rec709">
  <pattern id="src" kind="ramp" width="320" height="180" frames="4"/>
  <pass id="look" kind="look">
    <grade id="g" in="src" lut="$1" lut_in="rec709" ${2:-}><animate param="exposure"><key frame="1" value="0"/><key frame="4" value="1"/></animate></grade>
  </pass>
  <write id="w" in="look" file="o.####.exr"/>
</graph>
X
}
hashes() { "$I" render s.xml --dry --overwrite --no-cache --progress json "$@" 2> err | sed -n 's/.*"frame":\([0-9]*\).*"hash":"\([0-9a-f]*\)".*/\1 \2/p' | sort; }

# a cube of 2 nodes a side in whole codes, as each format writes it; blue runs fastest in all but .cube
node() { awk -v order="$1" -v form="${2:-}" 'BEGIN {for (i = 0; i < 8; i++) {r = order == "red" ? i % 2 : int(i / 4); g = int(i / 2) % 2
	b = order == "red" ? int(i / 4) : i % 2; R = 51 + 153 * r + 51 * b; G = 255 * g; B = 204 * b + 51 * r
	if (form == "codes") printf "%d %d %d\n", R, G, B; else if (form == "at") printf "%d %d %d %.9g %.9g %.9g\n", r, g, b, R / 255, G / 255, B / 255
	else printf "%.9g %.9g %.9g\n", R / 255, G / 255, B / 255}}'; }
{ echo "LUT_3D_SIZE 2"; node red; } > a.cube
node blue codes > a.3dl
{ printf 'SPILUT 1.0\n3 3\n2 2 2\n'; node blue at; } > a.spi3d
{ echo '<ProcessList compCLFversion="3" id="a"><LUT3D inBitDepth="10i" outBitDepth="8i" interpolation="tetrahedral"><Array dim="2 2 2 3">'
	node blue codes; echo '</Array></LUT3D></ProcessList>'; } > a.clf
scene a.cube ""
hashes > want
[ "$(wc -l < want)" = 4 ] && ! grep -q "lie outside" err
say $? "a LUT that goes on with its slope renders" "$(cat want err)"
for f in 3dl spi3d clf; do
	scene "a.$f" ""
	hashes > got
	cmp -s want got
	say $? "a .$f gives the bits of the same .cube" "$(cat got err)"
done

scene a.cube 'lut_outside="clamp"'
hashes > got
grep "lie outside a.cube" err > first
! cmp -s want got
say $? "a LUT that clamps gives another picture" "$(cat got)"
# at frame 4 a ramp of 320 steps in linear light is doubled: half of it is above 1
hashes -F 4 > /dev/null
share=$(sed -n "s/.*'g': \([0-9.]*\) % of the pixels.*/\1/p" err)
awk -v s="${share:-0}" 'BEGIN {exit !(s > 20 && s < 80)}'
say $? "a LUT that clamps tells its share (${share:-none} %)" "$(cat err)"
for o in "--threads 1" "--threads 7 --tile 32" "--oracle" "--no-fuse" "--isa baseline"; do
	# shellcheck disable=SC2086
	hashes $o > again
	grep "lie outside a.cube" err | cmp -s - first && cmp -s got again
	say $? "the share is the same with $o" "$(cat err first)"
done

printf 'LUT_3D_SIZE 2\n0 0 0\n0 zero 0\n' > bad.cube
{ echo '<ProcessList compCLFversion="3" id="a">'; echo '<Range inBitDepth="8i" outBitDepth="8i"/>'; echo '</ProcessList>'; } > bad.clf
for f in "bad.cube:3" "bad.clf:2" "gone.spi3d"; do
	scene "${f%:*}" ""
	"$I" check s.xml > out 2>&1
	[ $? -gt 2 ] && grep -q "$f" out
	say $? "check names $f" "$(cat out)"
done
