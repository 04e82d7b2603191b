#!/bin/sh
# jobs.sh - the finishing jobs A, B, C and D on 1080p float frames beside FFmpeg's float filters and zimg.
#
# A: CDL and saturation, a 33^3 LUT (tetrahedral), blur 0.6, luma-dependent grain. B: A with halation (sigma 15) and a
# vignette before the grain. C: Lanczos3 to 2160p, alone and fused with A. D, a whole clip, is clip.sh.
# Both sides start from the same float picture (a ramp, made by interneg), which is timed alone and taken off.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$bench/jobs_scenes.sh"
N1=2 N2=${N2:-10}

# One-thread rows are CPU time, two-thread rows wall time unless BY=cpu; see lib.sh.
BY=${BY:-wall}
measure_job() { # label ours ours-source peer peer-source target
	for threads in 1 2; do
		rm -f "$tmp/$2.s" "$tmp/$3.s" "$tmp/$4.s" "$tmp/$5.s"
		for _ in $(seq "$PAIRS"); do
			for f in "$2" "$3" "$4" "$5"; do sample "$f" $N1 "$N2" || { skip "$1" "it failed"; return; }; done
		done
		_k=cpu; [ $threads = 1 ] || _k=$BY
		_a=$(net "$2" "$3" $_k); _b=$(net "$4" "$5" $_k)
		result "$1, $threads thread$([ $threads = 1 ] || echo s)" "$(ms "$_a")" "$(ms "$_b")" "$(ratio "$_b" "$_a")" "$6"
		eval "_${threads}t=\$_a"
	done
	[ "$BY" = cpu ] || result "$1: two threads over one" "$(ms "$_2t")" "$(ms "$_1t")" "$(ratio "$_1t" "$_2t")" "${7:--}"
}

note "A and B work on the numbers as they come, on both sides: two relabelling copies on ours stand where a scene would"
note "convert between light and its display encoding; 'with conversions' is A as DESIGN has it (blur in linear light)."
note "FFmpeg: lut1d for slope, offset and power; colorchannelmixer; lut3d; gblur (no Gaussian at 0.6); grain from eight"
note "precomputed noise plates in memory, blended by luma; LUTs clamp. Ours: real noise, nothing clamps."
if have ffmpeg; then
	measure_job "A against FFmpeg" ours_a ours_src ff_a ff_src 3 1.9
	measure_job "B against FFmpeg" ours_b ours_src ff_b ff_src 3.5 1.9
	measure_job "A with conversions against FFmpeg" ours_ac ours_src ff_a ff_src -
	measure_job "C against FFmpeg's zscale" ours_c ours_src ff_c ff_src - 1.75
else
	skip "A, B, C against FFmpeg" "no ffmpeg"
fi

# C fused with A beside C alone and A alone at 2160p, all ours, in CPU time.
threads=2
for _ in $(seq "$PAIRS"); do
	for f in ours_ca ours_c ours_a4 ours_src ours_src4; do sample $f $N1 "$N2" || exit 1; done
done
_c=$(net ours_c ours_src cpu); _a4=$(net ours_a4 ours_src4 cpu); _ca=$(net ours_ca ours_src cpu)
result "C fused with A (peer: C alone + A alone at 2160p), CPU" "$(ms "$_ca")" "$(ms $((_c + _a4)))" "$(ratio "$_ca" $((_c + _a4)))" 1.25 le
