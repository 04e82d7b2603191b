#!/bin/sh
# neural.sh - networks of 16 and 32 blocks on a 448x256 frame: CPU milliseconds a megapixel of source and GFLOP/s, beside
# ncnn and ONNX Runtime wheels where PYTHON (default python3) has them, and backend fast where oneDNN is; two threads
# against one. The source is timed alone
# and taken off; a frame includes the plain resample, the low-frequency lock and what ncnn does not do.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
PYTHON=${PYTHON:-python3}
weights=
for d in "$root/../shared/data/weights" /work/shared/data/weights; do [ -z "$weights" ] && [ -r "$d" ] && weights=$d; done
[ -n "$weights" ] || { skip "neural" "no ../shared/data/weights"; exit 0; }
W=448 H=256
scene() { # name model backend
	sha=$("$in" model "$2" | sed -n 's/^sha256 *//p')
	cat > "$tmp/$1.xml" <<END
<graph version="1" fps="24">
  <pattern id="src" kind="shot" width="$W" height="$H" frames="100"/>
  <pass id="p" kind="detail"><upscale id="up" in="src" method="neural" model="$2" model_sha256="$sha" scale="0" backend="$3"/></pass>
</graph>
END
}
ours() { run "$1" "$in" render "$tmp/$2.xml" --only "$3" -F "1-$5" --no-cache --threads "$4" --progress none; }
ncnn() { # name model threads frames
	run "$1" "$PYTHON" "$bench/neural_peer.py" "$2" $W $H "$3" "$4"
}
peer=
"$PYTHON" -c 'import ncnn, numpy' 2> /dev/null && peer=1
fast=
ldconfig -p 2> /dev/null | grep -q libdnnl.so.2 && fast=1
net16=$weights/realesr-animevideov3-x4 net32=$weights/realesr-general-x4v3
for b in ${BLOCKS:-16 32}; do
	eval model=\$net$b
	scene n$b "$model.param" exact
	scene f$b "$model.param" fast
	gflop=$("$in" model "$model.param" | awk '/^cost/ {print $2 * 2e-9}')
	one() { ours one n$b up 1 "$1"; }
	two() { ours two n$b up 2 "$1"; }
	quick() { ours quick f$b up 1 "$1"; }
	src() { ours src n$b src 1 "$1"; }
	nc() { ncnn nc "$model" 1 "$1"; }
	rm -f "$tmp"/*.s
	for _ in $(seq "$PAIRS"); do
		for f in one two src; do sample $f 1 3 || exit 1; done
		[ -z "$peer" ] || sample nc 1 3 || exit 1
		[ -z "$fast" ] || sample quick 1 3 || exit 1
	done
	us=$(net one src cpu)
	note "$b blocks: $(awk -v u="$us" -v p=$((W * H)) 'BEGIN {printf "%.0f", u * 1000 / p}') ms CPU a source megapixel, $(awk -v g="$gflop" -v u="$us" -v p=$((W * H)) 'BEGIN {printf "%.0f", g * p * 1e6 / u}') GFLOP/s as a direct convolution counts them"
	if [ -n "$peer" ]; then result "neural $b blocks, 1 thread, CPU, against ncnn" "$(ms "$us")" "$(ms "$(med nc cpu)")" "$(ratio "$(med nc cpu)" "$us")" 1
	else skip "neural $b blocks against ncnn" "$PYTHON has no ncnn"; fi
	if [ -n "$fast" ]; then result "neural $b blocks, backend fast against exact, 1 thread, CPU" "$(ms "$(net quick src cpu)")" "$(ms "$us")" "$(ratio "$us" "$(net quick src cpu)")" -
	else skip "neural $b blocks, backend fast" "no oneDNN"; fi
	result "neural $b blocks, 2 threads against 1, wall" "$(ms "$(med two wall)")" "$(ms "$(med one wall)")" "$(ratio "$(med one wall)" "$(med two wall)")" 1.9
done
