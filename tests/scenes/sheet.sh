#!/bin/sh
# sheet.sh - the wall of shots, and review copies: what is burnt in, and which keys it enters.
# SPDX-License-Identifier: BSD-2-Clause
in=${INTERNEG:-./interneg}
tmp=$(mktemp -d /tmp/interneg-sheet-XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
ok() { [ "$2" = 0 ] && echo "ok sheet $1" || echo "not ok sheet $1: ${3:-}"; }
cat > "$tmp/look.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="look">
  <input id="plate"/>
  <pass id="p" kind="look"><grade id="g" in="plate"/></pass>
  <output id="out" in="p"/>
</graph>
XML
cat > "$tmp/s.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="s" fps="24">
  <pattern id="a" kind="shot" width="320" height="180" frames="9" first="11"/>
  <pattern id="b" kind="shot" width="320" height="180" frames="5" variant="1"/>
  <pattern id="grey" kind="constant" width="320" height="180" frames="5" colour="0.5 0.5 0.5"/>
  <use id="s010" graph="look.xml" plate="a"/>
  <use id="s020" graph="look.xml" plate="b"><set node="g" exposure="0.5"/></use>
  <pass id="warm" kind="look"><grade id="w" in="grey" temperature="20"/></pass>
  <write id="second" in="s020" file="b.mov"/>
  <write id="third" in="warm" file="c.mov"/>
  <write id="copy" in="s020" file="copy.mp4" preset="review"/>
</graph>
XML
"$in" sheet "$tmp/s.xml" -o "$tmp/sheet.png" > "$tmp/out" 2> "$tmp/err"; ok "a scene's shots" $? "$(cat "$tmp/err")"
names=$(sed -n 's/^\([a-z0-9]*\)  frame \([0-9]*\):.*/\1:\2/p' "$tmp/out" | tr '\n' ' ')
[ "$names" = "s020:3 third:3 s010:15 " ]; ok "shots in cut order, each once, by its middle frame" $? "$names"
# grey made 20 mired warmer is warmer by 20 mired and has no skin
awk '/^third/ { for (i = 1; i <= NF; i++) if ($i == "mired") m = $(i - 1); exit !(m > 19 && m < 21) }' "$tmp/out"; ok "the white point of a known grade" $? "$(grep ^third "$tmp/out")"
"$in" sheet "$tmp/s.xml" --columns 1 --width 160 -o "$tmp/one.png" > /dev/null
size=$(od -An -tu1 -j16 -N8 "$tmp/one.png" | awk '{ print $3*256+$4 "x" $7*256+$8 }')
[ "$size" = "176x416" ]; ok "one column of 160 pixels" $? "$size"
# references: what a match reads as one, and --reference; before the shots
sed 's|<write id="third"|<pass id="m" kind="neutral"><match id="mm" in="b" reference="a"/></pass>&|' "$tmp/s.xml" > "$tmp/r.xml"
"$in" sheet "$tmp/r.xml" --reference "$tmp/one.png" -o "$tmp/ref.png" > "$tmp/out" 2> "$tmp/err"
names=$(sed -n 's/  frame.*//p' "$tmp/out" | tr '\n' ',')
[ "$names" = "reference a,reference one.png,s020,third,s010," ]; ok "references beside the shots" $? "$names $(cat "$tmp/err")"
a=$(sha256sum < "$tmp/sheet.png"); "$in" sheet "$tmp/s.xml" --threads 1 --isa baseline --no-cache -o "$tmp/sheet.png" > /dev/null
[ "$a" = "$(sha256sum < "$tmp/sheet.png")" ]; ok "one hash" $?
# --- review ---
key() { "$in" plan "$tmp/s.xml" --only "$1" --json 2> /dev/null | sha256sum; }
still() { "$in" still "$tmp/s.xml" "$@" > /dev/null 2> "$tmp/err"; }
command -v git > /dev/null || { echo "skip sheet review: no git"; exit 0; }
g() { git -C "$tmp" -c user.name=t -c user.email=t@t -c init.defaultBranch=main "$@" > /dev/null; }
g init -q; printf '*.png\n*.mp4\n*.mov\nout\nerr\n.interneg\n' > "$tmp/.gitignore"; g add .; g commit -qm one
still copy -o "$tmp/1.png"; ok "a review frame" $? "$(cat "$tmp/err")"
still second -o "$tmp/plain.png"
"$in" still "$tmp/s.xml" copy --against second -F 3 -o "$tmp/d.png" 2> /dev/null | grep -q "largest"; ok "text is burnt in" $?
mid=$("$in" still "$tmp/s.xml" copy --crop 320,100 -o "$tmp/m1.png" > /dev/null; "$in" still "$tmp/s.xml" second --crop 320,100 -o "$tmp/m2.png" > /dev/null; cmp "$tmp/m1.png" "$tmp/m2.png" 2>&1)
[ -z "$mid" ]; ok "the middle of the picture is untouched" $? "$mid"
"$in" render "$tmp/s.xml" --only copy,second > /dev/null 2> "$tmp/err"; ok "renders" $? "$(cat "$tmp/err")"
again() { "$in" plan "$tmp/s.xml" --only "$1" 2> /dev/null | grep -q "^$1 .*up to date"; }
again copy && again second; ok "both are up to date" $? "$("$in" plan "$tmp/s.xml" --only copy 2>&1 | tail -4)"
touch "$tmp/note"; g add note; g commit -qm two
again second; ok "a new revision leaves other writes up to date" $?
! again copy; ok "a new revision is a new review copy" $?
"$in" render "$tmp/s.xml" --only copy > /dev/null 2>&1; still copy -o "$tmp/2.png"
"$in" approve "$tmp/s.xml" --shot s020 --pass p --by t --role client > /dev/null 2> "$tmp/err"; ok "approves" $? "$(cat "$tmp/err")"
still copy -o "$tmp/3.png"; ! cmp -s "$tmp/2.png" "$tmp/3.png"; ok "the approval is shown" $?
"$in" lock "$tmp/s.xml" > /dev/null 2> "$tmp/err"; g add .; g commit -qm three
"$in" verify "$tmp/s.xml" > "$tmp/out" 2>&1; ok "lock and verify do not depend on the revision" $? "$(tail -2 "$tmp/out")"
# timecodes: the record's starts at an hour, the source's at its own first frame
cat > "$tmp/t.xml" <<'XML'
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="t" fps="24">
  <pattern id="a" kind="constant" width="320" height="60" frames="30" first="11"/>
  <burnin id="marks" in="a" top_left="{source_tc}" top_right="" bottom_left="" bottom_right="" opacity="0"/>
  <burnin id="plain" in="a" top_left="00:00:01:01" top_right="" bottom_left="" bottom_right="" opacity="0"/>
  <burnin id="rec" in="a" top_left="{tc} {frame}" top_right="" bottom_left="" bottom_right="" opacity="0" start="10:00:00:23"/>
  <burnin id="rec_plain" in="a" top_left="10:00:02:00 36" top_right="" bottom_left="" bottom_right="" opacity="0"/>
  <write id="w" in="marks" file="w.png"/>
</graph>
XML
for pair in "marks plain" "rec rec_plain"; do
	set -- $pair
	"$in" still "$tmp/t.xml" "$1" -F 36 -o "$tmp/a.png" > /dev/null 2> "$tmp/err" && "$in" still "$tmp/t.xml" "$2" -F 36 -o "$tmp/b.png" > /dev/null && cmp -s "$tmp/a.png" "$tmp/b.png"
	ok "timecode of $1" $? "$(cat "$tmp/err")"
done
# a source's own timecode, of a clip and of EXR files, with dropped numbers, trimmed, at more than 39 frames a second
own() { # name label-of-the-first read-attributes fps pattern-attributes
	cat > "$tmp/o.xml" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="o" fps="$4">
  <read id="a" $3/>
  <burnin id="marks" in="a" top_left="{source_tc}" top_right="" bottom_left="" bottom_right="" opacity="0"/>
  <burnin id="plain" in="a" top_left="$2" top_right="" bottom_left="" bottom_right="" opacity="0"/>
  <write id="w" in="marks" file="w.png"/>
</graph>
XML
	"$in" still "$tmp/o.xml" marks -o "$tmp/a.png" > /dev/null 2> "$tmp/err" && "$in" still "$tmp/o.xml" plain -o "$tmp/b.png" > /dev/null 2>> "$tmp/err" && cmp -s "$tmp/a.png" "$tmp/b.png"
	ok "$1" $? "$(cat "$tmp/err")"
}
take() { # file fps frames first write-attributes
	cat > "$tmp/k.xml" <<XML
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="k" fps="$2">
  <pattern id="a" kind="constant" width="320" height="60" frames="$3" first="$4"/>
  <write id="w" in="a" file="$1" $5/>
</graph>
XML
	"$in" render "$tmp/k.xml" --overwrite > /dev/null 2> "$tmp/err" || ok "$1 written" 1 "$(cat "$tmp/err")"
}
take tc.mov 24 9 1 'preset="master-prores" timecode="13:20:59:22"'
"$in" probe "$tmp/tc.mov" | grep -q "timecode *13:20:59:22"; ok "probe tells the timecode" $?
own "a clip's own timecode" 13:21:00:02 'file="tc.mov"' 24
own "a trimmed clip's own timecode" 13:21:00:03 'file="tc.mov" trim_first="3"' 24
take drop.mov 30000/1001 5 1 'preset="master-prores" timecode="00:00:59;28"'
own "dropped numbers" '00:01:00;02' 'file="drop.mov"' 30000/1001
take e.####.exr 24 3 1001 ''
own "timecode of EXR files" 00:00:41:18 'file="e.####.exr"' 24
take f.####.exr 60 3 119 ''
own "pairs of frames in EXR files" 00:00:02:00 'file="f.####.exr"' 60
