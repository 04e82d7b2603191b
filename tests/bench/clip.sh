#!/bin/sh
# clip.sh - job D: decode 1792x1024, 2x Lanczos, A, ProRes 422 HQ; the whole process on two threads, beside FFmpeg with
# the same encoder, and beside the sum of the encoder alone and our pixels alone.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$bench/jobs_scenes.sh"
have ffmpeg || { skip "D" "no ffmpeg"; exit 0; }
threads=2
clip_setup || { skip "D" "no clip could be made"; exit 0; }
N1=${N1:-3} N2=${N2:-11} by=${BY:-quiet}
note "Both decode H.264, work in float and write with prores_ks; a frame is 3584x2048. FFmpeg's grain comes from plates."
finished || exit 1
pairs "$N1" "$N2" ours_d ff_d ours_dpix ff_ks ff_aw || exit 1
result "D against FFmpeg with prores_ks, 2 threads, $by" "$(ms "$(med ours_d "$by")")" "$(ms "$(med ff_d "$by")")" \
	"$(med_ratio ff_d ours_d "$by")" 1.5
# What D would take if it did nothing but encode and compute, on both cores all the time.
paste -d ' ' "$tmp/ff_ks.s" "$tmp/ours_dpix.s" | awk '{c = ($2 + $5) / 2; print c, 2 * c, c}' > "$tmp/ideal.s"
result "D against (encoder CPU + pixels CPU) / 2, $by" "$(ms "$(med ours_d "$by")")" "$(ms "$(med ideal "$by")")" \
	"$(med_ratio ours_d ideal "$by")" 1.1 le
result "D: CPU against encoder CPU + pixels CPU" "$(ms "$(med ours_d cpu)")" "$(ms "$(med ideal cpu)")" \
	"$(med_ratio ours_d ideal cpu)" - le
note "wall: D $(ms "$(med ours_d wall)"), FFmpeg $(ms "$(med ff_d wall)"), at load $(load)"
q1=$(psnr prores_ks); s1=$(wc -c < "$tmp/q.mov"); q2=$(psnr prores_aw); s2=$(wc -c < "$tmp/q.mov")
note "encoders on our frames: prores_ks $(ms "$(med ff_ks cpu)") CPU a frame, PSNR $q1 dB, $((s1 / 4096)) KiB; prores_aw $(ms "$(med ff_aw cpu)"), $q2 dB, $((s2 / 4096)) KiB"
# With a faster encoder.
if "$in" nodes write | grep prores-fast > /dev/null; then
	sed 's/preset="master-prores"/preset="prores-fast"/' "$tmp/d.xml" > "$tmp/daw.xml"
	ours_daw() { ours_clip ours_daw daw "$1"; }
	pairs "$N1" "$N2" ours_daw ff_d || exit 1
	result "D with prores_aw against FFmpeg with prores_ks, $by" "$(ms "$(med ours_daw "$by")")" "$(ms "$(med ff_d "$by")")" \
		"$(med_ratio ff_d ours_daw "$by")" 4
else
	skip "D with prores_aw" "no preset of write uses it"
fi
