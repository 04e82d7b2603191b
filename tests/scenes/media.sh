#!/bin/sh
# media.sh - read and write in whole scenes: replacing files, up-to-date files, missing frames, bad input, round trips.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
I=${INTERNEG:-$PWD/interneg}
data=$PWD/../shared/data
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
say() { if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2: $(head -c 400 "$tmp/err" | tr '\n' ' ')"; fi; }
scene() { # name, then the elements on stdin
	{ echo '<?xml version="1.0" encoding="UTF-8"?>'; echo '<graph version="1" name="t" fps="24">'; cat; echo '</graph>'; } > "$tmp/$1.xml"
}
run() { # scene options... ; leaves rc
	s=$1; shift
	timeout 60 "$I" render "$tmp/$s.xml" --progress none "$@" > "$tmp/out" 2> "$tmp/err"
	rc=$?
}

scene one <<'X'
<pattern id="p" kind="bars" width="64" height="48" frames="4"/>
<write id="w" in="p" file="o/c.mov"/>
<write id="e" in="p" file="o/e.####.exr"/>
<write id="g" in="p" file="o/g.%03d.png" bits="8"/>
X
run one
[ $rc -eq 0 ] && [ -s "$tmp/o/c.mov" ] && [ -s "$tmp/o/e.0004.exr" ] && [ -s "$tmp/o/g.001.png" ]
say $? "a clip and two sequences are written"
[ -z "$(find "$tmp/o" -name '.*.tmp*')" ]; say $? "no temporary file stays"
before=$(stat -c '%i %Y %Z' "$tmp/o/c.mov")
sum=$(sha256sum < "$tmp/o/c.mov")
run one
[ $rc -eq 0 ] && [ "$before" = "$(stat -c '%i %Y %Z' "$tmp/o/c.mov")" ]; say $? "an up-to-date clip is left alone"
rm "$tmp/o/c.mov"; run one
[ "$sum" = "$(sha256sum < "$tmp/o/c.mov")" ]; say $? "written again it has the same bytes"
echo mine > "$tmp/o/c.mov"; run one
[ $rc -eq 9 ] && grep -q -e --overwrite "$tmp/err" && [ "$(cat "$tmp/o/c.mov")" = mine ]; say $? "a file of someone else's is not replaced"
run one --overwrite
[ $rc -eq 0 ] && [ "$sum" = "$(sha256sum < "$tmp/o/c.mov")" ]; say $? "but with --overwrite it is"
sed 's/kind="bars"/kind="ramp"/' "$tmp/one.xml" > "$tmp/two.xml"; run two
[ $rc -eq 0 ] && [ "$sum" != "$(sha256sum < "$tmp/o/c.mov")" ]; say $? "an older file of ours is replaced"

# What was written is read back.
scene back <<'X'
<read id="c" file="o/c.mov"/><read id="e" file="o/e.####.exr"/><read id="g" file="o/g.%03d.png"/>
<write id="w" in="c" file="b/c.####.png" bits="8" dither="none"/>
<write id="x" in="g" file="b/g.####.png" bits="8" dither="none"/>
<write id="y" in="e" file="b/e.####.png" bits="8" dither="none"/>
X
run back
[ $rc -eq 0 ]; say $? "clips and sequences of ours are read back"
"$I" probe "$tmp/o/e.####.exr" > "$tmp/err" 2>&1; grep -q 'acescg' "$tmp/err"; say $? "the EXR files are in the working space and say so"

# Gaps.
rm -f "$tmp/o/e.0002.exr"
for m in error black hold; do
	scene gap <<X
<read id="e" file="o/e.####.exr" missing="$m"/><write id="w" in="e" file="gap-$m/x.####.exr"/>
X
	run gap
	case $m in
	error) [ $rc -ne 0 ] && grep -q 'no sound file for frame 2' "$tmp/err"; say $? "a gap in a sequence is an error" ;;
	*) [ $rc -eq 0 ] && [ -s "$tmp/gap-$m/x.0002.exr" ]; say $? "or $m" ;;
	esac
done

echo junk > "$tmp/o/e.0003.exr"
scene gap <<X
<read id="e" file="o/e.####.exr" missing="hold"/><write id="w" in="e" file="gap-junk/x.####.exr"/>
X
run gap
[ $rc -eq 0 ] && grep -q 'e.0003.exr.*missing' "$tmp/err" && [ -s "$tmp/gap-junk/x.0003.exr" ]; say $? "a damaged file of a sequence counts as missing"

# Trim, first, outside.
scene trim <<'X'
<read id="c" file="o/c.mov" first="1001" trim_first="1002" trim_last="1003"/><write id="w" in="c" file="trim/x.####.png"/>
X
run trim
[ $rc -eq 0 ] && [ "$(ls "$tmp/trim" | tr '\n' ' ')" = "x.1002.png x.1003.png " ]; say $? "first and trim number the frames"
scene hold <<'X'
<read id="c" file="o/c.mov" trim_last="2" outside="hold"/><write id="w" in="c" file="hold/x.####.png"/>
X
run hold -F 1-6
[ $rc -eq 0 ] && cmp -s "$tmp/hold/x.0002.png" "$tmp/hold/x.0006.png"; say $? "outside=hold goes on for ever"

# Parameters that are wrong.
bad() { # name attributes status words
	printf '<read id="c" file="o/c.mov" %s/><write id="w" in="c" file="bad.mov"/>\n' "$2" | scene bad
	run bad
	[ $rc -eq "$3" ] && grep -q -- "$4" "$tmp/err" && [ ! -e "$tmp/bad.mov" ]; say $? "$1"
}
bad "an unknown colour space is named with its nearest" 'color="rec79"' 3 'rec709'
bad "a trim beyond the clip is refused" 'trim_last="99"' 3 '1-4'
bad "a rate that is none is refused" 'fps="fast"' 3 'fps='
bad "a video stream that is not there is refused" 'stream="3"' 5 'no video stream 3'
printf '<pattern id="p" width="16" height="16" frames="1"/><write id="w" in="p" file="x.avi"/>\n' | scene bad
run bad; [ $rc -eq 3 ] && grep -q ending "$tmp/err"; say $? "an ending without a preset is refused"
printf '<pattern id="p" width="16" height="16" frames="2"/><write id="w" in="p" file="x.png"/>\n' | scene bad
run bad; [ $rc -ne 0 ] && grep -q '####' "$tmp/err"; say $? "two frames into one PNG are refused"

# Input that is bad.
: > "$tmp/empty.mp4"; echo "hello there, this is no clip" > "$tmp/text.mp4"; head -c 3000 "$tmp/o/c.mov" > "$tmp/cut.mov"
for f in empty.mp4 text.mp4 cut.mov none.mp4; do
	printf '<read id="c" file="%s"/><write id="w" in="c" file="bad.mov"/>\n' "$f" | scene bad
	run bad; { [ $rc -eq 5 ] || [ $rc -eq 3 ]; } && grep -q "$f" "$tmp/err"; say $? "$f ends in a message that names it"
done
if [ -d "$data/robust" ]; then
	n=0; worst=""
	for f in "$data"/robust/mp4/* "$data"/robust/png/*; do
		printf '<read id="c" file="%s" missing="black"/><write id="w" in="c" file="r/x.####.png"/>\n' "$f" | scene robust
		sed -i 's/ fps="24"//' "$tmp/robust.xml"
		if [ -n "${SANITIZED:-}" ]; then lim=:; else lim='ulimit -v 1500000'; fi
		(eval "$lim"; timeout 20 "$I" render "$tmp/robust.xml" --threads 1 --overwrite --progress none) > "$tmp/out" 2> "$tmp/err"
		rc=$?
		case $rc in 0|3|5|6|7) n=$((n + 1)) ;; *) worst="$worst $(basename "$f"):$rc" ;; esac
	done
	[ -z "$worst" ]; say $? "$n damaged and odd files render or end in their status$worst"
	printf '<read id="c" file="%s/live/CiscoVT2people_320x192_12fps.yuv"/><write id="w" in="c" file="y.mov"/>\n' "$data" | scene bad
	run bad; [ $rc -eq 5 ] && grep -q 'raw="320x192 yuv420p 12"' "$tmp/err"; say $? "a headerless file is refused with the hint"
	sed 's|\.yuv"|.yuv" raw="320x192 yuv420p 12" fps="24"|' "$tmp/bad.xml" > "$tmp/raw.xml"
	run raw; [ $rc -eq 0 ] && [ -s "$tmp/y.mov" ]; say $? "and read with raw="
else
	echo "skip media robust: no ../shared/data"
fi
