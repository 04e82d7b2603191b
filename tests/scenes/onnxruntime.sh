#!/bin/sh
# onnxruntime.sh - networks of operators that only ONNX Runtime has: errors, the lock, memory; skips where there is no
# library (INTERNEG_ONNXRUNTIME names one, as out of the Python wheel). Nothing is fetched.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
say() { # good name why
	if [ "$1" = 0 ]; then echo "ok onnxruntime $2"; else echo "not ok onnxruntime $2: $3"; fi
}
scene() { # file width height attributes...
	f=$1 w=$2 h=$3; shift 3
	cat > "$tmp/$f" <<END
<graph version="1">
  <pattern id="plate" kind="shot" width="$w" height="$h" frames="3"/>
  <pass id="clean" kind="cleanup" keep="always"><neural id="bent" in="plate" process="denoise" lock="no" model="erf.onnx" $*/></pass>
  <write id="w" in="bent" file="out.####.png" preset="png"/>
</graph>
END
}
hash() { # file options...
	f=$1; shift
	"$INTERNEG" render "$tmp/$f" -F 1-3 --dry --no-cache --progress json "$@" 2>"$tmp/err" |
		sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p' | sort | tr '\n' ' '
}
# One node, Erf, over 3 channels of any size.
printf '\010\010B\002\020\021\072X\012\021\012\001x\022\001y\032\004bend\042\003Erf\022\003netZ\036\012\001x\022\031\012\027\010\001\022\023\012\003\022\001n\012\002\010\003\012\003\022\001h\012\003\022\001wb\036\012\001y\022\031\012\027\010\001\022\023\012\003\022\001n\012\002\010\003\012\003\022\001h\012\003\022\001w' > "$tmp/erf.onnx"
sha=$(sha256sum "$tmp/erf.onnx" | cut -c1-64)
by="backend=\"onnxruntime\""

scene a.xml 32 24 "model_sha256=\"$sha\""
"$INTERNEG" check "$tmp/a.xml" > "$tmp/out" 2>&1
[ $? = 5 ] && grep -q "Erf" "$tmp/out" && grep -q 'backend="onnxruntime" would run it' "$tmp/out"
say $? "an operator not known is named, with who would run it" "$(cat "$tmp/out")"
scene b.xml 32 24 "$by model_sha256=\"$sha\""
INTERNEG_ONNXRUNTIME=/nowhere.so "$INTERNEG" check "$tmp/b.xml" > "$tmp/out" 2>&1
[ $? = 5 ] && grep -q "/nowhere.so" "$tmp/out" && grep -q "wants ONNX Runtime" "$tmp/out"
say $? "a missing library is status 5 and says what is wanted" "$(cat "$tmp/out")"
INTERNEG_ONNXRUNTIME=$(ldd "$INTERNEG" | sed -n 's/.*=> \([^ ]*libz\.so[^ ]*\).*/\1/p') "$INTERNEG" check "$tmp/b.xml" > "$tmp/out" 2>&1
[ $? = 5 ] && grep -q "not ONNX Runtime" "$tmp/out"; say $? "another library is refused" "$(cat "$tmp/out")"

"$INTERNEG" check "$tmp/b.xml" > "$tmp/out" 2>&1
if [ $? = 5 ] && grep -q "wants ONNX Runtime" "$tmp/out"; then echo "skip onnxruntime: $(head -c 300 "$tmp/out" | tr '\n' ' ')"; exit 0; fi
"$INTERNEG" model "$tmp/erf.onnx" > "$tmp/out" 2>&1
[ $? = 0 ] && grep -q "$sha" "$tmp/out" && grep -q "^runs by .*onnxruntime" "$tmp/out"; say $? "model tells what it is" "$(cat "$tmp/out")"
scene d.xml 32 24 "$by"
"$INTERNEG" check "$tmp/d.xml" > "$tmp/out" 2>&1; [ $? = 4 ] && grep -q "$sha" "$tmp/out"; say $? "no pin is a finding that names the hash" "$(cat "$tmp/out")"
scene d.xml 32 24 "$by model_sha256=\"$(printf %064d 7)\""
"$INTERNEG" check "$tmp/d.xml" > "$tmp/out" 2>&1; [ $? = 12 ]; say $? "another model is status 12" "$(cat "$tmp/out")"
one=$(hash b.xml --threads 1) two=$(hash b.xml --threads 2) oracle=$(hash b.xml --oracle)
[ -n "$one" ] && [ "$one" = "$two" ] && [ "$one" = "$oracle" ]; say $? "threads and the oracle: the same bits here" "$one/ $two/ $oracle $(cat "$tmp/err")"
"$INTERNEG" lock "$tmp/b.xml" > "$tmp/out" 2>&1
grep -q '^outside bent/onnxruntime backend="onnxruntime": ONNX Runtime 1\.' "$tmp/b.lock" && grep -q "^model bent $sha" "$tmp/b.lock"
say $? "the lock names model, library and that it is outside the promise" "$(cat "$tmp/out"; grep 'outside\|model' "$tmp/b.lock")"
"$INTERNEG" verify "$tmp/b.xml" > "$tmp/out" 2>&1; say $? "and verifies" "$(cat "$tmp/out")"
scene e.xml 1100 700 "$by overlap=\"8\" model_sha256=\"$sha\""
scene f.xml 1100 700 "$by model_sha256=\"$sha\""
one=$(hash e.xml) two=$(hash f.xml)
[ -n "$one" ] && [ "$one" = "$two" ]; say $? "windows of a network that sees one pixel: no seam" "$one/ $two $(cat "$tmp/err")"
"$INTERNEG" plan "$tmp/f.xml" > "$tmp/out" 2>&1
awk '/codecs:/ {for (i = 1; i < NF; i++) if ($i == "codecs:") exit !($(i + 1) > 20)}' "$tmp/out"; say $? "its memory is in the plan" "$(cat "$tmp/out")"
ls -A "$tmp" | grep -qv '\.xml$\|\.onnx$\|\.lock$\|^out$\|^err$\|^passes$\|^\.interneg$'; [ $? = 1 ]
say $? "no other file appears" "$(ls -A "$tmp")"
exit 0
