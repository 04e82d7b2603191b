# steady-clip.sh - sourced: a part of an AI clip halved and doubled by a network, with and without steady, against the clip.
#
# Before: $in (interneg), $tmp (an own folder), $data (../shared/data), $model (a network that doubles).
#   steady_render CLIP X Y W H FRAMES STEADY   up$STEADY.####.png and truth.####.png in $tmp; the middle of W x H at X Y
#   steady_flicker FILES KEY                   `probe --flicker` in codes of 8 bits, at the places and along the motion of truth:
#                                              each version by itself would leave out the pairs of frames that it fails at
#   steady_versus FILES psnr|ssim              against truth
# SPDX-License-Identifier: BSD-2-Clause
steady_sha=$("$in" model "$model" | sed -n 's/^sha256 *//p')
steady_render() {
	cat > "$tmp/clip$7.xml" <<END
<graph version="1">
  <read id="plate" file="$data/$1"/>
  <pass id="crop" kind="geometry"><reformat id="c" in="plate" width="$4" height="$5" fit="none" centre="$2 $3"/></pass>
  <pass id="half" kind="geometry"><upscale id="h" in="crop" scale="0.5"/></pass>
  <pass id="detail" kind="detail">
    <upscale id="up" in="half" method="neural" model="$model" model_sha256="$steady_sha" scale="2" steady="$7"/>
  </pass>
  <write id="w" in="detail" file="up$7.####.png" preset="png"/>
  <write id="t" in="crop" file="truth.####.png" preset="png"/>
</graph>
END
	"$in" render "$tmp/clip$7.xml" -F "1-$6" --cache "$tmp/cache" --overwrite --progress none > "$tmp/log" 2>&1
}
steady_flicker() {
	"$in" probe --flicker --along "$tmp/truth.####.png" --json "$tmp/$1.####.png" | sed -n "s/.*\"$2\":\([0-9.]*\).*/\1/p"
}
steady_versus() {
	ffmpeg -nostdin -v info -i "$tmp/$1.%04d.png" -i "$tmp/truth.%04d.png" -lavfi "$2" -f null - 2>&1 |
		sed -n 's/.*average:\([0-9.]*\).*/\1/p; s/.*All:\([0-9.]*\).*/\1/p'
}
