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

# A limit is kept within 5 %, or refused with status 7 and a message that names the least that one frame needs.
scene big4 "$BIG$(look src4 "$GLOW")"
for limit in 1024 700 500 400 300 200 100; do
	"$tmp/measure" "$tmp/big4.m" 0 "$in" render "$tmp/big4.xml" --only end -F 1-6 --no-cache --threads 2 \
		--memory "${limit}M" --progress none > /dev/null 2> "$tmp/big4.err"
	rc=$?
	if [ $rc = 0 ]; then
		result "4K B under --memory ${limit}M" "$(mib "$(peak big4)")" "$limit MiB" "$(ratio "$(peak big4)" $((limit * 1024)))" 1.05 le
	elif [ $rc = 7 ] && grep -q '[0-9] *[MG]i\?B\|[0-9][MG]' "$tmp/big4.err"; then
		note "--memory ${limit}M is refused: $(head -n 1 "$tmp/big4.err")"
		least=$(sed -n 's/.*needs[^0-9]*\([0-9][0-9]*\) *M.*/\1/p' "$tmp/big4.err" | head -n 1)
		break
	else
		result "4K B under --memory ${limit}M" "status $rc" "7 or $limit MiB" 99 1.05 le
		head -n 1 "$tmp/big4.err"
		break
	fi
done
[ -n "${least:-}" ] || { skip "4K B at the least memory" "no refusal named it"; exit 0; }
"$tmp/measure" "$tmp/big4.m" 0 "$in" render "$tmp/big4.xml" --only end -F 1-6 --no-cache --threads 2 --memory "${least}M" --progress none > /dev/null 2>&1
rc=$?
if [ $rc = 0 ]; then
	result "4K B at the least that the refusal named" "$(mib "$(peak big4)")" "$least MiB" "$(ratio "$(peak big4)" $((least * 1024)))" 1.05 le
else
	result "4K B at the least that the refusal named" "status $rc" "$least MiB" 99 1.05 le
fi
