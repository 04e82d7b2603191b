#!/bin/sh
# start.sh - from exec to the first task, big graphs, a re-render that has nothing to do; milliseconds, medians.
# Targets: 30 without a clip, 60 with one; 10,000 nodes: check 500, plan of 1,000 frames 5000; no-op 500. They are of a
# quiet machine: CPU time is what they are held against, and wall time is printed beside it.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
runs=${RUNS:-9}
cd "$tmp" || exit 1
$CC -O2 -std=c11 -D_GNU_SOURCE -o probe "$bench/start_probe.c" || exit 1

# Wall and CPU time; a subject that has a target, in ms, is held against it by its CPU time.
row() { # subject target runs word command...
	_what=$1 _goal=$2; shift 2
	# shellcheck disable=SC2046
	set -- $(./probe "$@")
	[ $# = 2 ] || { printf '=\t%s\tfailed\n' "$_what"; return; }
	if [ "$_goal" = - ]; then note "$_what: $1 ms, CPU $2 ms"
	else result "$_what (wall $1 ms)" "$2 ms" "$_goal ms" "$(ratio "$2" "$_goal")" 1 le
	fi
}

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

row "an empty main, the program's own libraries" - "$runs" - ./empty
row "an empty main, FFmpeg's libraries as well" - "$runs" - ./empty-av
row "interneg --help, whole" - "$runs" - "$in" --help

scene plain "$(pattern 1)" 'plain/a.####.exr'
row "exec to the end of the first task, no clip" 30 "$runs" worker sh -c 'rm -rf plain; exec "$0" render plain.xml --no-cache --debug=sched' "$in"
scene make "$(pattern 2)" clip.mkv
"$in" render make.xml --no-cache --progress none
scene clip '<read id="src" file="clip.mkv"/>' 'clip/a.####.exr'
row "exec to the end of the first task, a clip" 60 "$runs" worker sh -c 'rm -rf clip; exec "$0" render clip.xml --no-cache --debug=sched' "$in"

scene noop "$(pattern 1000)" 'noop/a.####.exr'
sed -i 's/kind="look">/kind="look" keep="always">/' noop.xml
"$in" render noop.xml --progress none
row "re-render, 1,000 frames up to date" 500 5 - "$in" render noop.xml --progress none
row "plan of it" - 5 - "$in" plan noop.xml
rm -rf noop
row "plan of it, outputs gone, 1,000 frames cached" - 5 - "$in" plan noop.xml

graph() { awk -v kind="$1" -v n="$2" -v frames="$3" -f "$bench/start_graph.awk" > "$1-$2-$3.xml"; }
for kind in chain fan passes; do
	graph $kind 10000 1000
	row "check, 10,000 nodes, $kind" 500 3 - "$in" check $kind-10000-1000.xml
done
for kind in chain fan; do
	row "plan, 10,000 nodes, 1,000 frames, $kind" 5000 1 - "$in" plan $kind-10000-1000.xml
done

# Growth: a bar of equal length in every line of a verb means that cost is linear.
printf '\n%-7s %-6s %8s %10s %12s\n' verb graph nodes "CPU ms" "us a node"
for kind in chain fan; do
	for verb in check plan fmt graph; do
		for n in 1000 3000 10000 30000; do
			graph $kind $n 24
			"$tmp/measure" m 0 "$in" $verb $kind-$n-24.xml > /dev/null || exit 1
			read -r _ us _ < m
			awk -v verb=$verb -v kind=$kind -v n=$n -v us="$us" 'BEGIN {
				printf "%-7s %-6s %8d %10.1f %12.2f  ", verb, kind, n, us / 1000, us / n
				for (i = 0; i < us / n && i < 60; i++) printf "#"
				printf "\n" }'
		done
	done
done
