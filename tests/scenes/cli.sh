#!/bin/sh
# cli.sh - the command line as a user meets it: statuses, options in any order, outputs, signals, stills, new and probe.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
in=${INTERNEG:?}
st() { # name wanted-status command...
	name=$1 want=$2; shift 2
	"$@" > "$tmp/cap" 2> "$tmp/err"; got=$?
	if [ $got -eq "$want" ]; then echo "ok cli $name"; else echo "not ok cli $name: status $got, expected $want: $(head -2 "$tmp/err" | tr '\n' ' ')"; fi
}
says() { # name file pattern
	if grep -q -- "$3" "$2"; then echo "ok cli $1"; else echo "not ok cli $1: nothing like '$3' in: $(head -3 "$2" | tr '\n' ' ')"; fi
}
cat > "$tmp/s.xml" <<'X'
<graph version="1" name="cli" fps="24">
  <param name="k" type="float" value="1" min="0" max="2"/>
  <pattern id="plate" kind="shot" width="160" height="90" frames="12"/>
  <pass id="look" kind="look"><grade id="g" in="plate" contrast="{k}"/></pass>
  <write id="a" in="g" file="out/a.mov" preset="master-prores"/>
  <write id="b" in="g" file="out/b.####.exr"/>
</graph>
X
st "help" 0 "$in" --help
full() { "$@" > /dev/full; }
if [ -w /dev/full ]; then st "help to a full disk" 9 full "$in" --help; fi
st "bad --memory" 2 "$in" check "$tmp/s.xml" --memory lots; says "names the option" "$tmp/err" "--memory lots"
st "no verb" 2 "$in"
st "unknown verb" 2 "$in" rendr "$tmp/s.xml"; says "names the nearest verb" "$tmp/err" "did you mean render"
st "unknown option" 2 "$in" render "$tmp/s.xml" --thread 2; says "names the nearest option" "$tmp/err" "did you mean --threads"
st "option of another verb" 2 "$in" probe "$tmp/s.xml" --oracle
st "missing scene" 3 "$in" render "$tmp/none.xml"
st "bad --set" 2 "$in" check "$tmp/s.xml" --set nope=1
st "frames outside" 2 "$in" render "$tmp/s.xml" -F 1-99
st "unknown --only" 2 "$in" render "$tmp/s.xml" --only nix
st "options in any order" 0 "$in" --threads 2 render -F 3-5 "$tmp/s.xml" --only b --progress json --memory 300M
says "JSON lines" "$tmp/cap" '"event":"frame","node":"b","frame":3,"hash":"[0-9a-f]\{32\}"'
st "-o wants one write" 2 "$in" render "$tmp/s.xml" -o "$tmp/x.mov"
st "-o" 0 "$in" render "$tmp/s.xml" --only a -o "$tmp/x.mov"
[ -s "$tmp/x.mov" ] && echo "ok cli -o wrote there" || echo "not ok cli -o wrote nothing"
st "second render is up to date" 0 "$in" render "$tmp/s.xml" --only a -o "$tmp/x.mov"; says "and says so" "$tmp/err" "up to date"
st "plan of what is up to date" 0 "$in" plan "$tmp/s.xml" --only a -o "$tmp/x.mov"; says "says so too" "$tmp/cap" "^a .*up to date"
echo mine > "$tmp/y.mov"
st "a file that is not interneg's stays" 9 "$in" render "$tmp/s.xml" --only a -o "$tmp/y.mov"; says "naming --overwrite" "$tmp/err" "overwrite"
[ "$(cat "$tmp/y.mov")" = mine ] && echo "ok cli and is untouched" || echo "not ok cli foreign file was changed"
st "--overwrite" 0 "$in" render "$tmp/s.xml" --only a -o "$tmp/y.mov" --overwrite
st "too little memory" 7 "$in" render "$tmp/s.xml" --memory 20M
st "an output folder that cannot be" 9 "$in" render "$tmp/s.xml" --only a -o "$tmp/s.xml/x/y.mov"
st "debug topics" 0 "$in" render "$tmp/s.xml" --only b -F 1 --overwrite --no-cache --debug plan,sched
says "--debug=plan tells the stages" "$tmp/err" "stage 0 "; says "--debug=sched tells the jobs" "$tmp/err" "worker [0-9]*: stage .* frame 1 done"
# stills
st "still" 0 "$in" still "$tmp/s.xml" look -F 5 -o "$tmp/st.png"
for how in --wipe --side --diff; do st "still $how" 0 "$in" still "$tmp/s.xml" g --against plate $how --crop 64,48 -o "$tmp/st$how.png"; done
st "still against a file" 0 "$in" still "$tmp/s.xml" g --against "$tmp/st.png" -o "$tmp/st2.png"
st "still of nothing" 2 "$in" still "$tmp/s.xml" gg -o "$tmp/st3.png"
if command -v python3 >/dev/null; then
	dims=$(python3 - "$tmp/st--side.png" <<'P'
import struct, sys
d = open(sys.argv[1], 'rb').read()
print('%dx%d' % struct.unpack('>II', d[16:24]))
P
)
	[ "$dims" = 64x48 ] && echo "ok cli crop of a still is 64x48" || echo "not ok cli crop of a still: $dims"
fi
# plan, graph, nodes
st "plan" 0 "$in" plan "$tmp/s.xml" --verbose; says "plan lists the write" "$tmp/cap" "^a .*write .* 1-12 .*write"
# stages of other sources are not of the plan
sed 's|  <pass |  <pattern id="aside" kind="constant" width="160" height="90" frames="12"/>\n  <pass |' "$tmp/s.xml" > "$tmp/two.xml"
st "plan of one node" 0 "$in" plan "$tmp/two.xml" --only g --verbose; says "plan lists its stage" "$tmp/cap" "^ .*tiles .* plate plate/acescg g"
if grep -q aside "$tmp/cap"; then echo "not ok cli plan lists only what is needed: aside stands in it"; else echo "ok cli plan lists only what is needed"; fi
st "graph" 0 "$in" graph "$tmp/s.xml"; says "graph is DOT" "$tmp/cap" "^digraph"
if command -v dot >/dev/null; then st "graph parses" 0 dot -Tsvg "$tmp/cap" -o /dev/null; fi
st "nodes NAME" 0 "$in" nodes grain; says "whole reference" "$tmp/cap" "amount"
st "nodes convert" 0 "$in" nodes convert; says "the colour spaces" "$tmp/cap" "slog3-cine.*S-Gamut3.Cine"
st "nodes of a wrong name" 2 "$in" nodes grian
# new, probe and a clip of ours
st "probe" 0 "$in" probe "$tmp/x.mov"; says "probe tells what is tagged" "$tmp/cap" "tagged"
st "new" 0 "$in" new "$tmp/x.mov" -o "$tmp/n.xml"; st "new in no folder" 9 "$in" new "$tmp/x.mov" -o "$tmp/s.xml/n.xml"; says "names the scene" "$tmp/err" "s.xml/n.xml: "
st "new keeps what is there" 9 "$in" new "$tmp/x.mov" -o "$tmp/n.xml"
st "a new scene is unsolved" 3 "$in" render "$tmp/n.xml"; says "and names the command" "$tmp/err" "interneg solve"
st "render --solve" 0 "$in" render "$tmp/n.xml" --solve --only view -F 1-2
st "solve --apply" 0 "$in" solve "$tmp/n.xml" --apply
st "then it checks" 0 "$in" check "$tmp/n.xml"
cp "$tmp/n.xml" "$tmp/n1.xml"; st "solving twice" 0 "$in" solve "$tmp/n.xml" --apply
cmp -s "$tmp/n.xml" "$tmp/n1.xml" && echo "ok cli solving twice changes nothing" || echo "not ok cli solving twice changed the scene"
# one file under two names
for two in 'out/a.mov ./out//a.mov' 'b.####.exr ./b.%04d.exr' 'c.exr c.exr'; do
	sed "s|file=\"out/a.mov\" preset=\"master-prores\"|file=\"${two% *}\"|; s|out/b.####.exr|${two#* }|" "$tmp/s.xml" > "$tmp/twice.xml"
	st "two writes of $two" 3 "$in" check "$tmp/twice.xml"; says "names the first" "$tmp/err" "'a' writes"
done
sed 's|out/a.mov" preset="master-prores|out/b.#.exr|' "$tmp/s.xml" > "$tmp/twice.xml"; st "names that differ" 0 "$in" check "$tmp/twice.xml"
printf '<graph version="1"><read id="r" file="x.mov"/><write id="a" in="r" file="./x.mov"/></graph>' > "$tmp/own.xml"
st "a write of its own source" 3 "$in" render "$tmp/own.xml" --overwrite; says "names the read" "$tmp/err" "'r' reads"
printf '<graph version="1"><read id="r" file="x.mov"/><write id="a" in="r" file="y.mov"/></graph>' > "$tmp/own.xml"
st "-o of its own source" 2 "$in" render "$tmp/own.xml" -o "$tmp/x.mov" --overwrite; says "names the read" "$tmp/err" "'r' reads it"
# what never delivers: named pipes are refused, not waited for
mkfifo "$tmp/pipe.mov"; printf '<graph version="1"><read id="p" file="pipe.mov"/><write id="w" in="p" file="o/x.####.exr"/></graph>' > "$tmp/pipe.xml"
st "a named pipe as a clip" 5 timeout -k 1 10 "$in" render "$tmp/pipe.xml"
for node in 'grade cdl="pipe.cc"' 'grade lut="pipe.cube" lut_in="rec709"' 'grain profile="pipe.grain"' 'upscale method="neural" model="pipe.onnx" model_sha256="00"' \
	'upscale method="neural" model="pipe.param" model_sha256="00"' 'upscale method="neural" backend="onnxruntime" model="pipe.onnx" model_sha256="00"'; do
	pipe=$(echo "$node" | grep -o 'pipe[^"]*')
	rm -f "$tmp/$pipe"; mkfifo "$tmp/$pipe"
	printf '<graph version="1" name="c" fps="24"><pattern id="s" kind="ramp" width="64" height="36" frames="1"/><pass id="p" kind="finish"><%s id="n" in="s"/></pass><write id="w" in="p" file="o/x.####.exr"/></graph>' "$node" | sed "s/finish/$(case $node in up*) echo detail ;; grain*) echo integrate ;; *) echo look ;; esac)/" > "$tmp/pipe.xml"
	st "a named pipe as $node" 5 timeout -k 1 10 "$in" check "$tmp/pipe.xml"
done
mkfifo "$tmp/s.lock"; st "a named pipe as a lock" 12 timeout -k 1 10 "$in" verify "$tmp/s.xml"; rm "$tmp/s.lock"
"$in" fmt "$tmp/s.xml" > "$tmp/fmt1"; cat "$tmp/s.xml" | "$in" fmt /dev/stdin > "$tmp/fmt2"
cmp -s "$tmp/fmt1" "$tmp/fmt2" && echo "ok cli fmt reads a pipe that it is handed" || echo "not ok cli fmt reads a pipe that it is handed"
# (a background job of sh ignores SIGINT, so the program is started by a shell of its own that does not)
# signals: no partial file under its real name, status 128 + n
sed 's/width="160" height="90" frames="12"/width="1280" height="720" frames="400"/' "$tmp/s.xml" > "$tmp/long.xml"
for sig in 2 15; do
	rm -rf "$tmp/out"
	"$in" render "$tmp/long.xml" --only a --progress none > /dev/null 2>&1 & pid=$!
	sleep 1; kill -$sig $pid; wait $pid; rc=$?
	want=$((128 + sig))
	[ $rc -eq $want ] && echo "ok cli signal $sig ends with $want" || echo "not ok cli signal $sig ended with $rc"
	left=$(find "$tmp/out" -type f 2>/dev/null | wc -l)
	[ "$left" -eq 0 ] && echo "ok cli signal $sig leaves no file" || echo "not ok cli signal $sig left $(ls -A "$tmp/out")"
done
# a failure is told once, whatever number of frames it stops
cat > "$tmp/spin.lua" << 'X'
return node { name = "spin", version = 1, doc = "Never ends.", inputs = "image", frame = function(p, src, out) while true do end end }
X
cat > "$tmp/spin.xml" << 'X'
<graph version="1" name="c" fps="24"><script file="spin.lua"/><pattern id="s" kind="ramp" width="64" height="36" frames="3"/>
<pass id="p" kind="look"><spin id="z" in="s"/></pass><write id="w" in="p" file="spin.####.exr"/></graph>
X
"$in" render "$tmp/spin.xml" --progress none 2> "$tmp/told"; rc=$?
n=$(grep -c 'too many instructions' "$tmp/told")
if [ "$rc/$n" = 10/1 ]; then echo "ok cli a failure is told once"; else echo "not ok cli a failure is told once: status $rc, $n times"; fi
