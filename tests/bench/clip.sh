#!/bin/sh
# clip.sh - job D: decode 1792x1024, 2x Lanczos, A, ProRes 422 HQ; the whole process on two threads, beside FFmpeg with
# the same encoder, and beside the sum of the encoder alone and our pixels alone.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$bench/jobs_scenes.sh"
have ffmpeg || { skip "D" "no ffmpeg"; exit 0; }
threads=2
clip_setup || { skip "D" "no clip could be made"; exit 0; }
N1=2 N2=${N2:-6}
note "Both decode H.264, work in float and write with prores_ks; a frame is 3584x2048. FFmpeg's grain comes from plates."
ours_d 4 && finished "$tmp/ours_d.mov" || exit 1
for _ in $(seq "$PAIRS"); do
	for f in ours_d ff_d ours_dpix ff_ks ff_aw; do sample $f $N1 "$N2" || exit 1; done
done
by=${BY:-wall}
result "D against FFmpeg with prores_ks, 2 threads, $by" "$(ms "$(med ours_d "$by")")" "$(ms "$(med ff_d "$by")")" \
	"$(ratio "$(med ff_d "$by")" "$(med ours_d "$by")")" 1.5
_ideal=$((($(med ff_ks cpu) + $(med ours_dpix cpu)) / threads))
result "D against (encoder CPU + pixels CPU) / 2, wall" "$(ms "$(med ours_d wall)")" "$(ms $_ideal)" \
	"$(ratio "$(med ours_d wall)" $_ideal)" 1.1 le
result "D: CPU against encoder CPU + pixels CPU" "$(ms "$(med ours_d cpu)")" "$(ms $((_ideal * 2)))" \
	"$(ratio "$(med ours_d cpu)" $((_ideal * 2)))" - le
q1=$(psnr prores_ks); s1=$(wc -c < "$tmp/q.mov"); q2=$(psnr prores_aw); s2=$(wc -c < "$tmp/q.mov")
note "encoders on our frames: prores_ks $(ms "$(med ff_ks cpu)") CPU a frame, PSNR $q1 dB, $((s1 / 4096)) KiB; prores_aw $(ms "$(med ff_aw cpu)"), $q2 dB, $((s2 / 4096)) KiB"
# With a faster encoder D could take, at best, its CPU and that of our pixels.
if "$in" nodes write | grep -q prores-fast; then
	_b=$(med ff_d "$by")
	sed 's/preset="master-prores"/preset="prores-fast"/' "$tmp/d.xml" > "$tmp/daw.xml"
	ours_daw() { ours_clip ours_daw daw "$1"; }
	for _ in $(seq "$PAIRS"); do sample ours_daw $N1 "$N2" || exit 1; done
	result "D with prores_aw against FFmpeg with prores_ks, $by" "$(ms "$(med ours_daw "$by")")" "$(ms "$_b")" "$(ratio "$_b" "$(med ours_daw "$by")")" 4
else
	_best=$((($(med ff_aw cpu) + $(med ours_dpix cpu)) / threads))
	result "D with prores_aw, reckoned: CPU of encoder and pixels / 2" "$(ms $_best)" "$(ms "$(med ff_d "$by")")" "$(ratio "$(med ff_d "$by")" $_best)" -
	skip "D with prores_aw" "no preset of write uses it"
fi
