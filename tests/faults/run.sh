#!/bin/sh
# run.sh [N] - kills a render at N seeded random moments (default 40), and after each lets it finish: same hashes, no
# half-written output, nothing done twice that was kept. Prints "N passed, N failed".
# SPDX-License-Identifier: BSD-2-Clause
n=${1:-40}
cd "$(dirname "$0")/../.." || exit 1
in=${INTERNEG:-$PWD/interneg}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
cat > "$tmp/s.xml" <<'X'
<graph version="1" name="f" fps="24">
  <pattern id="plate" kind="shot" width="320" height="180" frames="10"/>
  <pass id="detail" kind="detail" keep="always"><upscale id="up" in="plate" scale="2"/></pass>
  <pass id="look" kind="look" keep="always"><grade id="g" in="up" contrast="1.1"/></pass>
  <write id="seq" in="g" file="out/f.####.exr"/>
  <write id="clip" in="g" file="out/f.mov" preset="master-prores"/>
</graph>
X
hashes() { sed -n 's/.*"node":"\([^"]*\)","frame":\([0-9]*\),"hash":"\([0-9a-f]*\)".*/\1 \2 \3/p' "$1" | sort; }
"$in" render "$tmp/s.xml" --progress json > "$tmp/want.json" 2>/dev/null
hashes "$tmp/want.json" > "$tmp/want"
sum=$(sha256sum "$tmp"/out/* | sort | sha256sum)
good=0 bad=0 seed=1
while [ $((good + bad)) -lt "$n" ]; do
	rm -rf "$tmp/out" "$tmp/.interneg"
	seed=$(((seed * 1103515245 + 12345) % 2147483648))
	wait_ms=$((seed / 65536 % 1500))
	"$in" render "$tmp/s.xml" --progress none > /dev/null 2>&1 & pid=$!
	sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
	kill -9 $pid 2>/dev/null
	wait $pid 2>/dev/null
	for f in "$tmp"/out/*; do
		case $f in *.exr) exrcheck=$(head -c 4 "$f" | od -An -tx1 | tr -d ' '); [ "$exrcheck" = 762f3101 ] || echo "# half-written $f" ;; esac
	done
	"$in" render "$tmp/s.xml" --progress none > /dev/null 2> "$tmp/err"
	rc=$?
	again=$(sha256sum "$tmp"/out/* 2>/dev/null | sort | sha256sum)
	if [ $rc -eq 0 ] && [ "$again" = "$sum" ]; then good=$((good + 1))
	else bad=$((bad + 1)); echo "not ok killed after $wait_ms ms: status $rc $(head -1 "$tmp/err")"; fi
done
echo "$good passed, $bad failed"
[ $bad -eq 0 ]
