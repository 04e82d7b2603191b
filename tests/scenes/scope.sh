#!/bin/sh
# scope.sh - scopes of scenes and clips as pictures; the same picture however it is computed; stills against other revisions.
# SPDX-License-Identifier: BSD-2-Clause
in=${INTERNEG:-./interneg}
tmp=$(mktemp -d /tmp/interneg-scope-XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
ok() { # name, status of the test
	[ "$2" = 0 ] && echo "ok scope $1" || echo "not ok scope $1: ${3:-}"
}
cat > "$tmp/s.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="s" fps="24" working="acescg">
  <pattern id="plate" kind="shot" width="320" height="180" frames="4"/>
  <pass id="look" kind="look">
    <grade id="g" in="plate" exposure="0.5"/>
  </pass>
  <scope id="wave" in="look" kind="parade" width="400" height="240"/>
  <scope id="vector" in="look" kind="vectorscope" width="300" height="300" range="full" bits="8"/>
  <scope id="false" in="plate" kind="false"/>
  <write id="w" in="look" file="w.mov" bits="10"/>
  <write id="hdr" in="look" file="hdr.mp4" preset="h265" color="pq"/>
</graph>
XML
"$in" check "$tmp/s.xml" > /dev/null 2> "$tmp/err"; ok "viewing nodes stand outside passes" $? "$(cat "$tmp/err")"
# one picture for threads, tiles, instruction sets, cache states and the oracle
for node in wave vector false; do
	first=
	for how in "--threads 1 --no-cache" "--threads 2 --tile 32" "--tile 256" "--isa baseline --no-cache" "--oracle" "--no-fuse"; do
		# shellcheck disable=SC2086
		"$in" still "$tmp/s.xml" "$node" -F 2 -o "$tmp/n.png" $how > /dev/null 2> "$tmp/err" || { first=failed; break; }
		sum=$(sha256sum < "$tmp/n.png")
		[ -z "$first" ] && first=$sum
		[ "$sum" = "$first" ] || { first="differs with $how"; break; }
	done
	case $first in differs*|failed) ok "$node: one hash" 1 "$first $(cat "$tmp/err")" ;; *) ok "$node: one hash" 0 ;; esac
done
all=waveform,overlay,parade,vectorscope,histogram,xy,uv,false,clipping,picture
first=
for how in "--threads 1" "--threads 2 --isa baseline"; do
	# shellcheck disable=SC2086
	"$in" scope "$tmp/s.xml" --kind $all --node hdr -F 3 -o "$tmp/all.png" $how > /dev/null 2> "$tmp/err"
	sum=$(sha256sum < "$tmp/all.png")
	[ -z "$first" ] && first=$sum
	[ "$sum" = "$first" ]; ok "ten scopes of a PQ write, $how" $? "$(cat "$tmp/err")"
done
"$in" scope "$tmp/s.xml" --kind wavform 2> "$tmp/err"; [ $? = 2 ] && grep -q "did you mean waveform" "$tmp/err"; ok "an unknown kind names the nearest" $?
"$in" scope "$tmp/s.xml" --zoom 99 2> "$tmp/err"; [ $? = 2 ]; ok "a zoom out of range is refused" $?
if command -v ffmpeg > /dev/null; then
	ffmpeg -v error -y -f lavfi -i "smptehdbars=size=320x180:rate=24:duration=0.2" -pix_fmt yuv422p10le -c:v ffv1 -colorspace bt709 -color_range tv "$tmp/bars.mkv"
	"$in" scope "$tmp/bars.mkv" --kind vectorscope,waveform -F 2 -o "$tmp/bars.png" > /dev/null 2> "$tmp/err"; ok "of a clip" $? "$(cat "$tmp/err")"
else
	echo "skip scope of a clip: no ffmpeg"
fi
# --- revisions ---
command -v git > /dev/null || { echo "skip scope revisions: no git"; exit 0; }
r=$tmp/repo; mkdir -p "$r/scenes"
g() { git -C "$r" -c user.name=t -c user.email=t@t -c init.defaultBranch=main "$@"; }
g init -q
cat > "$r/scenes/look.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="look">
  <input id="plate"/>
  <pass id="p" kind="look">
    <grade id="g" in="plate" exposure="0"/>
  </pass>
  <output id="out" in="p"/>
</graph>
XML
cat > "$r/scenes/scene.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="s" fps="24">
  <read id="plate" file="../clip.png" color="rec709" origin="ai"/>
  <use id="s1" graph="look.xml" plate="plate"/>
  <write id="w" in="s1" file="o.exr"/>
</graph>
XML
# the clip is not known to git; the used graph changes between the revisions
"$in" still "$tmp/s.xml" plate -o "$r/clip.png" > /dev/null
g add scenes && g commit -qm one
sed -i 's/exposure="0"/exposure="1"/' "$r/scenes/look.xml"; g commit -qam two
sed -i 's/exposure="1"/exposure="2"/' "$r/scenes/look.xml"
before=$(cd "$r" && find . -path ./.git -prune -o -path ./scenes/.interneg -prune -o -type f -print | LC_ALL=C sort | xargs sha256sum; g status --porcelain -uno; sha256sum < .git/index)
say=$("$in" still "$r/scenes/scene.xml" s1 --against HEAD:scenes/scene.xml --diff -o "$tmp/d.png" 2> "$tmp/err"); ok "against HEAD" $? "$(cat "$tmp/err")"
one=$(printf '%s\n' "$say" | sed -n 's/^against.*PSNR \([0-9.]*\) dB$/\1/p')
two=$("$in" still "$r/scenes/scene.xml" s1 --against HEAD~1:scenes/scene.xml --diff -o "$tmp/d.png" 2>&1 | sed -n 's/^against.*PSNR \([0-9.]*\) dB$/\1/p')
awk "BEGIN { exit !($one > $two + 2 && $two > 3) }"; ok "the used graph is the revision's own: $one dB to one stop, $two dB to two" $?
same=$("$in" still "$r/scenes/scene.xml" plate --against HEAD~1:scenes/scene.xml:plate -o "$tmp/d.png" 2>&1)
case $same in *equal*) ok "a point that did not change is equal" 0 ;; *) ok "a point that did not change is equal" 1 "$same" ;; esac
graded=$("$in" still "$r/scenes/scene.xml" plate --against HEAD~1:scenes/scene.xml:s1 -o "$tmp/d.png" 2>&1 | sed -n 's/.*largest R \([0-9.]*\).*/\1/p')
awk "BEGIN { exit !(\"$graded\" != \"\" && $graded < 1e-4) }"; ok "another node on the other side: exposure 0 is the plate" $? "$graded"
(cd "$r/scenes" && "$in" still scene.xml s1 --against HEAD:scene.xml -o "$tmp/d.png") > /dev/null 2> "$tmp/err"; ok "a path from the folder of the scene" $? "$(cat "$tmp/err")"
"$in" still "$r/scenes/scene.xml" s1 --against nope:scenes/scene.xml 2> "$tmp/err"; [ $? = 5 ] && grep -q "no revision nope" "$tmp/err"; ok "an unknown revision is told" $? "$(cat "$tmp/err")"
"$in" still "$r/scenes/scene.xml" s1 --against "--output=x:scenes/scene.xml" 2> "$tmp/err"; [ $? = 5 ] && [ ! -e x ]; ok "a revision is no option of git" $? "$(cat "$tmp/err")"
after=$(cd "$r" && find . -path ./.git -prune -o -path ./scenes/.interneg -prune -o -type f -print | LC_ALL=C sort | xargs sha256sum; g status --porcelain -uno; sha256sum < .git/index)
[ "$before" = "$after" ]; ok "nothing outside the cache was written" $?
[ -z "$(find "$r/scenes/.interneg/cache/rev" -mindepth 1 2> /dev/null)" ]; ok "the revision's tree is gone" $?
