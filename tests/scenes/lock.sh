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
change "script" 's/Adds light/Adds lights/' sub/lift.lua 'script sub/lift.lua'
change "LUT" 's/0.9/0.8/' sub/l.cube 'file sub/l.cube'
change "source" 's/frames="5"/frames="5" seed="9"/' s.xml 'param plate.seed'
rm "$tmp/p/s.lock"; "$in" verify "$tmp/p/s.xml" > "$tmp/out" 2> "$tmp/err"; is "no lock" $? 12
