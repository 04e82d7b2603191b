#!/bin/sh
# chunks.sh - parts of a clip (-F) fill the journal in any order and from several processes; the clip made of them is the
# clip of one render, byte for byte. (Nodes that read other frames: tests/unit/engine.c, "some frames only".)
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
in=$INTERNEG
is() { if [ "$2" = "$3" ]; then echo "ok chunks $1"; else echo "not ok chunks $1: got '$2', want '$3'"; fi; }
scene() { # folder
	mkdir -p "$tmp/$1"
	cat > "$tmp/$1/s.xml" << 'X'
<graph version="1" name="c" fps="24">
  <script file="soft.lua"/>
  <pattern id="plate" kind="shot" width="160" height="90" frames="12"/>
  <pass id="motion" kind="motion" keep="never"><softer id="t" in="plate"/></pass>
  <pass id="fin" kind="integrate" keep="never"><grain id="g" in="t" amount="0.05"/></pass>
  <write id="pro" in="g" file="out/p.mov" preset="master-prores"/>
  <write id="fast" in="g" file="out/f.mov" preset="prores-fast"/>
  <write id="dnx" in="g" file="out/d.mov" preset="master-dnxhr"/>
  <write id="ffv" in="g" file="out/v.mkv" preset="ffv1"/>
  <write id="avc" in="g" file="out/a.mp4" preset="h264"/>
  <write id="seq" in="g" file="out/s.####.exr"/>
</graph>
X
	sed -i 's/width="160" height="90"/width="256" height="144"/' "$tmp/$1/s.xml"
	cat > "$tmp/$1/soft.lua" << 'X'
return node { name = "softer", version = 1, doc = "A soft copy laid over.", inputs = "image",
  build = function(g, p, src)
    return g.merge { src.image, over = g.blur { src.image, sigma = 3 }, operation = "average" }
  end }
X
}
hashes() { sed -n 's/.*"node":"\([^"]*\)","frame":\([0-9]*\),"hash":"\([0-9a-f]*\)".*/\1 \2 \3/p' "$@" | LC_ALL=C sort; }
sums() { (cd "$tmp/$1/out" && sha256sum -- * | grep -v ' a\.mp4'); }
scene one; scene two
"$in" render "$tmp/one/s.xml" --progress json > "$tmp/one.json" 2> "$tmp/err"; is "one render" $? 0
is "its journal is gone" "$(find "$tmp/one" -name '*.frame' | wc -l)" 0
"$in" render "$tmp/two/s.xml" -F 7-12 --progress json > "$tmp/b.json" 2> "$tmp/err"; is "the second half first" $? 0
is "it says what is missing" "$(grep -c '6 of 12 frames are in the journal' "$tmp/err")" 5
is "no clip yet, but the sequence's frames" "$(ls "$tmp/two/out" | tr '\n' ' ')" "s.0007.exr s.0008.exr s.0009.exr s.0010.exr s.0011.exr s.0012.exr "
"$in" render "$tmp/two/s.xml" -F 1-3 --progress json > "$tmp/a.json" 2> /dev/null & one=$!
"$in" render "$tmp/two/s.xml" -F 4-6 --threads 1 --progress json > "$tmp/c.json" 2> /dev/null; rc=$?
wait $one; is "two processes at once" "$?$rc" 00
is "the parts have the hashes of the whole" "$(cat "$tmp/a.json" "$tmp/b.json" "$tmp/c.json" | hashes)" "$(hashes "$tmp/one.json")"
"$in" plan "$tmp/two/s.xml" > "$tmp/plan"; is "the plan computes nothing more" "$(grep -c ' compute ' "$tmp/plan")" 0
"$in" render "$tmp/two/s.xml" --progress json > "$tmp/w.json" 2> "$tmp/err"; is "the assembling render" $? 0
is "it computes nothing" "$(sed -n 's/.*"computed":\([0-9]*\).*/\1/p' "$tmp/w.json")" 0
is "the same bytes: ProRes, DNxHR, FFV1, EXR" "$(sums two)" "$(sums one)"
is "the same frames into H.264" "$(hashes "$tmp/w.json" | grep ^avc)" "$(hashes "$tmp/one.json" | grep ^avc)"
is "and its journal is gone" "$(find "$tmp/two" -name '*.frame' | wc -l)" 0
# a damaged journal frame is noticed and computed again
rm -rf "$tmp/two/out"
"$in" render "$tmp/two/s.xml" -F 2-11 --only pro --progress none 2> /dev/null
f=$(find "$tmp/two" -name '*.frame' | LC_ALL=C sort | head -1); printf X | dd of="$f" bs=1 seek=9000 conv=notrunc 2> /dev/null
"$in" cache check "$tmp/two/s.xml" > "$tmp/check" 2>&1; is "cache check finds a damaged frame" "$?/$(grep -c '^damaged' "$tmp/check")" 5/1
f=$(find "$tmp/two" -name '*.frame' | LC_ALL=C sort | head -1); printf X | dd of="$f" bs=1 seek=9000 conv=notrunc 2> /dev/null
"$in" render "$tmp/two/s.xml" --only pro --progress none 2> "$tmp/err"
is "a render computes it again" "$?/$(grep -c 'computed again' "$tmp/err")/$(cmp "$tmp/one/out/p.mov" "$tmp/two/out/p.mov" && echo same)" 0/1/same
"$in" render "$tmp/two/s.xml" -F 1-2 --only pro --no-cache --progress none 2> "$tmp/err"
is "parts without a cache are refused" "$?/$(grep -c 'write .pro.*journal' "$tmp/err")" 2/1
