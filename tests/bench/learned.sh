#!/bin/sh
# learned.sh - upscale method="learned" at 2, 3 and 4 times on a 448x256 frame: CPU milliseconds a megapixel of source, against
# the 16-block network (8 times as fast is the aim) and lanczos3. The source is timed alone and taken off.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
weights=
for d in "$root/../shared/data/weights" /work/shared/data/weights; do [ -z "$weights" ] && [ -r "$d" ] && weights=$d; done
W=448 H=256 net=$weights/realesr-animevideov3-x4.param
scene() { # name attributes
	cat > "$tmp/$1.xml" <<END
<graph version="1" fps="24">
  <pattern id="src" kind="shot" width="$W" height="$H" frames="400"/>
  <pass id="p" kind="detail"><upscale id="up" in="src" $2/></pass>
</graph>
END
}
ours() { run "$1" "$in" render "$tmp/$2.xml" --only "$3" -F "1-$4" --no-cache --threads 1 --progress none; }
for k in 2 3 4; do
	scene "l$k" "scale=\"$k\" method=\"learned\""
	scene "z$k" "scale=\"$k\" method=\"lanczos3\""
done
src() { ours src l2 src "$1"; }
l2() { ours l2 l2 up "$1"; }
l3() { ours l3 l3 up "$1"; }
l4() { ours l4 l4 up "$1"; }
z2() { ours z2 z2 up "$1"; }
z4() { ours z4 z4 up "$1"; }
nn() { ours nn nn up "$1"; }
if [ -n "$weights" ]; then
	sha=$("$in" model "$net" | sed -n 's/^sha256 *//p')
	scene nn "method=\"neural\" model=\"$net\" model_sha256=\"$sha\" scale=\"0\""
fi
for _ in $(seq "$PAIRS"); do
	for f in src l2 l3 l4 z2 z4; do sample $f 5 25 || exit 1; done
	[ -z "$weights" ] || sample nn 1 2 || exit 1
done
for f in l2 l3 l4 z2 z4; do
	note "$f: $(awk -v u="$(net $f src cpu)" -v p=$((W * H)) 'BEGIN {printf "%.0f", u * 1000 / p}') ms CPU a source megapixel"
done
if [ -n "$weights" ]; then
	result "learned x4, 1 thread, CPU, against 16 blocks" "$(ms "$(net l4 src cpu)")" "$(ms "$(net nn src cpu)")" "$(ratio "$(net nn src cpu)" "$(net l4 src cpu)")" 8
	result "learned x2, 1 thread, CPU, against 16 blocks" "$(ms "$(net l2 src cpu)")" "$(ms "$(net nn src cpu)")" "$(ratio "$(net nn src cpu)" "$(net l2 src cpu)")" 8
else skip "learned against 16 blocks" "no ../shared/data/weights"; fi
result "learned x2, 1 thread, CPU, against lanczos3" "$(ms "$(net l2 src cpu)")" "$(ms "$(net z2 src cpu)")" "$(ratio "$(net z2 src cpu)" "$(net l2 src cpu)")" -
