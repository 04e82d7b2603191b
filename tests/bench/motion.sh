#!/bin/sh
# motion.sh - optical flow of photographs moved by known warps (sigma 2 noise, 1280x720): end-point error in pixels and CPU
# milliseconds of one thread beside OpenCV's dense inverse search, where PYTHON (default python3) has cv2 and numpy.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
PYTHON=${PYTHON:-python3}
images=
for d in "$root/../shared/data/grain" /work/shared/data/grain; do
	[ -z "$images" ] && [ -r "$d/kodak_03.png" ] && images="$d/kodak_03.png $d/kodak_07.png $d/kodak_20.png $d/kodak_23.png"
done
[ -n "$images" ] || { skip "motion" "no ../shared/data/grain"; exit 0; }
"$PYTHON" -c 'import cv2, numpy; cv2.DISOpticalFlow_create' 2> /dev/null || { skip "motion against OpenCV" "$PYTHON has no cv2"; exit 0; }
# shellcheck disable=SC2046
$CC -std=c11 -O2 -D_GNU_SOURCE -I"$root/core" -o "$tmp/motion" "$bench/motion.c" "$root/build/libinterneg.a" \
	$(pkg-config --libs libxml-2.0 lua5.4 nettle libpng libxxhash libdeflate zlib) -lOpenEXRCore-3_1 -pthread -lm -rdynamic || exit 1
# shellcheck disable=SC2086
"$PYTHON" "$bench/motion_peer.py" "$tmp/motion" "$tmp" $images > "$tmp/out" || exit 1
while read -r w q oe pe om pm; do
	t=-
	[ "$q" = medium ] && t=0.95
	result "motion $w $q, error in px" "$oe" "$pe" "$(awk -v a="$pe" -v b="$oe" 'BEGIN {printf "%.2f", a / b}')" $t ge
	result "motion $w $q, CPU ms" "$om" "$pm" "$(awk -v a="$pm" -v b="$om" 'BEGIN {printf "%.2f", a / b}')" $t ge
done < "$tmp/out"
