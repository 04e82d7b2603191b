#!/bin/sh
# ocio.sh - OpenColorIO in scenes: the node, color="ocio:NAME" on read, write and convert, the config from the graph or
# $OCIO; equal hashes for instruction sets, threads and the oracle; pinned in the lock; what is wrong ends in 3 or 5.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/../setup.sh"
export INTERNEG_SHARE="${INTERNEG_SHARE:-$top}"
unset OCIO
mkdir -p show/luts
{ echo LUT_3D_SIZE 2; for b in 0.05 0.9; do for g in 0 0.95; do for r in 0.02 1; do echo "$r $g $b"; done; done; done; } > show/luts/a.cube
cat > show/config.ocio << 'X'
ocio_profile_version: 2
search_path: luts
roles: {default: raw, scene_linear: lin, aces_interchange: ap0}
displays:
  mon:
    - !<View> {name: film, colorspace: out}
    - !<View> {name: aces, colorspace: odt}
looks:
  - !<Look> {name: warm, process_space: log, transform: !<CDLTransform> {slope: [1.1, 1, 0.9], power: [1, 1.1, 1]}}
colorspaces:
  - !<ColorSpace> {name: raw, isdata: true}
  - !<ColorSpace> {name: ap0}
  - !<ColorSpace> {name: lin, to_scene_reference: !<BuiltinTransform> {style: ACEScg_to_ACES2065-1}}
  - !<ColorSpace> {name: log, to_scene_reference: !<BuiltinTransform> {style: ACEScct_to_ACES2065-1}}
  - !<ColorSpace> {name: cam, to_scene_reference: !<BuiltinTransform> {style: ARRI_ALEXA-LOGC-EI800-AWG_to_ACES2065-1}}
  - !<ColorSpace>
    name: out
    from_scene_reference: !<GroupTransform>
      children:
        - !<BuiltinTransform> {style: ACEScct_to_ACES2065-1, direction: inverse}
        - !<FileTransform> {src: a.cube, interpolation: tetrahedral}
  - !<ColorSpace>
    name: odt
    from_scene_reference: !<BuiltinTransform> {style: "ACES-OUTPUT - ACES2065-1_to_CIE-XYZ-D65 - SDR-VIDEO_1.0"}
X
scene() { # graph attributes, view
	cat > s.xml << X
<graph version="1" name="o" fps="24" working="acescg" $1>
  <pattern id="src" kind="shot" width="160" height="90" frames="2"/>
  <pass id="look" kind="look"><ocio id="warm" in="src" look="warm"/></pass>
  <pass id="out" kind="deliver"><ocio id="view" in="look" display="mon" view="$2" space="rec709"/></pass>
  <write id="v" in="out" file="out/v.####.exr" color="input"/>
  <write id="c" in="look" file="out/c.####.exr" color="ocio:cam"/>
  <write id="l" in="look" file="out/l.####.exr" color="linear-rec709"/>
</graph>
X
}
hashes() { f=$1; shift; "$I" render "$f" --dry --overwrite --no-cache --progress json "$@" 2> err | sed -n 's/.*"frame":\([0-9]*\).*"hash":"\([0-9a-f]*\)".*/\1 \2/p' | sort; }
scene 'ocio="show/config.ocio"' film
"$I" check s.xml > log 2>&1
if grep -q "cannot be opened" log; then echo "skip ocio: $(head -1 log)"; exit 0; fi
hashes s.xml --isa baseline --threads 1 > want
[ "$(wc -l < want)" = 6 ]; say $? "OpenColorIO node renders" "$(cat err log)"
hashes s.xml --threads 3 > got; cmp -s want got; say $? "OpenColorIO: one hash for the best instruction set and three threads" "$(diff want got)"
for how in "--threads 2 --tile 32" "--threads 7 --tile 256" "--threads 1 --tile 100000"; do
	# shellcheck disable=SC2086
	hashes s.xml $how > got; cmp -s want got; say $? "OpenColorIO: one hash with $how" "$(diff want got)"
done
hashes s.xml --oracle > got; cmp -s want got; say $? "OpenColorIO: one hash through the oracle" "$(diff want got)"
"$I" plan s.xml > log 2>&1; grep -q "look.*ocio\|warm/cam.*ocio" log && grep -q "warm/cam" log; say $? "plan shows the conversion to a config's space" "$(cat log)"
"$I" render s.xml --progress none > log 2>&1 && "$I" lock s.xml > log 2>&1
grep -q "^file show/config.ocio [0-9a-f]\{64\}$" s.lock && grep -q "^file show/luts/a.cube [0-9a-f]\{64\}$" s.lock && ! grep -q "^outside" s.lock
say $? "the lock pins the config and its tables, and nothing of the machine" "$(grep '^file\|^outside' s.lock; cat log)"
# what was written in the config's space reads back
cat > r.xml << 'X'
<graph version="1" name="r" fps="24" working="acescg" ocio="show/config.ocio">
  <read id="cam" file="out/c.####.exr" color="ocio:cam"/>
  <write id="b" in="cam" file="out/b.####.exr" color="linear-rec709"/>
</graph>
X
"$I" render r.xml --progress none > log 2>&1; say $? "color=\"ocio:NAME\" reads and writes" "$(cat log)"
"$I" still r.xml b -F 1 -o b.png >/dev/null 2>&1; "$I" still s.xml l -F 1 -o l.png > /dev/null 2>&1
if command -v ffmpeg > /dev/null; then
	p=$(ffmpeg -hide_banner -i out/b.0001.exr -i out/l.0001.exr -lavfi psnr -f null - 2>&1 | sed -n 's/.*average:\([^ ]*\).*/\1/p')
	awk -v p="$p" 'BEGIN {exit !(p == "inf" || p > 90)}'; say $? "an OpenColorIO space comes back as it went" "PSNR $p"
else echo "skip ocio round trip: no ffmpeg"; fi
cat > c.xml << 'X'
<graph version="1" name="c" fps="24" working="acescg" ocio="show/config.ocio">
  <pattern id="src" kind="ramp" width="64" height="16" frames="1"/>
  <pass id="a" kind="deliver"><convert id="x" in="src" to="ocio:cam"/><convert id="y" from="ocio:cam" to="rec709"/></pass>
  <write id="b" in="a" file="out/y.####.exr" color="input"/>
</graph>
X
"$I" check c.xml > log 2>&1 && "$I" plan c.xml > log 2>&1 && grep -q "y/cam.*rec709" log; say $? "convert goes through the config too" "$(cat log)"
# the environment's config, pinned by content; a changed table is told
scene '' film
OCIO=show/config.ocio hashes s.xml > got; cmp -s want got; say $? "\$OCIO gives the same picture" "$(cat err)"
OCIO=$tmp/show/config.ocio "$I" lock s.xml > log 2>&1; grep -q '^file \$OCIO [0-9a-f]*$' s.lock && grep -q '^file \$OCIO/../luts/a.cube ' s.lock && ! grep -q "$tmp" s.lock
say $? "the lock pins \$OCIO by content, not by place" "$(cat log; grep '^file' s.lock)"
sed 's/0.95/0.85/' show/luts/a.cube > n && mv n show/luts/a.cube
OCIO=show/config.ocio "$I" verify s.xml > log 2>&1; rc=$?
[ $rc = 12 ] || [ $rc = 11 ]; say $? "verify tells of a changed table (status $rc)" "$(cat log)"
scene 'ocio="show/config.ocio"' aces
"$I" render s.xml --progress none --overwrite > log 2>&1; "$I" lock s.xml > log 2>&1; grep -q "^outside view OpenColorIO" s.lock; say $? "what OpenColorIO evaluates is named in the lock" "$(cat log)"
status() { # want name sed
	scene 'ocio="show/config.ocio"' film; sed "$3" s.xml > e.xml; "$I" check e.xml > log 2>&1; rc=$?
	[ $rc = "$1" ] && grep -q "$4" log; say $? "$2: status $1" "$rc $(cat log)"
}
status 3 "an unknown view" 's/view="film"/view="flim"/' 'mon/film'
status 3 "an unknown space" 's/ocio:cam/ocio:camm/' 'camm'
status 3 "no config at all" 's/ocio="show[^"]*"//' 'OCIO'
status 5 "a missing config" 's/config.ocio/konfig.ocio/' 'konfig.ocio'
status 3 "display without view" 's/view="film"//' 'go together'
sed 's/search_path.*/search_path: {{{/' show/config.ocio > n; mv n show/config.ocio
status 5 "a broken config" 's/x/x/' 'config.ocio'
