# jobs_scenes.sh - the jobs as scenes and as FFmpeg filter chains, and functions that run them; lib.sh comes first.
# SPDX-License-Identifier: BSD-2-Clause

awk 'BEGIN { print "LUT_3D_SIZE 33"; for (b = 0; b < 33; b++) for (g = 0; g < 33; g++) for (r = 0; r < 33; r++) {
	x = r / 32; y = g / 32; z = b / 32
	printf "%.6f %.6f %.6f\n", x * (0.9 + 0.1 * y), y ^ 1.1 * 0.95 + 0.03 * x, 0.05 + 0.85 * z + 0.1 * x * z } }' > "$tmp/look.cube"
awk 'BEGIN { print "LUT_1D_SIZE 4096"; for (i = 0; i < 4096; i++) { x = i / 4095
	printf "%.7f %.7f %.7f\n", (1.05 * x + 0.01) ^ 1.02, x ^ 0.98, (0.95 * x + 0.02) ^ 1.05 } }' > "$tmp/cdl.cube"
awk 'BEGIN { print "LUT_1D_SIZE 5\n0.35 0.35 0.35\n0.85 0.85 0.85\n1 1 1\n0.75 0.75 0.75\n0.3 0.3 0.3" }' > "$tmp/resp.cube"

scene() { # name text
	cat > "$tmp/$1.xml" <<X
<graph version="1" name="bench" fps="24">
  <script file="$bench/look.lua"/>
  <pattern id="src" kind="ramp" colour="0.5 0.45 0.4" width="1920" height="1080" frames="100000"/>
  <pattern id="noise_src" kind="constant" colour="0" width="1920" height="1080" frames="100000"/>
$2
</graph>
X
}
GRADE='<grade id="graded" in="IN" space="linear" slope="1.05 1 0.95" offset="0.01 0 0.02" power="1.02 0.98 1.05" saturation="0.9" lut="look.cube" lut_in="acescg"/>'
GRAIN='<pass id="finish" kind="integrate" keep="never"><convert id="as_display" in="look" from="rec709" to="rec709"/><grain id="end" amount="0.05"/></pass>'
AS_LIGHT='<convert id="as_light" in="SRC" from="acescg" to="acescg"/>'
look() { # source more-nodes
	printf '<pass id="look" kind="look" keep="never">%s%s<blur id="soft" sigma="0.6"/>%s</pass>%s' \
		"$(echo "$AS_LIGHT" | sed "s/SRC/$1/")" "$(echo "$GRADE" | sed 's/IN/as_light/')" "$2" "$GRAIN"
}
GLOW='<blur id="glow" in="soft" sigma="15"/><bench_mix id="halated" in="soft" glow="glow"/><vignette id="corners" in="halated" amount="0.3"/>'
scene a "$(look src '')"
scene b "$(look src "$GLOW")"
scene ac '<pass id="look" kind="look" keep="never"><grade id="graded" in="src" space="clip" slope="1.05 1 0.95" offset="0.01 0 0.02" power="1.02 0.98 1.05" saturation="0.9" lut="look.cube" lut_in="rec709"/><blur id="soft" sigma="0.6"/></pass><pass id="finish" kind="integrate" keep="never"><grain id="end" in="look" amount="0.05"/></pass>'
UP='<pass id="big" kind="detail" keep="never"><upscale id="up" in="src" scale="2" ringing="0"/></pass>'
scene c '<pass id="big" kind="detail" keep="never"><upscale id="end" in="src" scale="2" ringing="0"/></pass>'
scene ca "$UP$(look big '')"
BIG='<pattern id="src4" kind="ramp" colour="0.5 0.45 0.4" width="3840" height="2160" frames="100000"/>'
scene a4 "$BIG$(look src4 '')"
scene plates '<pass id="p" kind="integrate"><grain id="n" in="noise_src" amount="0.3" response=""/></pass><write id="w" in="p" file="plate.####.exr" color="input"/>'
scene source '<write id="w" in="src" file="ramp.####.exr" color="input"/>'

ours() { # name scene target frames
	run "$1" "$in" render "$tmp/$2.xml" --only "$3" -F "1-$4" --no-cache --overwrite --threads "$threads" --progress none
}
twin() { # name scene target frames
	twins "$1" "$in" render "$tmp/$2.xml" --only "$3" -F "1-$4" --no-cache --overwrite --threads 1 --progress none
}
twin_a() { twin twin_a a end "$1"; }
twin_b() { twin twin_b b end "$1"; }
twin_c() { twin twin_c c end "$1"; }
ours_src() { ours ours_src source src "$1"; }
ours_a() { ours ours_a a end "$1"; }
ours_b() { ours ours_b b end "$1"; }
ours_ac() { ours ours_ac ac end "$1"; }
ours_c() { ours ours_c c end "$1"; }
ours_a4() { ours ours_a4 a4 end "$1"; }
ours_src4() { ours ours_src4 a4 src4 "$1"; }
ours_ca() { ours ours_ca ca end "$1"; }

"$in" render "$tmp/source.xml" --only w -F 1 --no-cache --progress none || exit 1
"$in" render "$tmp/plates.xml" --only w -F 1-8 --no-cache --progress none || exit 1
if have ffmpeg; then
	raw() { ffmpeg -v error -y -start_number 1 -i "$1" -pix_fmt gbrpf32le -f rawvideo "$2" < /dev/null; }
	raw "$tmp/ramp.%04d.exr" "$tmp/ramp.raw" || exit 1
	raw "$tmp/plate.%04d.exr" "$tmp/plates.raw" || exit 1
	rm -f "$tmp"/plate.*.exr
fi
FF_IN="-f rawvideo -pix_fmt gbrpf32le -s 1920x1080 -r 24"
ff() { # name frames graph
	# shellcheck disable=SC2086
	run "$1" ffmpeg -v error -threads "$threads" -filter_threads "$threads" -filter_complex_threads "$threads" \
		$FF_IN -i "$tmp/ramp.raw" $FF_IN -i "$tmp/plates.raw" -filter_complex "$3" -map '[out]' -frames:v "$2" -f null -
}
HOLD='[0:v]loop=loop=-1:size=1[s]'
PLATES='[1:v]loop=loop=-1:size=8'
# Saturation 0.9 with the CDL's luma weights.
SAT=colorchannelmixer=rr=.92126:rg=.07152:rb=.00722:gr=.02126:gg=.97152:gb=.00722:br=.02126:bg=.07152:bb=.90722
LUMA=colorchannelmixer=rr=.2126:rg=.7152:rb=.0722:gr=.2126:gg=.7152:gb=.0722:br=.2126:bg=.7152:bb=.0722
LOOK="lut1d=file=$tmp/cdl.cube:interp=linear,$SAT,lut3d=file=$tmp/look.cube:interp=tetrahedral,gblur=sigma=0.6"
FF_GRAIN="split[x][y];[y]$LUMA,lut1d=file=$tmp/resp.cube:interp=linear[w];$PLATES[n];[w][n]blend=all_mode=multiply[g];[x][g]blend=all_mode=addition[out]"
# c0, c1, c2 are green, blue, red.
FF_GLOW="split[p][q];[q]gblur=sigma=15[glow];[p][glow]blend=all_mode=normal:c0_opacity=.997:c1_opacity=.999:c2_opacity=.971[h];[2:v]loop=loop=-1:size=1[v];[h][v]blend=all_mode=multiply"
ff_src() { ff ff_src "$1" "${HOLD%\[s\]}[out]"; }
ff_a() { ff ff_a "$1" "$HOLD;[s]$LOOK,$FF_GRAIN"; }
ff_nograin() { ff ff_nograin "$1" "$HOLD;[s]$LOOK[out]"; }
ff_b() { ff ff_b "$1" "$HOLD;[s]$LOOK,$(echo "$FF_GLOW" | sed 's/\[2:v\]/[0:v]/'),$FF_GRAIN"; }
ff_c() { ff ff_c "$1" "$HOLD;[s]zscale=w=3840:h=2160:f=lanczos[out]"; }

# D: a clip of 1792x1024, 8 bits 4:2:0, to 3584x2048. The plates are as large; two of them, for memory's sake.
clip_source() { ls "$root"/../shared/data/video/*.mp4 2> /dev/null | head -1; }
clip_setup() {
	_src=$(clip_source)
	if [ -n "$_src" ]; then
		ffmpeg -v error -y -stream_loop 20 -i "$_src" -an -frames:v 60 -vf "scale=1792:1024:flags=bicubic,noise=alls=3:allf=t,format=yuv420p,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv" \
			-r 24 -c:v libx264 -crf 16 -preset fast -threads 2 "$tmp/clip.mp4" < /dev/null
	else
		ffmpeg -v error -y -f lavfi -i testsrc2=s=1792x1024:r=24 -frames:v 60 -vf "noise=alls=6:allf=t,format=yuv420p,setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv" \
			-c:v libx264 -crf 16 -preset fast -threads 2 "$tmp/clip.mp4" < /dev/null
	fi || return 1
	scene bigplates '<pattern id="n0" kind="constant" colour="0" width="3584" height="2048" frames="9"/><pass id="p" kind="integrate"><grain id="n" in="n0" amount="0.3" response=""/></pass><write id="w" in="p" file="big.####.exr" color="input"/>'
	"$in" render "$tmp/bigplates.xml" --only w -F 1-2 --no-cache --progress none || return 1
	raw "$tmp/big.%04d.exr" "$tmp/bigplates.raw" && rm -f "$tmp"/big.*.exr
	scene d "<read id=\"clip\" file=\"clip.mp4\" color=\"rec709\"/><pass id=\"large\" kind=\"detail\" keep=\"never\"><upscale id=\"up\" in=\"clip\" scale=\"2\" ringing=\"0\"/></pass>$(look large '')<write id=\"master\" in=\"finish\" file=\"ours_d.mov\" preset=\"master-prores\"/>"
}
ours_clip() { run "$1" "$in" render "$tmp/$2.xml" --only master -F "1-$3" -o "$tmp/$1.mov" --no-cache --overwrite --threads "$threads" --progress none; }
ours_d() { ours_clip ours_d d "$1"; }
ours_dpix() { ours ours_dpix d finish "$1"; }
FF_TAGS=setparams=colorspace=gbr:color_primaries=bt709:color_trc=bt709:range=pc
ff_clip() { # name encoder frames out
	run "$1" ffmpeg -v error -y -threads "$threads" -filter_threads "$threads" -filter_complex_threads "$threads" \
		-i "$tmp/clip.mp4" -f rawvideo -pix_fmt gbrpf32le -s 3584x2048 -r 24 -i "$tmp/bigplates.raw" -filter_complex \
		"[0:v]zscale=w=3584:h=2048:f=lanczos:matrix=gbr:range=full,format=gbrpf32le,$LOOK,$(echo "$FF_GRAIN" | sed 's/size=8/size=2/; s/\[out\]$//'),$FF_TAGS,zscale=matrix=709:range=limited:f=bicubic,format=yuv422p10le[out]" \
		-map '[out]' -frames:v "$3" -threads "$threads" -c:v "$2" -profile:v 3 -vendor apl0 "$tmp/$4.mov"
}
ff_d() { ff_clip ff_d prores_ks "$1" ff_d; }
# The encoder alone, on decoded frames of the finished clip.
ff_enc() { # name encoder frames
	run "$1" ffmpeg -v error -y -f rawvideo -pix_fmt yuv422p10le -s 3584x2048 -r 24 -stream_loop 9 -i "$tmp/finished.raw" \
		-frames:v "$3" -threads "$threads" -c:v "$2" -profile:v 3 -f mov "$tmp/enc.mov"
}
ff_ks() { ff_enc ff_ks prores_ks "$1"; }
ff_aw() { ff_enc ff_aw prores_aw "$1"; }
# Four finished frames as they enter the encoder: never encoded with loss, which would make them easier.
finished() {
	sed 's/preset="master-prores"/preset="ffv1"/; s/ours_d\.mov/ours_d.mkv/' "$tmp/d.xml" > "$tmp/dff.xml"
	"$in" render "$tmp/dff.xml" --only master -F 1-4 -o "$tmp/dff.mkv" --no-cache --overwrite --progress none 2> /dev/null &&
		ffmpeg -v error -y -i "$tmp/dff.mkv" -vf zscale=matrix=709:range=limited:f=bicubic,format=yuv422p10le -f rawvideo "$tmp/finished.raw" < /dev/null
	rm -f "$tmp/dff.mkv"
}
# PSNR (luma, dB) of an encoder's own output against what went in.
psnr() { # encoder
	ffmpeg -v error -y -f rawvideo -pix_fmt yuv422p10le -s 3584x2048 -r 24 -i "$tmp/finished.raw" -c:v "$1" -profile:v 3 "$tmp/q.mov" < /dev/null &&
		ffmpeg -v info -i "$tmp/q.mov" -f rawvideo -pix_fmt yuv422p10le -s 3584x2048 -r 24 -i "$tmp/finished.raw" -lavfi '[0:v][1:v]psnr' -f null - < /dev/null 2>&1 |
			sed -n 's/.*PSNR y:\([0-9.]*\).*/\1/p'
}
