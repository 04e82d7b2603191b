#!/bin/sh
# memory.sh - peak resident memory: B for short and long clips, and a 4K graph under falling --memory.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$bench/jobs_scenes.sh"
threads=2
mib() { echo "$(($1 / 1024)) MiB"; }
peak() { awk '{print $3}' "$tmp/$1.m"; }
long=96
[ -z "${LONG:-}" ] || long=2400
ours_b 24 && short_kib=$(peak ours_b) && ours_b $long && long_kib=$(peak ours_b) || exit 1
result "B: peak of $long frames against 24" "$(mib "$long_kib")" "$(mib "$short_kib")" "$(ratio "$long_kib" "$short_kib")" 1.05 le
result "B: peak in MiB against 300" "$(mib "$long_kib")" "300 MiB" "$(ratio "$long_kib" 307200)" 1 le

# Under --memory: the least that a refusal (status 7) names, and twice that. Peak within 5 % of the limit.
under() { # scene limit-in-MiB; status and peak
	"$tmp/measure" "$tmp/$1.m" 0 "$in" render "$tmp/$1.xml" --only end -F 3-6 --cache "$tmp/$1.cache" --threads 2 \
		--memory "${2}M" --progress none > /dev/null 2> "$tmp/$1.err"
	rc=$?
	rm -rf "$tmp/$1.cache"
	return $rc
}
limits() { # label scene more-limits...
	_l=$1 _s=$2; shift 2
	under "$_s" 8
	rc=$?
	least=$(sed -n 's/.*needs --memory \([0-9]*\)M.*/\1/p' "$tmp/$_s.err" | head -n 1)
	[ $rc = 7 ] && [ -n "$least" ] || { printf '=\t%s\tfailed\n' "$_l: no refusal with a figure at 8 MiB"; return; }
	for _m in "$least" $((2 * least)) "$@"; do
		if under "$_s" "$_m"; then
			result "$_l under --memory ${_m}M$([ "$_m" = "$least" ] && echo ', the least')" "$(mib "$(peak "$_s")")" "$_m MiB" \
				"$(ratio "$(peak "$_s")" $((_m * 1024)))" 1.05 le
		else result "$_l under --memory ${_m}M" "refused" "$_m MiB" 99 1.05 le
		fi
	done
}
shot() { # name width height nodes
	scene "$1" "<pattern id=\"shot\" kind=\"shot\" width=\"$2\" height=\"$3\" frames=\"12\"/>$4"
}
pass() { printf '<pass id="%s" kind="%s" keep="never">%s</pass>' "$1" "$2" "$3"; }
scene big4 "$BIG$(look src4 "$GLOW")"
limits "4K B" big4 300 1024
shot learned 1920 1080 "$(pass up detail '<upscale id="u" in="shot" scale="2" method="learned"/>')$(pass fin integrate '<grain id="end" in="up" amount="0.05"/>')"
limits "learned to 4K and grain" learned
shot degrain 1280 720 "$(pass c cleanup '<degrain id="end" in="shot" sigma="0.02"/>')"
limits "degrain, five frames" degrain
shot steady 1280 720 "$(pass c detail '<steady id="end" in="shot"/>')"
limits "steady, five frames" steady
shot stock 1920 1080 "$(pass c integrate '<grain id="end" in="shot" profile="stock:35mm-medium"/>')"
limits "grain of a stock" stock
shot scope 1920 1080 '<scope id="end" in="shot"/>'
limits "scope" scope
weights=$root/../shared/data/weights/realesr-animevideov3-x2.param
if [ -r "$weights" ]; then
	sha=$("$in" model "$weights" | sed -n 's/.*\([0-9a-f]\{64\}\).*/\1/p' | head -n 1)
	shot neural 480 270 "<pass id=\"c\" kind=\"detail\"><upscale id=\"end\" in=\"shot\" scale=\"2\" method=\"neural\" model=\"$weights\" model_sha256=\"$sha\"/></pass>"
	limits "neural, 16 blocks" neural
else skip "neural under --memory" "no weights"
fi
