#!/bin/sh
# degrain.sh - degrain beside FFmpeg's nlmeans, bm3d, fftdnoiz and hqdn3d, one row for a picture, a grain and its strength.
#
# degrain.sh [stills=A,B] [clips=A,B] [sigmas=5,25] [grains=white,35mm-medium,16mm-coarse] [crop=WxH]
#            [sweep=0|1|2] [speed=0|1|still|clip]
#   FULL=1     in the environment: five stills, three clips, sigmas 5, 10 and 25, sweep=2 (hours)
#   stills     pictures of ../shared/data/grain; clips: of ../shared/data, seven frames at half size; "" for none
#   sigmas     standard deviation of the planted grain, of 255 (a stock's in green at mid-grey)
#   crop       480x320 (default): the middle of them that is used; whole: all
#   grains     white, or a stock in its own size (a pixel of it is a pixel of the picture)
#   sweep      how FFmpeg's filters are set, on stills and clips: 0 (default) as this file has it from the last full
#              sweep, 1 the same, but their strength is climbed by steps of a quarter, 2 all parameters are, from
#              several starts
#   speed      still, clip, 1 (default: both), 0: CPU time a 1080p frame, beside nlmeans as it comes
# What was taken is measured before the neutral picture is rounded to 8 bits (PSNR after it).
# Columns: PSNR grained, ours, each filter's at its best (8 bits in and out, R, G and B); CPU milliseconds a megapixel and
# frame, one thread, ours (net of decoding; theirs read raw frames) and of the filter of the best PSNR; their ratio; the
# worst of the spectrum of what we took against the grain that was there (degrain.c), |r| with edges, the grain's own, and the
# share of pixels that both |r| are without: cells whose grain is clipped, where the planted grain itself fails (up to 0.13).
# Set12, which the literature uses, is not in ../shared/data: its protocol (white grain over clean stills) runs on Kodak's.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
have ffmpeg || { skip "degrain" "no ffmpeg to compare with"; exit 0; }
data=
for d in "$root/../shared/data" /work/shared/data; do [ -z "$data" ] && [ -r "$d/grain" ] && data=$d; done
[ -n "$data" ] || { skip "degrain" "no ../shared/data"; exit 0; }
stills=kodak_03,kodak_23 clips=live/flower.mp4 sigmas=5,25 grains=white,35mm-medium,16mm-coarse sweep=0 speed=1 crop=480x320
if [ "${FULL:-}" ]; then
	stills=kodak_03,kodak_07,kodak_15,kodak_20,kodak_23 sigmas=5,10,25 sweep=2
	clips=live/bigbuckbunny_51.mp4,live/flower.mp4,video/kandinsky5_profile.mp4
fi
for a; do
	case $a in
	stills=* | clips=* | sigmas=* | grains=* | sweep=* | speed=* | crop=*) eval "${a%%=*}=\${a#*=}" ;;
	*) echo "degrain.sh: no $a" >&2; exit 2 ;;
	esac
done
build degrain -lm || { skip "degrain" "no compiler"; exit 0; }
list() { echo "$1" | tr ',' ' '; }

# --- planted grain ---

# The stock with the picture's lines for its own, so strong that green at mid-grey has this sigma.
stock() { # name lines sigma
	awk -v h="$2" -v s="$3" '
		FNR == NR { if ($1 == "strength" && $2 == 0.5) k = s / 255 / $4; next }
		$1 == "height" { $2 = h }
		$1 == "strength" { printf "strength %s %.7f %.7f %.7f\n", $2, $3 * k, $4 * k, $5 * k; next }
		{ print }' "$root/graphs/stocks/$1.grain" "$root/graphs/stocks/$1.grain"
}
render() { "$in" render "$1" --no-cache --progress none > "$tmp/render.log" 2>&1 || { tail -n 2 "$tmp/render.log" >&2; return 1; }; }
raw() { ffmpeg -v error -y -start_number 1 -i "$1/%04d.png" -f rawvideo -pix_fmt "${3:-rgb24}" "$2"; }
# $tmp/src/ to $tmp/grained/, and $tmp/neutral.xml that takes it out again; raw frames of both.
plant() { # sigma grain radius lines
	if [ "$2" = white ]; then
		_g="amount=\"$(awk -v s="$1" 'BEGIN {printf "%.6f", 3 * s / 255}')\" size=\"0\" colour=\"1\" response=\"0,1 1,1\""
		_d="sigma=\"$(awk -v s="$1" 'BEGIN {printf "%.6f", s / 255}')\""
	else
		stock "$2" "$4" "$1" > "$tmp/planted.grain"
		_g="profile=\"$tmp/planted.grain\"" _d="profile=\"$tmp/planted.grain\""
	fi
	rm -rf "$tmp/grained" "$tmp/neutral"; mkdir "$tmp/grained" "$tmp/neutral"
	cat > "$tmp/plant.xml" <<XML
<graph version="1" fps="24"><read id="src" file="$tmp/src/####.png" color="rec709"/>
<pass id="p" kind="integrate"><grain id="g" in="src" $_g/></pass>
<write id="w" in="p" file="$tmp/grained/####.png" color="encoded" bits="8" dither="none"/></graph>
XML
	cat > "$tmp/neutral.xml" <<XML
<graph version="1" fps="24"><read id="src" file="$tmp/grained/####.png" color="rec709"/>
<pass id="p" kind="cleanup"><degrain id="d" in="src" $_d radius="$3"/></pass>
<write id="w" in="p" file="$tmp/neutral/####.png" color="encoded" bits="16" dither="none"/></graph>
XML
	render "$tmp/plant.xml" && render "$tmp/neutral.xml" && raw "$tmp/src" "$tmp/clean.raw" &&
		raw "$tmp/grained" "$tmp/grained.raw" && raw "$tmp/neutral" "$tmp/neutral.raw" rgb48le
}

# --- FFmpeg's filters: parameters with steps, climbed one at a time ---

# A filter from its parameters. FFmpeg 5.1's bm3d has blocks of 16x16 or larger, and finds nothing below a thmse that grows with the grain.
chain() { # name values...
	case $1 in
	nlmeans) echo "nlmeans=s=$2:p=$3:r=$4" ;;
	fftdnoiz) echo "fftdnoiz=sigma=$2:block=$3:overlap=$4:method=$5$([ "$count" -gt 1 ] && [ "$6" = 1 ] && echo :prev=1:next=1)" ;;
	hqdn3d) echo "hqdn3d=$2:$2:$3:$3" ;;
	bm3d)
		_b=sigma=$2:thmse=$3:group=$4:mstep=$5:hdthr=$6:range=9
		[ "$7" = 2 ] && echo "split[n][m];[n]bm3d=$_b:estim=basic[b];[m][b]bm3d=$_b:estim=final:ref=1" || echo "bm3d=$_b" ;;
	esac
}
# The neighbour values of a parameter: of a ladder, or a factor either way.
beside() { # name index value
	case $1$2 in
	nlmeans2) _l="3 5 7" ;; nlmeans3) _l="7 11 15 21" ;;
	fftdnoiz2) _l="8 16 32 64" ;; fftdnoiz3) _l="0.5 0.75 0.8" ;; fftdnoiz4) _l="0 1" ;; fftdnoiz5) _l="0 1" ;;
	bm3d3) _l="4 8 16 32" ;; bm3d4) _l="1 2 3" ;; bm3d5) _l="1.8 2.2 2.7 3.2" ;; bm3d6) _l="1 2" ;;
	bm3d2) awk -v v="$3" 'BEGIN {printf "%.0f %.0f\n", v / 4, v * 4}'; return ;;
	*) awk -v v="$3" -v m="$1" 'BEGIN {a = v * 0.8; b = v * 1.25; if (m == "nlmeans" && a < 1) a = ""; printf "%.4g %.4g\n", a, b}'; return ;;
	esac
	echo "$_l" | awk -v v="$3" '{for (i = 1; i <= NF; i++) if ($i == v) print $(i - 1 > 0 ? i - 1 : i + 1), $(i < NF ? i + 1 : i - 1)}'
}
starts() { # name sigma count: lines of values; the first is from the last full sweep
	awk -v n="$1" -v s="$2" -v c="$3" '
		function least(v) { return v < 1 ? 1 : v }
		BEGIN {
			t = c > 1 ? 1 : 0; small = s < 8
			if (n == "nlmeans") {
				printf "%.4g %d %d\n", least(s * (small ? 0.4 : 0.55)), (small ? 3 : 5), (small ? 7 : 11)
				printf "%.4g 7 15\n", least(s * 0.4)
			} else if (n == "fftdnoiz") {
				printf "%.4g %d 0.75 0 %d\n%.4g 16 0.75 1 %d\n", s * (small ? 0.96 : s < 15 ? 2 : 3.6), (small ? 16 : 32), t, s, t
			} else if (n == "hqdn3d") {
				printf "%.4g %.4g\n%.4g %.4g\n", s * (small ? 1.2 : 1.9), (t ? s * 1.5 : 0.1), s * 0.6, (t ? s : 0.1)
			} else {
				printf "%.4g %.0f 16 1 2.7 1\n%.4g %.0f 16 2 2.7 2\n", s, 800 * s * s, s, 3200 * s * s
			}
		}'
}
frames() { timeout 100 ffmpeg -v error -y -threads 1 -filter_threads 1 -f rawvideo -pix_fmt rgb24 -s "${w}x$h" -r 24 -i "$tmp/grained.raw" "$@"; }
through() { # format chain: PSNR into $db
	_k="$1 $2"
	db=$(awk -F '\t' -v k="$_k" '$1 == k {print $2; exit}' "$tmp/tried")
	[ -z "$db" ] || return 0
	frames -filter_complex "format=$1,$2,format=rgb24" -f rawvideo -pix_fmt rgb24 -frames:v $((first + seen)) "$tmp/tried.raw" 2> /dev/null || : > "$tmp/tried.raw"
	db=$("$tmp/degrain" "$tmp/clean.raw" "$tmp/grained.raw" "$tmp/tried.raw" "$w" "$h" "$first" "$seen" 2> /dev/null | cut -d ' ' -f 2)
	db=${db:-0}
	printf '%s\t%s\n' "$_k" "$db" >> "$tmp/tried"
}
better() { [ "$(awk -v a="$1" -v b="$2" -v d="${3:-0}" 'BEGIN {print (a > b + d)}')" = 1 ]; }
# Climbs from the values until no neighbour gains 0.02 dB; $top: the PSNR, $at: the values.
climb() { # name values...
	_n=$1; shift; at=$*
	# shellcheck disable=SC2046,SC2086
	through gbrp "$(chain $_n $at)"; top=$db
	[ "$sweep" = 0 ] && return 0
	_more=1
	while [ $_more = 1 ]; do
		_more=0 _i=0
		for _v in $at; do
			_i=$((_i + 1))
			[ "$sweep" = 2 ] || [ $_i = 1 ] || continue
			for _u in $(beside "$_n" $((_i)) "$_v"); do
				_to=$(echo "$at" | awk -v i=$_i -v u="$_u" '{$i = u; print}')
				# shellcheck disable=SC2086
				through gbrp "$(chain $_n $_to)"
				better "$db" "$top" 0.02 && { top=$db at=$_to; _more=1; }
			done
		done
	done
}
# The best that filter $1 does with this picture: $best dB through $how.
rival() { # name sigma
	best=0 how=none
	starts "$1" "$2" "$count" | head -n $([ "$sweep" = 2 ] && echo 9 || echo 1) > "$tmp/starts"
	while read -r _start; do
		# shellcheck disable=SC2086
		climb "$1" $_start
		better "$top" "$best" && best=$top how="format=gbrp,$(chain $1 $at)"
		# shellcheck disable=SC2086
		through yuv444p "$(chain $1 $at)"
		better "$db" "$best" && best=$db how="format=yuv444p,$(chain $1 $at)"
	done < "$tmp/starts"
}

# --- one row ---

ours() { run ours "$in" render "$tmp/neutral.xml" --only d -F "1-$1" --no-cache --threads 1 --progress none; }
source() { run source "$in" render "$tmp/neutral.xml" --only src -F "1-$1" --no-cache --threads 1 --progress none; }
ff() { # name frames filter
	run "$1" ffmpeg -v error -threads 1 -filter_threads 1 -f rawvideo -pix_fmt rgb24 -s "${w}x$h" -r 24 -i "$tmp/grained.raw" -frames:v "$2" -filter_complex "$3" -f null -
}
theirs() { ff theirs "$1" "$peer"; }
megapixel() { awk -v u="$1" -v p=$((w * h)) 'BEGIN {printf "%.0f", u / p * 1e6 / 1000}'; }

# The grained picture in src/: w h frames, of which $seen from $first on count; radius.
row() { # label sigma grain radius
	plant "$2" "$3" "$4" "$h" || return 1
	: > "$tmp/tried"
	most=0 who=none cells=
	for f in nlmeans bm3d fftdnoiz hqdn3d; do
		rival $f "$2"
		cells="$cells $best"
		note "  $f: $best dB: $how"
		better "$best" "$most" && most=$best who=$f peer=$how
	done
	rm -f "$tmp"/*.s
	for _ in $(seq "$PAIRS"); do
		for f in ours theirs source; do sample $f 2 6 || return 1; done
	done
	_a=$(megapixel "$(net ours source cpu)") _b=$(megapixel "$(med theirs cpu)")
	read -r was db off at ch r own without <<-LINE
	$("$tmp/degrain" "$tmp/clean.raw" "$tmp/grained.raw" "$tmp/neutral.raw" "$w" "$h" "$first" "$seen" 16)
	LINE
	# shellcheck disable=SC2086
	printf '%-22s %-11s %5s %6s %6s  %6s %6s %6s %6s  %5s %5s %-8s %5s  %6s at %s %s  %6s (%s; without %s)\n' "$1" "$3" "$2" "$was" "$db" $cells "$_a" "$_b" "$who" \
		"$(ratio "$_b" "$_a")" "$off" "$at" "$ch" "$r" "$own" "$without"
	_s="$1 $3 $2"
	result "degrain $_s against $who: dB more" "$db dB" "$most dB" "$(awk -v a="$db" -v b="$most" 'BEGIN {printf "%.2f", a - b}')" 0
	result "degrain $_s against $who: speed" "$_a ms" "$_b ms" "$(ratio "$_b" "$_a")" 1
	result "degrain $_s spectrum: dB off, at most" "$off dB" "$at c/px" "$(echo "$off" | tr -d '+-')" 0.5 le
	result "degrain $_s edges: |r|, without $without clipped" "$r" "$own" "$(echo "$r" | tr -d '+-')" 0.05 le
}
rows() { # label radius
	for g in $(list "$grains"); do for s in $(list "$sigmas"); do row "$1" "$s" "$g" "$2" || skip "degrain $1 $g $s" "failed"; done; done
}
cut=
[ "$crop" = whole ] || cut="crop='min(iw,${crop%x*})':'min(ih,${crop#*x})',"
size() { w=$(ffprobe -v error -select_streams v -show_entries stream=width -of csv=p=0 "$1") h=$(ffprobe -v error -select_streams v -show_entries stream=height -of csv=p=0 "$1"); }
note "PSNR in dB, CPU milliseconds a megapixel; spectrum in dB off at cycles a pixel, channel; |r| with edges (the grain's own)"
printf '%-22s %-11s %5s %6s %6s  %6s %6s %6s %6s  %5s %5s %-8s %5s  %s\n' picture grain sigma was ours nlmeans bm3d fftdn hqdn3d ours best which ratio 'spectrum  |r|'
for k in $(list "$stills"); do
	rm -rf "$tmp/src"; mkdir "$tmp/src"
	ffmpeg -v error -i "$data/grain/$k.png" -vf "${cut}format=rgb24" "$tmp/src/0001.png"
	for i in 2 3 4 5 6 7; do cp "$tmp/src/0001.png" "$tmp/src/000$i.png"; done
	size "$tmp/src/0001.png"
	count=1 first=0 seen=1
	rows "$k" 0
done
for c in $(list "$clips"); do
	rm -rf "$tmp/src"; mkdir "$tmp/src"
	ffmpeg -v error -ss 2 -i "$data/$c" -frames:v 7 -vf 'scale=trunc(iw/4)*2:trunc(ih/4)*2:flags=area,'"${cut}format=rgb24" -start_number 1 "$tmp/src/%04d.png"
	size "$tmp/src/0001.png"
	count=7 first=2 seen=3
	n=$(basename "$c")
	rows "${n%.*}" 2
done

# --- 1080p, against nlmeans as it comes (s=5, patch 7, research 15) ---

[ "$speed" != 0 ] || exit 0
rm -rf "$tmp/grained"; mkdir "$tmp/grained"
ffmpeg -v error -ss 2 -i "$data/video/allegro_aurora.mp4" -frames:v 7 -vf scale=1920:1080,noise=alls=12:allf=t,format=rgb24 -start_number 1 "$tmp/grained/%04d.png"
raw "$tmp/grained" "$tmp/grained.raw"
w=1920 h=1080
speed() { # still|clip radius
	cat > "$tmp/neutral.xml" <<XML
<graph version="1" fps="24"><read id="src" file="$tmp/grained/####.png" color="rec709"/>
<pass id="p" kind="cleanup"><degrain id="d" in="src" sigma="0.02" radius="$2"/></pass></graph>
XML
	rm -f "$tmp"/*.s
	for _ in $(seq "$PAIRS"); do for f in ours rgb yuv source reading; do sample $f 2 6 || return 1; done; done
	for g in rgb yuv; do
		_a=$(net ours source cpu) _b=$(net $g reading cpu)
		result "degrain $1, 1080p RGB, against nlmeans $([ $g = rgb ] && echo RGB || echo 4:2:0)" "$(ms "$_a")" "$(ms "$_b")" "$(ratio "$_b" "$_a")" 3
	done
}
rgb() { ff rgb "$1" format=gbrp,nlmeans=s=5:p=7:r=15; }
yuv() { ff yuv "$1" format=yuv420p,nlmeans=s=5:p=7:r=15; }
reading() { ff reading "$1" format=gbrp; }
[ "$speed" = clip ] || speed still 0
[ "$speed" = still ] || speed clip 2
