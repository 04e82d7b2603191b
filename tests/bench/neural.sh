#!/bin/sh
# neural.sh - networks on a 448x256 frame, one thread: CPU milliseconds a megapixel of source and GFLOP/s, beside ncnn
# and ONNX Runtime where PYTHON (default python3) has their wheels (the same weights as .onnx, made here; by itself with its
# memory arena on and off, and as backend="onnxruntime"; the quickest of the three in one trial is measured) and backend fast
# where oneDNN is;
# two threads against one. Peers run on one core each (taskset). The source is timed alone and taken off; a frame includes the
# plain resample, the low-frequency lock and what peers do not do. Peers make the same pixels: their frame has the border on it.
# MODELS="16 32 upconv rrdb" chooses; RRDB=x.param names an RRDB network, without it one of 23 blocks is made of noise.
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
ours() { threads=$4; run "$1" "$in" render "$tmp/$2.xml" --only "$3" -F "1-$5" --no-cache --threads "$4" --progress none; }
one() { ours one exact up 1 "$1"; }
two() { ours two exact up 2 "$1"; }
twin() { twins twin "$in" render "$tmp/exact.xml" --only up -F "1-$1" --no-cache --threads 1 --progress none; }
quick() { ours quick fast up 1 "$1"; }
ort() { ours ort ort up 1 "$1"; }
src() { ours src exact src 1 "$1"; }
pin=
have taskset && pin="taskset -c 0"
nc() { run nc $pin "$PYTHON" "$bench/neural_peer.py" "$model" $W $H 1 "$1" "$factor"; }
arena() { run arena $pin "$PYTHON" "$bench/neural_peer.py" "$tmp/net.onnx" $W $H 1 "$1" "$factor" arena; }
plain() { run plain $pin "$PYTHON" "$bench/neural_peer.py" "$tmp/net.onnx" $W $H 1 "$1" "$factor"; }

libs="libxml-2.0 lua5.4 libavformat libavcodec libavutil nettle libpng libxxhash libdeflate zlib"
# shellcheck disable=SC2046,SC2086
onnx=$($CC -std=c11 -D_GNU_SOURCE -O2 -I"$root/core" -I"$root/tests" -o "$tmp/onnx" "$bench/neural_onnx.c" \
	"$root/${B:-build}/libinterneg.a" $(pkg-config --cflags --libs $libs) -lOpenEXRCore-3_1 -pthread -lm -rdynamic 2> "$tmp/cc" && echo yes)
ncnn=$("$PYTHON" -c 'import ncnn, numpy; print("yes")' 2> /dev/null)
ortpy=$("$PYTHON" -c 'import onnxruntime, numpy, os; print(os.path.dirname(onnxruntime.__file__))' 2> /dev/null)
if [ -n "$ortpy" ] && [ -z "${INTERNEG_ONNXRUNTIME:-}" ]; then
	for f in "$ortpy"/capi/libonnxruntime.so*; do [ -r "$f" ] && INTERNEG_ONNXRUNTIME=$f; done
	export INTERNEG_ONNXRUNTIME
fi
dnnl=$(ldconfig -p 2> /dev/null | grep -q libdnnl.so.2 && echo yes)

# ONNX Runtime's ways, one sample of each: the quickest is the rival.
quickest() { # function...
	rival= best=
	for f in "$@"; do
		rm -f "$tmp/$f.s"
		sample "$f" 1 2 || return 1
		note "ONNX Runtime, $f: $(ms "$(med "$f" cpu)") in the trial"
		if [ -z "$best" ] || [ "$(med "$f" cpu)" -lt "$best" ]; then best=$(med "$f" cpu) rival=$f; fi
	done
}

# One network against those that are here.
measure() { # label model-without-suffix frames
	model=$2 peers="one src" rival=
	factor=$("$in" model "$model.param" | awk '/^factor/ {print $2}')
	scene exact "$model.param" exact
	rm -f "$tmp"/*.s
	[ -z "$4" ] || peers="$peers two twin"
	[ -z "$ncnn" ] || peers="$peers nc"
	if [ -n "$dnnl" ] && [ -n "$4" ]; then scene fast "$model.param" fast; peers="$peers quick"; fi
	why="no compiler for neural_onnx.c"
	if [ -n "$onnx" ] && "$tmp/onnx" "$model.param" "$tmp/net.onnx"; then
		scene ort "$tmp/net.onnx" onnxruntime
		rivals=
		if "$in" check "$tmp/ort.xml" > "$tmp/ort.out" 2>&1; then rivals=ort; why=; else why=$(head -c 200 "$tmp/ort.out" | sed 's/.*: //'); fi
		[ -z "$ortpy" ] || rivals="$rivals arena plain"
		quickest $rivals || exit 1
		peers="$peers $rival"
	fi
	one 2 || exit 1
	pairs 1 "$3" $peers || exit 1
	us=$(net one src cpu)
	gflop=$("$in" model "$model.param" | awk '/^cost/ {print $2 * 2e-9}')
	note "$1: $(awk -v u="$us" -v p=$((W * H)) 'BEGIN {printf "%.0f", u * 1000 / p}') ms CPU a source megapixel, $(awk -v g="$gflop" -v u="$us" -v p=$((W * H)) 'BEGIN {printf "%.0f", g * p * 1e6 / u}') GFLOP/s as a direct convolution counts them"
	if [ -n "$ncnn" ]; then result "neural $1, 1 thread, CPU, against ncnn" "$(ms "$us")" "$(ms "$(med nc cpu)")" "$(ratio "$(med nc cpu)" "$us")" 1
	else skip "neural $1 against ncnn" "$PYTHON has no ncnn"; fi
	case $rival in
	'') skip "neural $1 against ONNX Runtime" "$why" ;;
	*)
		best=$(med "$rival" cpu)
		[ "$rival" != ort ] || best=$(net ort src cpu)
		result "neural $1, 1 thread, CPU, against ONNX Runtime ($rival)" "$(ms "$us")" "$(ms "$best")" "$(ratio "$best" "$us")" 1.5 ;;
	esac
	[ -n "$4" ] || return 0
	if [ -n "$dnnl" ]; then result "neural $1, backend fast against exact, 1 thread, CPU" "$(ms "$(net quick src cpu)")" "$(ms "$us")" "$(ratio "$us" "$(net quick src cpu)")" -
	else skip "neural $1, backend fast" "no oneDNN"; fi
	result "neural $1, 2 threads against 1, wall without waits for others" "$(ms "$(med two quiet)")" "$(ms "$(med one quiet)")" "$(med_ratio one two quiet)" 1.9
	note "neural $1: two processes of one thread each do $(med_ratio one twin wall | awk '{printf "%.2f", 2 * $1}') times what one does"
}
for m in ${MODELS:-16 32 upconv rrdb}; do
	case $m in
	16) measure "16 blocks" "$weights/realesr-animevideov3-x4" 5 all ;;
	32) measure "32 blocks" "$weights/realesr-general-x4v3" 3 all ;;
	upconv) measure "upconv7" "$weights/waifu2x_upconv7_photo_x2" 7 "" ;;
	rrdb)
		W=96 H=64
		if [ -z "${RRDB:-}" ]; then
			"$tmp/onnx" --rrdb 23 "$tmp/rrdb.param" && RRDB=$tmp/rrdb.param
		fi
		[ -n "${RRDB:-}" ] && measure "RRDB, 23 blocks, ${W}x$H" "${RRDB%.param}" 2 "" ;;
	esac
done
