#!/bin/sh
# grainmeasure.sh - errors of both grain estimators, and of the choice between them, on planted grain: photographs with a still camera, one panned, clips
# with their own motion, and reels of pictures that have nothing in common; by row the strength's rms and mean error
# (R G B, percent), the worst bin in dB at its frequency, the worst correlation, levels, blocks, windows, CPU seconds;
# then means over the seeds (SEEDS=3). N=16 takes fewer frames of the stills (default 40).
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
data=
for d in "$root/../shared/data" /work/shared/data; do [ -z "$data" ] && [ -r "$d/grain/kodak_03.png" ] && data=$d; done
[ -n "$data" ] || { skip "grainmeasure" "no ../shared/data"; exit 0; }
have ffmpeg || { skip "grainmeasure" "no ffmpeg to read clips"; exit 0; }
# shellcheck disable=SC2046
$CC -std=c11 -O2 -D_GNU_SOURCE -I"$root/core" -o "$tmp/gm" "$bench/grainmeasure.c" "$root/build/libinterneg.a" \
	$(pkg-config --libs libxml-2.0 lua5.4 nettle libpng libxxhash libdeflate zlib) -lOpenEXRCore-3_1 -pthread -lm -rdynamic || exit 1
plates=
take() { # name file start filter w h frames vx vy
	ffmpeg -v error -y -ss "$3" -i "$data/$2" -frames:v "$7" -vf "$4" -pix_fmt gbrpf32le -f rawvideo "$tmp/$1.raw" &&
		plates="$plates $1:$tmp/$1.raw:$5:$6:$7:$8:$9"
}
for k in 03 07 15 20 23; do take "kodak_$k" "grain/kodak_$k.png" 0 null 768 512 1 0 0; done
take pan_23 grain/kodak_23.png 0 null 768 512 1 3 2
take bunny live/bigbuckbunny_51.mp4 2 scale=704:396 704 396 16 0 0
take steel live/tears_of_steel_clip.webm 1 null 800 332 16 0 0
take teacher video/turbot2av_1_teacher.mp4 1 scale=896:512 896 512 16 0 0
take allegro video/allegro_aurora.mp4 1 scale=896:504 896 504 16 0 0
take collapsed video/kandinsky5_collapsed.mp4 1 null 768 512 16 0 0
take cogvideox video/cogvideox_4.mp4 1 null 720 480 16 0 0
take wan video/wan21_cat_i2v.mp4 0.3 null 832 480 16 0 0
take flower live/flower.mp4 1 null 960 540 16 0 0
take kandinsky video/kandinsky5_profile.mp4 1 null 768 512 16 0 0
# reels of many pictures, by space alone
cat "$tmp"/kodak_*.raw > "$tmp/reel_stills.raw"
plates="$plates reel_stills:$tmp/reel_stills.raw:768:512:5:0:0"
for f in video/allegro_aurora.mp4 video/turbot2av_1_teacher.mp4 video/turbot2av_3_teacher.mp4 video/turbot2av_1_student.mp4 \
	live/bigbuckbunny_51.mp4 live/flower.mp4 live/tears_of_steel_clip.webm video/kandinsky5_profile.mp4 \
	video/ltx2_dialogue.mp4 live/cosmos1650_p3pq.y4m; do
	ffmpeg -v error -y -ss 1 -i "$data/$f" -frames:v 1 -vf "scale=768:432:force_original_aspect_ratio=increase,crop=768:432" \
		-pix_fmt gbrpf32le -f rawvideo - >> "$tmp/reel_clips.raw"
done
all=$(($(wc -c < "$tmp/reel_clips.raw") / (768 * 432 * 12)))
plates="$plates reel_clips:$tmp/reel_clips.raw:768:432:$all:0:0"
# shellcheck disable=SC2086
"$tmp/gm" medium,fine,b/w $plates && "$tmp/gm" coarse $plates
