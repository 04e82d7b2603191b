#!/bin/sh
# neural.sh - upscaling by a network: one hash over threads, tiles, instruction sets and the oracle; pins; colour.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
weights=
for d in ../shared/data/weights /work/shared/data/weights; do [ -z "$weights" ] && [ -r "$d" ] && weights=$(cd "$d" && pwd); done
if [ -z "$weights" ]; then echo "skip neural: no ../shared/data/weights"; exit 0; fi
isas="baseline"
grep -qw avx2 /proc/cpuinfo && isas="$isas avx2"
grep -qw avx512f /proc/cpuinfo && isas="$isas avx512"
say() { # good name why
	if [ "$1" = 0 ]; then echo "ok neural $2"; else echo "not ok neural $2: $3"; fi
}
pin() { "$INTERNEG" model "$1" 2>/dev/null | sed -n 's/^sha256 *//p'; }
scene() { # file width height model attributes...
	f=$1 w=$2 h=$3 file=$4; shift 4
	cat > "$tmp/$f" <<END
<graph version="1">
  <pattern id="plate" kind="shot" width="$w" height="$h" frames="2"/>
  <pass id="detail" kind="detail" keep="always">
    <upscale id="up" in="plate" method="neural" model="$file" $*/>
  </pass>
  <write id="w" in="up" file="out.####.png" preset="png"/>
</graph>
END
}
hash() { # file options...
	f=$1; shift
	"$INTERNEG" render "$tmp/$f" -F 1 --dry --no-cache --progress json "$@" 2>"$tmp/err" |
		sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p'
}

m=$weights/realesr-animevideov3-x4.param
sha=$(pin "$m")
scene a.xml 45 37 "$m" "scale=\"0\" model_sha256=\"$sha\""
want=$(hash a.xml --oracle --threads 1)
[ -n "$want" ]; say $? "the oracle renders it" "$(head -1 "$tmp/err")"
for o in "--threads 1 --tile 32" "--threads 2 --tile 40" "--threads 7 --tile 256" "--threads 2 --tile 100000" "--threads 2" \
	"--threads 2 --no-fuse"; do
	got=$(hash a.xml $o)
	[ "$got" = "$want" ]; say $? "$o: difference 0" "$got is not $want $(head -1 "$tmp/err")"
done
scene b.xml 21 13 "$weights/waifu2x_upconv7_photo_x2.param" "scale=\"0\" model_sha256=\"$(pin "$weights/waifu2x_upconv7_photo_x2.param")\""
for s in a b; do
	want=$(hash $s.xml --isa baseline)
	for i in $isas; do
		got=$(hash $s.xml --isa $i)
		[ -n "$got" ] && [ "$got" = "$want" ]; say $? "scene $s isa $i" "$got is not $want $(head -1 "$tmp/err")"
	done
done

# pins
scene p.xml 16 16 "$m" "scale=\"2\""
"$INTERNEG" check "$tmp/p.xml" >"$tmp/out" 2>&1; [ $? = 4 ] && grep -q "$sha" "$tmp/out"; say $? "no pin is a finding that names the hash" "$(cat "$tmp/out")"
scene p.xml 16 16 "$m" "scale=\"2\" model_sha256=\"$(printf %064d 7)\""
"$INTERNEG" check "$tmp/p.xml" >"$tmp/out" 2>&1; [ $? = 12 ]; say $? "another model is status 12" "$(cat "$tmp/out")"
"$INTERNEG" render "$tmp/p.xml" --progress none >"$tmp/out" 2>&1; [ $? = 12 ]; say $? "and is not rendered" "$(cat "$tmp/out")"
scene p.xml 16 16 "$m" "scale=\"2\" model_sha256=\"$sha\""
"$INTERNEG" lock "$tmp/p.xml" >"$tmp/out" 2>&1; grep -q "^model up $sha" "$tmp/p.lock"; say $? "the lock has the model" "$(cat "$tmp/out" "$tmp/p.lock" | head -5)"
scene p.xml 16 16 "$m" "scale=\"2\" overlap=\"8\" model_sha256=\"$sha\""
"$INTERNEG" check "$tmp/p.xml" >"$tmp/out" 2>&1; [ $? = 3 ] && grep -q "overlap=" "$tmp/out"; say $? "overlap= is refused where nothing reads it" "$(cat "$tmp/out")"

# the other backend: outside the promise, and close
scene q.xml 45 37 "$m" "scale=\"0\" backend=\"fast\" model_sha256=\"$sha\""
if "$INTERNEG" lock "$tmp/q.xml" >"$tmp/out" 2>&1; then
	grep -q '^outside up/fast backend="fast": oneDNN' "$tmp/q.lock"; say $? "backend fast stands in the lock, outside the promise" "$(grep outside "$tmp/q.lock")"
	"$INTERNEG" verify "$tmp/q.xml" >"$tmp/out" 2>&1; say $? "and verifies" "$(cat "$tmp/out")"
	one=$(hash q.xml --threads 1) two=$(hash q.xml --threads 2)
	[ -n "$one" ] && [ "$one" = "$two" ]; say $? "its bits do not depend on threads here" "$one $two"
elif grep -q libdnnl "$tmp/out"; then echo "skip neural backend fast: $(head -1 "$tmp/out")"
else say 1 "backend fast" "$(cat "$tmp/out")"; fi

# bad models
printf '7767517\n2 2\nInput in 0 1 a\nFrobnicate f1 1 1 a b\n' > "$tmp/bad.param"; : > "$tmp/bad.bin"
"$INTERNEG" model "$tmp/bad.param" >"$tmp/out" 2>&1; [ $? = 5 ] && grep -q "Frobnicate" "$tmp/out"; say $? "an unknown layer is named" "$(cat "$tmp/out")"
head -c 1000 "$weights/realesr-animevideov3-x4.bin" > "$tmp/cut.bin"; cp "$m" "$tmp/cut.param"
"$INTERNEG" model "$tmp/cut.param" >"$tmp/out" 2>&1; [ $? = 5 ] && grep -q "end early" "$tmp/out"; say $? "cut weights are refused" "$(cat "$tmp/out")"
exit 0
