#!/bin/sh
# jobs.sh - the finishing jobs A, B and C on 1080p float frames beside FFmpeg's float filters and zimg.
#
# A: CDL and saturation, a 33^3 LUT (tetrahedral), blur 0.6, luma-dependent grain. B: A with halation (sigma 15) and a
# vignette before the grain. C: Lanczos3 to 2160p, alone and fused with A. D, a whole clip, is clip.sh.
# Both sides start from the same float picture, a ramp: FFmpeg holds it, ours makes it anew in every frame and pays for
# that. A figure is the slope between a run of N1 frames and one of N2, so start, set-up and decode drop out; ratios are
# medians of turns in alternating order. One thread: CPU time. Two: quiet wall time (lib.sh; BY=wall or cpu otherwise).
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$bench/jobs_scenes.sh"
N1=${N1:-8} N2=${N2:-56}
BY=${BY:-quiet}

# NAME_1 and NAME_2: the function on one thread and on two.
on_threads() {
	for _t in 1 2; do
		eval "$1_$_t() { threads=$_t; $1 \"\$1\" && cp \"\$tmp/$1.m\" \"\$tmp/$1_$_t.m\"; }"
	done
}

# Both sides on one thread and on two, in turns, so that a machine that grows slower does so for all; and two processes
# of ours at once, which wait for nothing of each other's: what more than one thread can bring here at all.
measure_job() { # label ours peer target target-of-two-threads-over-one [times-as-many-frames]
	on_threads "$2"
	on_threads "$3"
	_twin=twin_${2#ours_}
	pairs "$N1" $((N1 + (N2 - N1) * ${6:-1})) "$2_1" "$3_1" "$2_2" "$3_2" "$_twin" || { skip "$1" "it failed"; return; }
	for _t in 1 2; do
		_k=$BY _how="2 threads, $BY" _o=$2_$_t _p=$3_$_t
		[ $_t = 2 ] || { _k=cpu _how="1 thread, cpu"; }
		result "$1, $_how" "$(ms "$(med "$_o" $_k)")" "$(ms "$(med "$_p" $_k)")" "$(med_ratio "$_p" "$_o" $_k)" "$4"
	done
	note "$1: wall $(ms "$(med "$_o" wall)") and $(ms "$(med "$_p" wall)"), ratio $(med_ratio "$_p" "$_o" wall), at load $(load)"
	result "$1: two threads over one" "$(ms "$(med "$2_2" quiet)")" "$(ms "$(med "$2_1" quiet)")" \
		"$(med_ratio "$2_1" "$2_2" quiet)" "${5:--}"
	note "$1: two processes of one thread each do $(med_ratio "$2_1" "$_twin" wall | awk '{printf "%.2f", 2 * $1}') times what one does"
}

note "A and B work on the numbers as they come, on both sides: two relabelling copies on ours stand where a scene would"
note "convert between light and its display encoding; 'with conversions' is A as DESIGN has it (blur in linear light)."
note "FFmpeg: lut1d for slope, offset and power; colorchannelmixer; lut3d; gblur (no Gaussian at 0.6); grain from eight"
note "precomputed noise plates in memory, blended by luma; LUTs clamp. Ours: real noise, nothing clamps."
if build copy -pthread; then
	read -r _one _two <<- END
	$("$tmp/copy")
	END
	note "memcpy here: $_one GB/s on one thread, $_two on two; where that hardly grows, what waits for memory cannot either"
fi
if have ffmpeg; then
	measure_job "A against FFmpeg" ours_a ff_a 3 1.9
	measure_job "B against FFmpeg" ours_b ff_b 3.5 1.9
	measure_job "C against FFmpeg's zscale" ours_c ff_c - 1.75 4
	threads=1
	pairs "$N1" "$N2" ours_ac ff_a || exit 1
	result "A with conversions against FFmpeg, 1 thread, cpu" "$(ms "$(med ours_ac cpu)")" "$(ms "$(med ff_a cpu)")" \
		"$(med_ratio ff_a ours_ac cpu)" -
else
	skip "A, B, C against FFmpeg" "no ffmpeg"
fi

# C fused with A beside C alone and A alone at 2160p, all ours, in CPU time; all three write a 2160p frame.
threads=2
pairs 4 $((4 + (N2 - N1) / 2)) ours_ca ours_c ours_a4 || exit 1
paste -d ' ' "$tmp/ours_c.s" "$tmp/ours_a4.s" | awk '{print $1 + $4, $2 + $5, $3 + $6}' > "$tmp/apart.s"
result "C fused with A (peer: C alone + A alone at 2160p), cpu" "$(ms "$(med ours_ca cpu)")" "$(ms "$(med apart cpu)")" \
	"$(med_ratio ours_ca apart cpu)" 1.25 le
