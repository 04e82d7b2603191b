#!/bin/sh
# start.sh - big graphs are counted right, and FFmpeg is opened only where something needs it.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
here=$(cd "$(dirname "$0")" && pwd)
is() { if [ "$2" = "$3" ]; then echo "ok start $1"; else echo "not ok start $1: expected $3, got $2 $(head -2 "$tmp/err" | tr '\n' ' ')"; fi; }

# A pattern, its conversion to the working space, 2,998 grades and a write.
awk -v kind=chain -v n=3000 -v frames=1000 -f "$here/../bench/start_graph.awk" > "$tmp/chain.xml"
"$INTERNEG" check "$tmp/chain.xml" > "$tmp/out" 2> "$tmp/err"
is "3,000 nodes in a chain are checked" "$(sed 's/.*: ok, //' "$tmp/out")" "3001 nodes, 1 passes, 1 writes"
"$INTERNEG" plan "$tmp/chain.xml" --json > "$tmp/out" 2> "$tmp/err"
tr '{' '\n' < "$tmp/out" > "$tmp/rows"
is "its plan computes every node on 1,000 frames" "$(grep -c '"frames":"1-1000","do":"compute"' "$tmp/rows")" 3000
is "its plan writes 1,000 frames" "$(grep -c '"frames":"1-1000","do":"write"' "$tmp/rows")" 1
awk -v kind=passes -v n=3000 -v frames=2 -f "$here/../bench/start_graph.awk" > "$tmp/passes.xml"
"$INTERNEG" check "$tmp/passes.xml" > "$tmp/out" 2> "$tmp/err"
is "3,000 passes in a chain are within the budget of the rules" "$(sed 's/.*: ok, //' "$tmp/out")" "3001 nodes, 2998 passes, 1 writes"
# One animated node among constant ones.
sed 's|<grade id="g7" in="g6" exposure="0.01"/>|<grade id="g7" in="g6" exposure="{frame * 0.01}"/>|' "$tmp/chain.xml" > "$tmp/anim.xml"
"$INTERNEG" plan "$tmp/anim.xml" --json 2> "$tmp/err" | tr '{' '\n' > "$tmp/rows"
is "an animated node in it changes no count" "$(grep -c '"do":"compute"' "$tmp/rows")" 3000

# A fan, and runs with steps: frames of a source that another node holds are counted once.
awk -v kind=fan -v n=3000 -v frames=1000 -f "$here/../bench/start_graph.awk" > "$tmp/fan.xml"
"$INTERNEG" plan "$tmp/fan.xml" --json -F 1-9x2,20-30 2> "$tmp/err" | tr '{' '\n' > "$tmp/rows"
is "a fan's plan has the frames that were asked" "$(grep -c '"frames":"1-9x2","do":"compute"' "$tmp/rows")/$(grep -c '"frames":"20-30","do":"compute"' "$tmp/rows")" 3000/3000
# The least memory: what plan says is what a refusal names, and suffices.
printf '<graph version="1" name="m" fps="24"><pattern id="p" kind="shot" width="640" height="360" frames="9"/><pass id="c" kind="cleanup"><degrain id="d" in="p"/></pass></graph>' > "$tmp/mem.xml"
least=$("$INTERNEG" plan "$tmp/mem.xml" --only d -F 3-4 --no-cache --threads 2 | sed -n 's/.*least --memory: \([0-9]*M\).*/\1/p')
"$INTERNEG" render "$tmp/mem.xml" --only d -F 3-4 --no-cache --threads 2 --memory 1M > "$tmp/out" 2> "$tmp/err"
is "a refusal names the least memory that plan told" "$?/$(sed -n 's/.*needs --memory \([0-9]*M\).*/\1/p' "$tmp/err")" "7/$least"
"$INTERNEG" render "$tmp/mem.xml" --only d -F 3-4 --no-cache --threads 2 --memory "$least" > "$tmp/out" 2> "$tmp/err"
is "and it suffices" "$?" 0

# A library that is no library stands before the real one.
mkdir "$tmp/lib"
echo none > "$tmp/lib/libavformat.so.59"
for n in 58 60 61 62; do cp "$tmp/lib/libavformat.so.59" "$tmp/lib/libavformat.so.$n"; done
cat > "$tmp/plain.xml" <<'X'
<graph version="1" name="plain" fps="24">
  <pattern id="src" kind="ramp" width="64" height="36" frames="1"/>
  <pass id="look" kind="look"><grade id="g" in="src" exposure="0.1"/></pass>
  <write id="w" in="g" file="plain.####.exr"/>
</graph>
X
sed 's/plain\.####\.exr/clip.mkv/' "$tmp/plain.xml" > "$tmp/clip.xml"
LD_LIBRARY_PATH="$tmp/lib" "$INTERNEG" render "$tmp/plain.xml" --no-cache > "$tmp/out" 2> "$tmp/err"
is "a scene without clips renders where FFmpeg is broken" "$?/$(ls "$tmp"/plain.0001.exr 2>/dev/null | wc -l)" 0/1
LD_LIBRARY_PATH="$tmp/lib" "$INTERNEG" render "$tmp/clip.xml" --no-cache > "$tmp/out" 2> "$tmp/err"
is "one with a clip fails with status 5" "$?" 5
is "and names the library" "$(grep -c 'clip.mkv.*libavformat' "$tmp/err")" 1
is "and leaves no file" "$(ls "$tmp"/clip.mkv 2>/dev/null | wc -l)" 0
LD_LIBRARY_PATH="$tmp/lib" "$INTERNEG" version > "$tmp/out" 2> "$tmp/err"
is "version tells it too" "$?/$(grep -c '^FFmpeg .*libavformat' "$tmp/out")" 0/1
"$INTERNEG" --version > "$tmp/out" 2> "$tmp/err"
is "version lists the libraries" "$(grep -cE '^(libav(format|codec|util)|OpenEXRCore|libxml2|Lua|zlib) +[0-9]+\.[0-9.]+$' "$tmp/out")" 7
