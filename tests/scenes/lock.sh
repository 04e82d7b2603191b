#!/bin/sh
# lock.sh - SCENE.lock: stable text, verified in a clean room, and every kind of change named.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
in=${INTERNEG:?}
is() { if [ "$2" = "$3" ]; then echo "ok lock $1"; else echo "not ok lock $1: expected $3, got $2: $(head -2 "$tmp/out" "$tmp/err" 2>/dev/null | tr '\n' ' ')"; fi; }
says() { if grep -q -- "$2" "$tmp/out"; then echo "ok lock $1"; else echo "not ok lock $1: nothing like '$2' in $(head -4 "$tmp/out" | tr '\n' ' ')"; fi; }
mkdir -p "$tmp/p/sub"
cat > "$tmp/p/s.xml" <<'X'
<graph version="1" name="l" fps="24">
  <script file="sub/lift.lua"/>
  <pattern id="plate" kind="shot" width="96" height="54" frames="5"/>
  <pass id="look" kind="look" keep="always"><grade id="g" in="plate" contrast="1.1" lut="sub/l.cube" lut_in="acescct" lut_out="acescct"/><lift id="up" amount="0.02"/></pass>
  <pass id="finish" kind="integrate"><grain id="gr" in="up" seed="3"/></pass>
  <write id="a" in="gr" file="out/a.mov" preset="master-prores"/>
  <write id="b" in="gr" file="out/b.####.exr"/>
</graph>
X
printf 'LUT_1D_SIZE 2\n0 0 0\n1 1 0.9\n' > "$tmp/p/sub/l.cube"
cat > "$tmp/p/sub/lift.lua" <<'X'
return node { name = "lift", version = 1, doc = "Adds light.", inputs = "image",
  params = { { "amount", "float", 0.1, 0, 1, "light" } },
  pixel = function(p, src) local c = src.image; return { r = c.r + p.amount, g = c.g + p.amount, b = c.b + p.amount } end }
X
"$in" lock "$tmp/p/s.xml" > "$tmp/out" 2> "$tmp/err"; is "lock" $? 0
cp "$tmp/p/s.lock" "$tmp/first"
"$in" lock "$tmp/p/s.xml" --threads 1 --no-cache > "$tmp/out" 2> "$tmp/err"
cmp -s "$tmp/first" "$tmp/p/s.lock"; is "locking twice changes no byte" $? 0
is "no absolute path in it" "$(grep -c "$tmp" "$tmp/first")" 0
[ -d "$tmp/p/out" ]; is "lock writes no outputs" $? 1
"$in" verify "$tmp/p/s.xml" > "$tmp/out" 2> "$tmp/err"; is "verify" $? 0; says "all ten frames" "10 frames"
cp -r "$tmp/p" "$tmp/q"; rm -rf "$tmp/q/.interneg"
(cd "$tmp/q/sub" && env -i LC_ALL=tr_TR.UTF-8 TZ=Pacific/Apia HOME=/nonexistent INTERNEG_SHARE="${INTERNEG_SHARE:-}" PATH="$PATH" \
	"$in" verify ../s.xml --threads 3 --isa baseline --tile 40) > "$tmp/out" 2> "$tmp/err"
is "verify in another folder, locale, time zone, thread count and instruction set" $? 0
"$in" verify "$tmp/p/s.xml" --outputs > "$tmp/out" 2> "$tmp/err"; is "outputs that are missing" $? 11
"$in" render "$tmp/p/s.xml" --progress none 2> "$tmp/err"
"$in" verify "$tmp/p/s.xml" --outputs > "$tmp/out" 2> "$tmp/err"; is "outputs that are there" $? 0
change() { # name sed-script file expected-text
	cp -r "$tmp/p" "$tmp/c"; sed -i "$2" "$tmp/c/$3"
	"$in" verify "$tmp/c/s.xml" --sample 2 > "$tmp/out" 2> "$tmp/err"; is "a changed $1 is found" $? 11
	says "and named" "$4"; rm -rf "$tmp/c"
}
change "parameter" 's/contrast="1.1"/contrast="1.2"/' s.xml 'param g.contrast'
sed -i 's/contrast="1.1"/contrast="1.2"/' "$tmp/p/s.xml"; "$in" verify "$tmp/p/s.xml" --sample 2 > "$tmp/out" 2> "$tmp/err"
says "both values of a parameter" '^  locked 1.1$'; says "the first node that differs" 'first node that differs: g (grade), .*s.xml:4'
sed -i 's/contrast="1.2"/contrast="1.1"/' "$tmp/p/s.xml"
change "script" 's/Adds light/Adds lights/' sub/lift.lua 'script sub/lift.lua'
change "LUT" 's/0.9/0.8/' sub/l.cube 'file sub/l.cube'
change "source" 's/frames="5"/frames="5" seed="9"/' s.xml 'param plate.seed'

# Inputs: their files and what they decode to; by how much a picture differs, from what is still there of the locked one.
mkdir -p "$tmp/r"; cd "$tmp/r" || exit 1
awk 'BEGIN { for (i = 0; i < 32 * 18 * 4; i++) printf "%c", 40 + i * 7 % 80 }' > in.raw
cat > s.xml <<'X'
<graph version="1" name="r" fps="24">
  <read id="plate" file="in.raw" raw="32x18 gray 24" range="full" color="rec709"/>
  <pass id="neutral" kind="neutral" keep="always"><grade id="n" in="plate" exposure="0.1"/></pass>
  <pass id="look" kind="look" keep="always"><grade id="g" in="neutral" contrast="1.1"/></pass>
  <write id="e" in="look" file="out/e.####.exr"/>
  <write id="h" in="look" file="out/h.####.exr" depth="half"/>
  <write id="p" in="look" file="out/p.####.png"/>
  <write id="k" in="look" file="out/k.mkv" preset="ffv1"/>
  <write id="m" in="look" file="out/m.mov"/>
</graph>
X
"$in" lock s.xml > "$tmp/out" 2> "$tmp/err"; is "lock of a clip" $? 0
cp s.lock "$tmp/out"; says "its file" "^input plate sha256 $(sha256sum in.raw | cut -d' ' -f1) size 2304 files 1 path in.raw$"
says "its frames" '^decoded plate [0-9a-f]* frames 4 decoder rawvideo [0-9]*$'
says "a root and the pixels of a write" '^write e [0-9a-f]\{64\} pixels [0-9a-f]\{32\}$'; says "a root of a pass" '^pass look [0-9a-f]\{64\}$'
"$in" render s.xml --progress none 2> "$tmp/err"
"$in" verify s.xml --outputs > "$tmp/out" 2> "$tmp/err"; is "finished files" $? 0
for w in e h p k; do says "$w pixel for pixel" "write $w: 4 frames on disk are the locked ones, pixel for pixel"; done
says "a lossy clip by its key" 'write m: .* by root key'
find out passes -type f 2>/dev/null | sort | xargs sha256sum > "$tmp/files"
cp in.raw kept.raw; printf '\377' | dd of=in.raw bs=1 seek=1500 conv=notrunc 2> /dev/null   # a pixel of frame 3
"$in" verify s.xml > "$tmp/out" 2> "$tmp/err"; is "one pixel of one input is found" $? 11
says "the file is named" '^input plate$'; says "what it decodes to" '^decoded plate$'
says "the first node" 'first node that differs: plate (read), s.xml:2'
says "the first frame, and how many" 'first frame that differs: e, frame 3 (5 of 20)'
says "with the two lock lines" '^  now    frame e:000003 [0-9a-f]*$'
says "by how much, from the written file" 'by how much, from the locked e.0003.exr: max [0-9.]*, PSNR [0-9.]* dB'
says "and the first pass, from the cache" 'in pass neutral, from the cache: max [0-9.]*, PSNR [0-9.]* dB'
find out passes -type f 2>/dev/null | sort | xargs sha256sum | cmp -s - "$tmp/files"; is "no output was touched" $? 0
"$in" verify s.xml -F 1-2 > "$tmp/out" 2> "$tmp/err"; is "the input counts when its frame is not looked at" $? 11
says "and no frame differs" 'frames 4 decoder'; is "so none is named" "$(grep -c 'first frame' "$tmp/out")" 0
cp kept.raw in.raw; cp s.xml kept.xml
mv in.raw moved.raw; sed -i 's/in.raw/moved.raw/' s.xml
"$in" verify s.xml > "$tmp/out" 2> "$tmp/err"; is "the same input elsewhere is no difference" $? 0; says "it is noted" 'note: input plate lies elsewhere'
mv moved.raw in.raw; cp kept.xml s.xml
sed -i 's/contrast="1.1"/contrast="1.3"/' s.xml; rm -rf out/e.*
"$in" verify s.xml --sample 1 > "$tmp/out" 2> "$tmp/err"; says "without the file the cache tells" 'in pass look, from the cache: max'
rm -rf .interneg; "$in" verify s.xml --sample 1 > "$tmp/out" 2> "$tmp/err"; says "without both it says so" 'by how much: not known'
cp kept.xml s.xml; "$in" render s.xml --progress none 2> "$tmp/err"
printf '\1' | dd of=out/k.mkv bs=1 seek="$(($(stat -c %s out/k.mkv) / 2))" conv=notrunc 2> /dev/null
"$in" verify s.xml --outputs > "$tmp/out" 2> "$tmp/err"; is "a damaged clip" $? 11; says "is named" 'write k: '
"$in" lock s.xml > /dev/null 2>&1; sed -i 's/^format - 2/format - 1/' s.lock
"$in" verify s.xml > "$tmp/out" 2> "$tmp/err"; is "a lock of another format" $? 12
cd / || exit 1
rm "$tmp/p/s.lock"; "$in" verify "$tmp/p/s.xml" > "$tmp/out" 2> "$tmp/err"; is "no lock" $? 12
