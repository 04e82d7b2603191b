#!/bin/sh
# run.sh - milliseconds per 1080p float frame of a few chains, beside FFmpeg's float filters in the same run, as medians
# of five pairs and as ratios (over 1: interneg is faster). Net of the source, which is timed alone. Other people's
# processes share machines: quote the ratios.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
in=${INTERNEG:-$PWD/interneg}
command -v ffmpeg > /dev/null || { echo "bench: no ffmpeg to compare with"; exit 0; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
N=${N:-12}
scene() { # name nodes
	printf '<graph version="1" name="b" fps="24">\n<pattern id="src" kind="constant" width="1920" height="1080" frames="400"/>\n<pass id="p" kind="integrate">%s</pass>\n</graph>\n' "$2" > "$tmp/$1.xml"
}
scene source '<merge id="end" in="src" over="src" operation="average"/>'
scene grade '<grade id="end" in="src" slope="1.1 1 0.95" power="0.98 1 1.02" saturation="0.9"/>'
scene blur '<blur id="end" in="src" sigma="0.6"/>'
scene blur15 '<blur id="end" in="src" sigma="15"/>'
scene upscale '<upscale id="end" in="src" scale="2" ringing="0"/>'
scene grain '<grain id="end" in="src" amount="0.05"/>'
ours() { # scene threads -> ms a frame
	s=$(date +%s%N)
	"$in" render "$tmp/$1.xml" --only end -F 1-$N --no-cache --threads "$2" --progress none 2> "$tmp/err" || { head -2 "$tmp/err" >&2; exit 1; }
	echo $((($(date +%s%N) - s) / 1000 / N))
}
ff() { # filters threads
	s=$(date +%s%N)
	ffmpeg -v error -threads "$2" -filter_threads "$2" -f lavfi -i "color=c=0x806040:s=1920x1080:r=24,format=gbrpf32le" -frames:v "$N" -vf "$1" -f null - < /dev/null
	echo $((($(date +%s%N) - s) / 1000 / N))
}
median() { sort -n | awk '{v[NR] = $1} END {print v[int((NR + 1) / 2)]}'; }
pairs() { # label scene filter
	for t in 1 2; do
		rm -f "$tmp/a" "$tmp/b"
		for _ in 1 2 3 4 5; do
			a=$(($(ours "$2" $t) - $(ours source $t))); b=$(($(ff "$3" $t) - $(ff null $t)))
			[ $a -lt 1 ] && a=1; [ $b -lt 1 ] && b=1
			echo $a >> "$tmp/a"; echo $b >> "$tmp/b"
		done
		a=$(median < "$tmp/a"); b=$(median < "$tmp/b")
		awk -v l="$1" -v t=$t -v a="$a" -v b="$b" 'BEGIN {printf "%-28s %d thread%s  interneg %7.1f ms  ffmpeg %7.1f ms  ratio %.2f\n", l, t, (t > 1 ? "s" : " "), a / 1000, b / 1000, b / a}'
	done
}
printf 'LUT_1D_SIZE 3\n0 0 0\n0.45 0.5 0.55\n1 1 1\n' > "$tmp/p.cube"
pairs "blur 0.6" blur gblur=sigma=0.6
pairs "blur 15" blur15 gblur=sigma=15
pairs "Lanczos3 1080p to 2160p" upscale "zscale=w=3840:h=2160:f=lanczos"
pairs "CDL and saturation" grade "colorchannelmixer=rr=1.1,lut1d=file=$tmp/p.cube"
pairs "grain" grain "format=gbrp,noise=alls=5:allf=t,format=gbrpf32le"
