#!/bin/sh
# start - from exec to the first task, big graphs, a re-render that has nothing to do; milliseconds, medians.
# Targets: 30 without a clip, 60 with one; 10,000 nodes: check 500, plan of 1,000 frames 5000; no-op 500.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
in=${INTERNEG:-$root/interneg}
INTERNEG_SHARE=${INTERNEG_SHARE:-$root}
export INTERNEG_SHARE
runs=${RUNS:-9}
d=$(mktemp -d)
trap 'rm -rf "$d"' EXIT
cd "$d"
${CC:-cc} -O2 -std=c11 -D_GNU_SOURCE -o probe "$here/start_probe.c"
row() { printf '%-46s %9s %9s\n' "$@"; }

scene() {  # scene NAME SOURCE-ELEMENT OUTPUT
	cat > "$1.xml" <<-EOF
	<?xml version="1.0" encoding="UTF-8"?>
	<graph version="1" name="$1" fps="24" working="acescg">
	  $2
	  <pass id="look" kind="look">
	    <grade id="graded" in="src" exposure="0.1"/>
	  </pass>
	  <write id="w" in="graded" file="$3"/>
	</graph>
	EOF
}
chart='<pattern id="src" kind="ramp" width="64" height="36" frames="NN"/>'
pattern() { echo "$chart" | sed "s/NN/$1/"; }

# An empty main that is linked with what the program is linked with, and with FFmpeg as well.
needed() { readelf -d "$in" | sed -n 's/.*NEEDED.*\[\(.*\)\]/-l:\1/p' | grep -v libc.so; }
av=$(ldconfig -p | sed -n 's/.*\(libav\(format\|codec\|util\)\.so\.[0-9]*\) .*/-l:\1/p' | sort -u)
echo 'int main(void) { return 0; }' > empty.c
${CC:-cc} -o empty empty.c -Wl,--no-as-needed $(needed)
${CC:-cc} -o empty-av empty.c -Wl,--no-as-needed $(needed) $av

row "" "wall ms" "CPU ms"
row "an empty main, the program's own libraries" $(./probe "$runs" - ./empty)
row "an empty main, FFmpeg's libraries as well" $(./probe "$runs" - ./empty-av)
row "interneg --help, whole" $(./probe "$runs" - "$in" --help)

scene plain "$(pattern 1)" 'plain/a.####.exr'
row "exec to the end of the first task, no clip" \
	$(./probe "$runs" worker sh -c 'rm -rf plain; exec "$0" render plain.xml --no-cache --debug=sched' "$in")
scene make "$(pattern 2)" clip.mkv
"$in" render make.xml --no-cache --progress none
scene clip '<read id="src" file="clip.mkv"/>' 'clip/a.####.exr'
row "exec to the end of the first task, a clip" \
	$(./probe "$runs" worker sh -c 'rm -rf clip; exec "$0" render clip.xml --no-cache --debug=sched' "$in")

scene noop "$(pattern 1000)" 'noop/a.####.exr'
sed -i 's/kind="look">/kind="look" keep="always">/' noop.xml
"$in" render noop.xml --progress none
row "re-render, 1,000 frames up to date" $(./probe 5 - "$in" render noop.xml --progress none)
row "plan of it" $(./probe 5 - "$in" plan noop.xml)
rm -rf noop
row "plan of it, outputs gone, 1,000 frames cached" $(./probe 5 - "$in" plan noop.xml)

graph() { awk -v kind="$1" -v n="$2" -v frames="$3" -f "$here/start_graph.awk" > "$1-$2-$3.xml"; }
for kind in chain fan passes; do
	graph $kind 10000 1000
	row "check, 10,000 nodes, $kind" $(./probe 3 - "$in" check $kind-10000-1000.xml)
done
row "plan, 10,000 nodes, 1,000 frames, chain" $(./probe 1 - "$in" plan chain-10000-1000.xml)

# Growth: a bar of equal length in every line of a verb means that cost is linear.
printf '\n%-7s %8s %10s %12s\n' verb nodes "CPU ms" "us a node"
for verb in check plan fmt graph; do
	for n in 1000 3000 10000 30000; do
		graph chain $n 24
		set -- $(./probe 3 - "$in" $verb chain-$n-24.xml)
		awk -v verb=$verb -v n=$n -v ms="$2" 'BEGIN {
			us = ms * 1000 / n
			printf "%-7s %8d %10.1f %12.2f  ", verb, n, ms, us
			for (i = 0; i < us && i < 60; i++) printf "#"
			printf "\n" }'
	done
done
