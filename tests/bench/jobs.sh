#!/bin/sh
# jobs.sh - the finishing jobs A, B, C and D on 1080p float frames beside FFmpeg's float filters and zimg.
#
# A: CDL and saturation, a 33^3 LUT (tetrahedral), blur 0.6, luma-dependent grain. B: A with halation (sigma 15) and a
# vignette before the grain. C: Lanczos3 to 2160p. D: a clip through 2x Lanczos and A to ProRes 422 HQ (jobs_clip.sh).
# Both sides start from the same float picture (a ramp, made by interneg), which is timed alone and taken off.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$bench/jobs_scenes.sh"
N1=2 N2=${N2:-10}

measure_job() { # label ours ours-source peer peer-source target
	for threads in 1 2; do
		rm -f "$tmp/$2.s" "$tmp/$3.s" "$tmp/$4.s" "$tmp/$5.s"
		for _ in $(seq "$PAIRS"); do
			for f in "$2" "$3" "$4" "$5"; do sample "$f" $N1 "$N2" || { skip "$1" "it failed"; return; }; done
		done
		_k=cpu; [ $threads = 1 ] || _k=wall
		_a=$(net "$2" "$3" $_k); _b=$(net "$4" "$5" $_k)
		result "$1, $threads thread$([ $threads = 1 ] || echo s)" "$(ms "$_a")" "$(ms "$_b")" "$(ratio "$_b" "$_a")" "$6"
		eval "_${threads}t=\$_a"
	done
	result "$1, gain of the second thread" "$(ms "$_2t")" "$(ms "$_1t")" "$(ratio "$_1t" "$_2t")" "${7:--}"
}

note "A and B work on the numbers as they come, on both sides: two relabelling copies on ours stand where a scene would"
note "convert between light and its display encoding; 'with conversions' is A as DESIGN has it (blur in linear light)."
note "FFmpeg: lut1d for slope, offset and power; colorchannelmixer; lut3d; gblur (no Gaussian at 0.6); grain from eight"
note "precomputed noise plates in memory, blended by luma; LUTs clamp. Ours: real noise, nothing clamps."
if have ffmpeg; then
	measure_job "A against FFmpeg" ours_a ours_src ff_a ff_src 3 1.9
	measure_job "B against FFmpeg" ours_b ours_src ff_b ff_src 3.5 1.9
	measure_job "A with conversions against FFmpeg" ours_ac ours_src ff_a ff_src -
	measure_job "C against FFmpeg's zscale" ours_c ours_src ff_c ff_src -
else
	skip "A, B, C against FFmpeg" "no ffmpeg"
fi
