#!/bin/sh
# run.sh [N] - a render interrupted at N seeded random moments by kill -9 (default 300), then by SIGTERM and SIGINT, a full
# disk, a read-only cache, a source taken away, and eight processes in one cache. Each time the next run must finish
# with the same bytes, leave no temporary file, and not do again what was done.
# tests/scenes/interrupt.sh runs a short one.
# SPDX-License-Identifier: BSD-2-Clause
n=${1:-300}
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/../.." || exit 1
in=${INTERNEG:-$PWD/interneg}
tmp=$(mktemp -d) || exit 1
mounted=
done_with() { [ -n "$mounted" ] && umount "$mounted" 2> /dev/null; rm -rf "$tmp"; }
trap done_with EXIT
trap 'exit 1' INT TERM
good=0 bad=0
say() { # name fact ...
	name=$1; shift
	if [ "$1" = "$2" ]; then good=$((good + 1)); echo "ok $name"
	else bad=$((bad + 1)); echo "not ok $name: got '$1', want '$2'"; fi
}
scene() { # folder plate
	mkdir -p "$1"
	cat > "$1/s.xml" << X
<graph version="1" name="f" fps="24">
  $2
  <pass id="detail" kind="detail" keep="always"><upscale id="up" in="plate" scale="2"/></pass>
  <pass id="look" kind="look" keep="always"><grade id="g" in="up" contrast="1.1"/></pass>
  <pass id="fin" kind="integrate" keep="never"><grain id="gr" in="g" amount="0.05"/></pass>
  <write id="seq" in="gr" file="out/f.####.exr"/>
  <write id="png" in="gr" file="out/f.####.png" bits="8"/>
  <write id="clip" in="gr" file="out/f.mov" preset="master-prores"/>
</graph>
X
}
plate='<pattern id="plate" kind="shot" width="192" height="108" frames="10"/>'
kept=20
field() { sed -n "s/.*\"event\":\"end\".*\"$2\":\([0-9]*\).*/\1/p" "$1"; }
sums() { (cd "$1" && sha256sum out/* 2> /dev/null | sort); }
leftovers() { find "$1" \( -name '*.tmp.*' -o -name '*.frame' -o -name '*.damaged' \) | wc -l; }
scene "$tmp/want" "$plate"
t0=$(date +%s%N)
"$in" render "$tmp/want/s.xml" --progress none 2> "$tmp/err" || { cat "$tmp/err"; echo "0 passed, 1 failed"; exit 1; }
took=$((($(date +%s%N) - t0) / 1000000))
want=$(sums "$tmp/want" | sha256sum)
pick() { sums "$tmp/want" > "$tmp/all"; }
pick

# What lies under a real name now must be what the whole render writes there.
whole() {
	sums "$1" > "$tmp/now"
	[ -z "$(comm -23 "$tmp/now" "$tmp/all")" ] && echo whole || comm -23 "$tmp/now" "$tmp/all" | head -1
}
# After an interruption: nothing half written, the next run ends well, does only the rest, and leaves nothing.
recover() { # name folder
	half=$(whole "$2")
	before=$(find "$2" -path '*/.interneg/cache/??/*.exr' 2> /dev/null | wc -l)
	(cd "$2" && stat -c '%n %i' out/*.exr out/*.png 2> /dev/null) | sort > "$tmp/inodes"
	"$in" render "$2/s.xml" --progress json > "$tmp/json" 2> "$tmp/err"
	rc=$?
	same=$([ "$(sums "$2" | sha256sum)" = "$want" ] && echo same || echo differ)
	stored=$(field "$tmp/json" stored)
	# all of the outputs may have been there already, then nothing was asked of the passes
	again=$([ "$((before + ${stored:-0}))" -le $kept ] && echo once || echo "$before before, ${stored:-0} stored again")
	(cd "$2" && stat -c '%n %i' out/*.exr out/*.png 2> /dev/null) | sort > "$tmp/inodes2"
	rewritten=$(comm -23 "$tmp/inodes" "$tmp/inodes2" | wc -l)
	say "$1" "$rc $half $same $again rewritten $rewritten left $(leftovers "$2")" "0 whole same once rewritten 0 left 0"
}
at=1 i=0
while [ $i -lt "$n" ]; do
	i=$((i + 1))
	rm -rf "$tmp/k"; scene "$tmp/k" "$plate"
	at=$(((at * 1103515245 + 12345) % 2147483648))
	ms=$((at / 65536 % (took * 5 / 4 + 20)))
	"$in" render "$tmp/k/s.xml" --progress none > /dev/null 2>&1 & pid=$!
	sleep "$(printf '%d.%03d' $((ms / 1000)) $((ms % 1000)))"
	kill -9 $pid 2> /dev/null
	wait $pid 2> /dev/null
	recover "kill -9 number $i, after $ms ms" "$tmp/k"
done
for s in TERM INT; do
	# on a busy machine the whole render may be over before the signal is sent: once more, then
	for again in 1 2 3 4 5 6 7 8; do
		rm -rf "$tmp/k"; scene "$tmp/k" "$plate"
		"$in" render "$tmp/k/s.xml" --progress json > "$tmp/json" 2> /dev/null & pid=$!
		while kill -0 $pid 2> /dev/null && ! grep -q '"event":"frame"' "$tmp/json"; do sleep 0.02; done
		kill -$s $pid 2> /dev/null
		wait $pid; rc=$?
		[ $s = TERM ] && [ $rc -eq 0 ] && continue
		break
	done
	case $s in TERM) code=143 ;; INT) code=130 ;; esac
	# a background job of a shell without job control ignores SIGINT: then it has simply finished
	[ $s = INT ] && [ $rc -eq 0 ] && code=0
	say "SIG$s: status" $rc $code
	recover "SIG$s: the next run" "$tmp/k"
done

full() { # name folder: too small a disk, then a large one
	"$in" render "$2/s.xml" --progress none > /dev/null 2> "$tmp/err"
	say "$1: status 9, and the cause" "$? $(grep -ciE 'space|MiB free|too large' "$tmp/err" | sed 's/[1-9][0-9]*/told/')" "9 told"
}
mkdir "$tmp/disk"
if mount -t tmpfs -o size=1500k none "$tmp/disk" 2> /dev/null; then
	mounted=$tmp/disk
	scene "$tmp/disk" "$plate"
	full "full disk" "$tmp/disk"
	# room at the start that others take away meanwhile
	mount -o remount,size=40m "$tmp/disk"
	head -c 38000000 /dev/zero > "$tmp/disk/others"
	"$in" render "$tmp/disk/s.xml" --progress none --no-cache > /dev/null 2> "$tmp/err"
	say "disk that fills up: status" $? 9
	say "disk that fills up: no half file" "$(whole "$tmp/disk") $(leftovers "$tmp/disk")" "whole 0"
	rm "$tmp/disk/others"
	recover "full disk: the next run" "$tmp/disk"
	umount "$tmp/disk"; mounted=
else echo "skip full disk: no right to mount a tmpfs"; fi
scene "$tmp/limit" "$plate"
(trap '' XFSZ; ulimit -f 40; exec "$in" render "$tmp/limit/s.xml" --progress none > /dev/null 2> "$tmp/err")
say "file size limit: status" $? 9
say "file size limit: no half file" "$(whole "$tmp/limit") $(leftovers "$tmp/limit")" "whole 0"
recover "file size limit: the next run" "$tmp/limit"

rm -rf "$tmp/k"; scene "$tmp/k" "$plate"
mkdir -p "$tmp/k/.interneg/cache" "$tmp/k/out"
chmod 755 "$tmp"; chmod 777 "$tmp/k" "$tmp/k/out"; chmod 555 "$tmp/k/.interneg/cache"
as=
[ "$(id -u)" = 0 ] && as="setpriv --reuid 65534 --regid 65534 --clear-groups"
if [ -z "$as" ] || $as test -x "$in"; then
	$as "$in" render "$tmp/k/s.xml" --progress none > /dev/null 2> "$tmp/err"
	say "read-only cache: status 9 names the folder" "$? $(grep -c 'interneg/cache' "$tmp/err" | sed 's/[1-9][0-9]*/named/')" "9 named"
	say "read-only cache: no half file" "$(whole "$tmp/k") $(leftovers "$tmp/k")" "whole 0"
	chmod 777 "$tmp/k/.interneg/cache"; rm -rf "$tmp/k/out"
	recover "read-only cache: writable again" "$tmp/k"
else echo "skip read-only cache: another user cannot run $in"; fi

if command -v ffmpeg > /dev/null; then
	clip='<read id="plate" file="m.mkv" color="rec709" matrix="bt709" range="limited" siting="left"/>'
	for d in want2 gone; do
		scene "$tmp/$d" "$clip"
		ffmpeg -v error -y -f lavfi -i testsrc2=s=192x108:r=24 -frames:v 10 -c:v ffv1 -pix_fmt yuv420p -bitexact "$tmp/$d/m.mkv"
	done
	"$in" render "$tmp/want2/s.xml" --progress none 2> "$tmp/err"; say "clip as a source: status" $? 0
	sums "$tmp/want2" > "$tmp/all"; want=$(sums "$tmp/want2" | sha256sum)
	"$in" render "$tmp/gone/s.xml" --progress json > "$tmp/json" 2> "$tmp/err" & pid=$!
	while kill -0 $pid 2> /dev/null && ! grep -q '"event":"frame"' "$tmp/json"; do sleep 0.02; done
	: > "$tmp/gone/m.mkv"                # cut short under the reader's hands
	wait $pid; rc=$?
	ffmpeg -v error -y -f lavfi -i testsrc2=s=192x108:r=24 -frames:v 10 -c:v ffv1 -pix_fmt yuv420p -bitexact "$tmp/gone/m.mkv"
	case $rc in 0) say "source cut short: read in time" 0 0 ;; *)
		say "source cut short: status and name" "$rc $(grep -c 'm\.mkv' "$tmp/err" | sed 's/[1-9][0-9]*/named/')" \
			"$(case $rc in 5|6) echo $rc ;; *) echo '5 or 6' ;; esac) named" ;; esac
	recover "source cut short: the next run" "$tmp/gone"
	rm "$tmp/gone/m.mkv"; rm -r "$tmp/gone/out"
	"$in" render "$tmp/gone/s.xml" --progress none > /dev/null 2> "$tmp/err"
	say "source gone: status and name" "$? $(grep -c 'm\.mkv' "$tmp/err" | sed 's/[1-9][0-9]*/named/')" "5 named"
	pick; want=$(sums "$tmp/want" | sha256sum)
else echo "skip source gone: no ffmpeg to make a clip"; fi

i=0
while [ $i -lt 8 ]; do i=$((i + 1)); scene "$tmp/p$i" "$plate"; done
i=0
while [ $i -lt 8 ]; do
	i=$((i + 1))
	("$in" render "$tmp/p$i/s.xml" --cache "$tmp/shared" --threads 2 --progress json > "$tmp/p$i/json" 2> "$tmp/p$i/err"; echo $? > "$tmp/p$i/rc") &
done
"$in" cache prune --to 1 --cache "$tmp/shared" > /dev/null 2> "$tmp/err"; rc=$?
wait
say "eight processes: statuses" "$(cat "$tmp"/p?/rc | tr -d '\n')" 00000000
same=0; for i in 1 2 3 4 5 6 7 8; do [ "$(sums "$tmp/p$i" | sha256sum)" = "$want" ] && same=$((same + 1)); done
say "eight processes: the same files" $same 8
loaded=0; for i in 1 2 3 4 5 6 7 8; do loaded=$((loaded + $(field "$tmp/p$i/json" loaded))); done
say "eight processes: results are shared" "$([ $loaded -gt 0 ] && echo yes)" yes
say "eight processes: prune keeps away or finds nothing" "$(case $rc in 75|5|0) echo yes ;; *) echo $rc ;; esac)" yes
"$in" cache check --cache "$tmp/shared" > "$tmp/out" 2>&1; say "eight processes: nothing damaged" $? 0
say "eight processes: nothing left over" "$(leftovers "$tmp/shared")" 0
scene "$tmp/ninth" "$plate"
"$in" render "$tmp/ninth/s.xml" --cache "$tmp/shared" --progress json > "$tmp/json" 2> /dev/null
say "a ninth computes no pass" "$(field "$tmp/json" stored) $(field "$tmp/json" loaded)" "0 10"
echo "$good passed, $bad failed"
[ $bad -eq 0 ]
