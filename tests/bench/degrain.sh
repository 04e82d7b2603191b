#!/bin/sh
# degrain.sh - CPU milliseconds per 1080p frame of degrain, one thread, stills (radius 0) and clips (radius 2), net of the source,
# beside FFmpeg's nlmeans; then PSNR on photographs and moving crops with planted white grain, 8 bits, beside FFmpeg's
# nlmeans, fftdnoiz, hqdn3d and bm3d, each at the best of several settings. SIGMAS, of 255, are the grain's.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
have ffmpeg || { skip "degrain" "no ffmpeg to compare with"; exit 0; }
data=
for d in "$root/../shared/data" /work/shared/data; do [ -z "$data" ] && [ -r "$d/grain" ] && data=$d; done
[ -n "$data" ] || { skip "degrain" "no ../shared/data"; exit 0; }

signal() { awk -v s="$1" 'BEGIN {printf "%.6f", s / 255}'; }
# Planted grain: white, equal in all channels and everywhere, rounded to 8 bits as FFmpeg's filters want it.
plant() { # name sigma: $tmp/name/%03d.png to $tmp/name-sigma/%03d.png
	mkdir -p "$tmp/$1-$2"
	cat > "$tmp/plant.xml" <<END
<graph version="1" fps="24"><read id="src" file="$tmp/$1/####.png" color="rec709"/>
<pass id="p" kind="integrate"><grain id="g" in="src" amount="$(awk -v s="$2" 'BEGIN {printf "%.6f", 3 * s / 255}')" size="0" colour="1" response="0,1 1,1"/></pass>
<write id="w" in="p" file="$tmp/$1-$2/####.png" color="encoded" bits="8" dither="none"/></graph>
END
	"$in" render "$tmp/plant.xml" --no-cache --progress none > /dev/null 2>&1
}
scene() { # name frames-of degrain-attributes
	cat > "$tmp/$1.xml" <<END
<graph version="1" fps="24"><read id="src" file="$tmp/$2/####.png" color="rec709"/>
<pass id="p" kind="cleanup"><degrain id="d" in="src" $3/></pass>
<write id="w" in="p" file="$tmp/$1/####.png" color="encoded" bits="8" dither="none"/></graph>
END
}

# --- speed ---
mkdir -p "$tmp/hd"
ffmpeg -v error -ss 2 -i "$data/video/allegro_aurora.mp4" -frames:v 8 -vf scale=1920:1080,noise=alls=12:allf=t,format=rgb24 -start_number 1 "$tmp/hd/%04d.png"
scene still hd 'sigma="0.02" radius="0"'
scene clip hd 'sigma="0.02"'
still() { run still "$in" render "$tmp/still.xml" --only d -F "1-$1" --no-cache --threads 1 --progress none; }
clip() { run clip "$in" render "$tmp/clip.xml" --only d -F "1-$1" --no-cache --threads 1 --progress none; }
src() { run src "$in" render "$tmp/clip.xml" --only src -F "1-$1" --no-cache --threads 1 --progress none; }
peer() { # name filter frames
	run "$1" ffmpeg -v error -threads 1 -filter_threads 1 -i "$tmp/hd/%04d.png" -frames:v "$3" -vf "$2" -f null -
}
nlrgb() { peer nlrgb format=gbrp,nlmeans=s=5:p=7:r=15 "$1"; }
nlyuv() { peer nlyuv format=yuv420p,nlmeans=s=5:p=7:r=15 "$1"; }
none() { peer none format=gbrp "$1"; }
for _ in $(seq "$PAIRS"); do
	for f in still nlrgb clip nlyuv src none; do sample $f 2 5 || exit 1; done
done
for f in still clip; do
	us=$(net $f src cpu)
	for g in nlrgb nlyuv; do
		p=$(net $g none cpu)
		result "degrain $f, 1080p RGB, against nlmeans $([ $g = nlrgb ] && echo RGB || echo 4:2:0)" "$(ms "$us")" "$(ms "$p")" "$(ratio "$p" "$us")" 3
	done
done

# --- quality ---
psnr() { # folder clean first count: mean over R, G and B of the frames from first on
	ffmpeg -v info -start_number "$3" -i "$1/%04d.png" -start_number "$3" -i "$2/%04d.png" -frames:v "$4" -lavfi '[0]format=gbrp[a];[1]format=gbrp[b];[a][b]psnr' -f null - 2>&1 |
		sed -n 's/.*average:\([0-9.]*\).*/\1/p'
}
best=0
try() { # name sigma first count filter
	rm -rf "$tmp/try"; mkdir "$tmp/try"
	ffmpeg -v error -framerate 24 -start_number 1 -i "$tmp/$1-$2/%04d.png" -vf "format=gbrp,$5,format=rgb24" -start_number 1 "$tmp/try/%04d.png" 2> /dev/null || return 0
	_p=$(psnr "$tmp/try" "$tmp/$1" "$3" "$4")
	[ "$(awk -v a="${_p:-0}" -v b="$best" 'BEGIN {print (a > b)}')" = 1 ] && best=$_p && how=$5
	return 0
}
rival() { # name sigma first count
	best=0; how=none
	for k in 0.4 0.55 0.7; do try "$1" "$2" "$3" "$4" "nlmeans=s=$(awk -v s="$2" -v k=$k 'BEGIN {v = s * k; print v < 1 ? 1 : v}'):p=5:r=11"; done
	for k in 1 1.6; do try "$1" "$2" "$3" "$4" "fftdnoiz=sigma=$(awk -v s="$2" -v k=$k 'BEGIN {print s * k}'):overlap=0.75$([ "$4" -gt 1 ] && echo :prev=1:next=1)"; done
	for k in 1 2; do try "$1" "$2" "$3" "$4" "hqdn3d=$(awk -v s="$2" -v k=$k 'BEGIN {print s * k}')"; done
	try "$1" "$2" "$3" "$4" "bm3d=sigma=$2:group=8:range=8:mstep=2:thmse=5000"
}
compare() { # name first count radius
	for s in ${SIGMAS:-5 10 25}; do
		plant "$1" "$s"
		scene "$1-ours" "$1-$s" "sigma=\"$(signal "$s")\" radius=\"$4\""
		rm -rf "$tmp/$1-ours"; mkdir "$tmp/$1-ours"
		"$in" render "$tmp/$1-ours.xml" --no-cache --progress none > /dev/null 2>&1
		o=$(psnr "$tmp/$1-ours" "$tmp/$1" "$2" "$3"); rival "$1" "$s" "$2" "$3"
		result "degrain $1, sigma $s (grained $(psnr "$tmp/$1-$s" "$tmp/$1" "$2" "$3") dB), against $how: dB more" "$o dB" "$best dB" "$(awk -v a="$o" -v b="$best" 'BEGIN {printf "%.2f", a - b}')" 0.5
	done
}
for k in ${STILLS-kodak_03 kodak_15}; do
	mkdir -p "$tmp/$k"
	ffmpeg -v error -i "$data/grain/$k.png" -start_number 1 "$tmp/$k/%04d.png"
	compare $k 1 1 0
done
for c in ${CLIPS-live/bigbuckbunny_51.mp4 live/flower.mp4 video/kandinsky5_profile.mp4}; do
	n=$(basename "$c"); n=${n%.*}
	mkdir -p "$tmp/$n"
	ffmpeg -v error -ss 2 -i "$data/$c" -frames:v 7 -vf 'scale=iw/2:ih/2:flags=area,format=rgb24' -start_number 1 "$tmp/$n/%04d.png"
	compare "$n" 3 3 2
done
