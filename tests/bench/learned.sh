#!/bin/sh
# learned.sh - upscale method="learned" at 2, 3 and 4 times on a 448x256 frame: CPU milliseconds a megapixel of source, against
# the 16-block network (8 times as fast is the aim) and lanczos3. The source is timed alone and taken off.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
net=
for d in "$root/../shared/data" /work/shared/data; do [ -n "$net" ] || net=$(ls "$d/weights/realesr-animevideov3-x4.param" 2> /dev/null); done
W=448 H=256
# NAME NODE ATTRIBUTES: writes the scene, and makes NAME the function that renders so many frames of its node.
subject() {
	printf '<graph version="1" fps="24"><pattern id="src" kind="shot" width="%d" height="%d" frames="400"/>' $W $H > "$tmp/$1.xml"
	printf '<pass id="p" kind="detail"><upscale id="up" in="src" %s/></pass></graph>' "$3" >> "$tmp/$1.xml"
	eval "$1() { run $1 \"\$in\" render \"\$tmp/$1.xml\" --only $2 -F \"1-\$1\" --no-cache --threads 1 --progress none; }"
}
subject src src 'scale="2"'
subjects=src
for k in 2 3 4; do
	subject l$k up "scale=\"$k\" method=\"learned\""
	subject z$k up "scale=\"$k\" method=\"lanczos3\""
	subjects="$subjects l$k z$k"
done
[ -z "$net" ] || subject nn up "method=\"neural\" model=\"$net\" model_sha256=\"$("$in" model "$net" | sed -n 's/^sha256 *//p')\" scale=\"0\""
for _ in $(seq "$PAIRS"); do
	for f in $subjects; do sample $f 5 25 || exit 1; done
	[ -z "$net" ] || sample nn 1 2 || exit 1
done
for f in ${subjects#src}; do
	note "$f: $(awk -v u="$(net $f src cpu)" -v p=$((W * H)) 'BEGIN {printf "%.0f", u * 1000 / p}') ms CPU a source megapixel"
done
for k in 4 3 2; do
	[ -n "$net" ] || { skip "learned x$k against 16 blocks" "no ../shared/data/weights"; continue; }
	result "learned x$k, 1 thread, CPU, against 16 blocks" "$(ms "$(net l$k src cpu)")" "$(ms "$(net nn src cpu)")" "$(ratio "$(net nn src cpu)" "$(net l$k src cpu)")" 8
done
result "learned x2, 1 thread, CPU, against lanczos3" "$(ms "$(net l2 src cpu)")" "$(ms "$(net z2 src cpu)")" "$(ratio "$(net z2 src cpu)" "$(net l2 src cpu)")" -
