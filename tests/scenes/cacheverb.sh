#!/bin/sh
# cacheverb.sh - interneg cache: totals, damage, pruning by last use within its bound and not under a render, why.
# SPDX-License-Identifier: BSD-2-Clause
: "${INTERNEG:?}"
tmp=$(mktemp -d) || exit 1
pid=
trap '[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null; rm -rf "$tmp"' EXIT INT TERM
unset INTERNEG_CACHE
cat > "$tmp/s.xml" <<'X'
<graph version="1" name="c" fps="24">
  <param name="look" type="float" value="1.1"/>
  <pattern id="plate" kind="shot" width="96" height="54" frames="2000"/>
  <pass id="detail" kind="detail" keep="always"><upscale id="up" in="plate" scale="2"/></pass>
  <pass id="look" kind="look" keep="always" depth="half"><grade id="g" in="up" contrast="{look}"/></pass>
</graph>
X
dir=$tmp/.interneg/cache
r() { "$INTERNEG" render "$tmp/s.xml" --only look -F 1-4 --progress json "$@" 2> "$tmp/err"; }
c() { "$INTERNEG" cache "$@" > "$tmp/out" 2> "$tmp/err"; }
ev() { sed -n 's/.*"frame":\([0-9]*\),"hash":"\([0-9a-f]*\)".*/\1 \2/p' "$1" | sort; }
end() { sed -n "s/.*\"event\":\"end\".*\"$2\":\([0-9]*\).*/\1/p" "$1"; }
is() { if [ "$2" = "$3" ]; then echo "ok cacheverb $1"; else echo "not ok cacheverb $1: expected $3, got $2 $(head -2 "$tmp/err" | tr '\n' ' ')"; fi; }
exrs() { find "$dir" -path '*/passes' -prune -o -name '*.exr' -type f -print | LC_ALL=C sort; }
bytes() { exrs | xargs -r stat -c %s | awk '{n += $1} END {print n + 0}'; }

c list "$tmp/s.xml"; is "a folder that is not there is an input error" $? 5
r > "$tmp/cold"
# list against find and stat
c list "$tmp/s.xml"
is "list counts what find counts" "$(sed -n 's/.*: \([0-9]*\) files, \([0-9]*\) bytes.*/\1 \2/p' "$tmp/out")" "$(exrs | wc -l) $(bytes)"
is "list names node, frame and pass" "$(awk '$4 == 3 && $7 == "c/look"' "$tmp/out" | wc -l)" 1
c list --cache "$dir" --json
is "list --json has a line a file" "$(grep -c '"key"' "$tmp/out")" 8
is "with whole keys" "$(sed -n 's/.*"key":"\(..\)\([0-9a-f]*\)".*/\1\/\2.exr/p' "$tmp/out" | LC_ALL=C sort)" "$(cd "$dir" && find ?? -name '*.exr' | LC_ALL=C sort)"
if command -v python3 > /dev/null; then
	is "and every line is JSON" "$(python3 -c 'import json,sys; print(sum(1 for l in sys.stdin if json.loads(l)))' < "$tmp/out")" 9
fi
(cd "$tmp" && c list); is "without SCENE the working folder's cache" "$(grep -c ': 8 files' "$tmp/out")" 1
(cd / && INTERNEG_CACHE=$dir && export INTERNEG_CACHE && c list); is "or \$INTERNEG_CACHE" "$(grep -c ': 8 files' "$tmp/out")" 1
c list "$tmp/s.xml" --to 3; is "an option of another verb is refused" $? 2

# check: good, one pixel byte, cut off, another key's file
c check "$tmp/s.xml"; is "check of a good cache" "$?/$(grep -c '8 files read, 0 damaged' "$tmp/out")" 0/1
one=$(readlink -f "$dir/passes/c/look.0001.exr"); two=$(readlink -f "$dir/passes/c/look.0002.exr")
three=$(readlink -f "$dir/passes/c/look.0003.exr"); four=$(readlink -f "$dir/passes/c/look.0004.exr")
[ -s "$four" ] || { echo "not ok cacheverb: no cache to test with"; exit 1; }
printf 'XYZ' | dd of="$one" bs=1 seek=$(($(stat -c %s "$one") - 200)) conv=notrunc 2> /dev/null
head -c 1000 "$two" > "$tmp/cut"; cp "$tmp/cut" "$two"
cp "$four" "$three"
: > "$(dirname "$four")/.x.exr.tmp.999999.0"
c check "$tmp/s.xml"; is "check tells damage by its status" $? 5
is "and each damaged file" "$(grep '^damaged' "$tmp/out" | sed 's/^damaged //; s/\.exr.*/.exr/' | LC_ALL=C sort)" "$(printf '%s\n' "$one" "$two" "$three" | LC_ALL=C sort)"
is "which are set aside" "$(ls "$one.damaged" "$two.damaged" "$three.damaged" 2> /dev/null | wc -l)/$(exrs | wc -l)" 3/5
c check "$tmp/s.xml"; is "and then only leftovers" "$?/$(grep -c '^leftover ' "$tmp/out")/$(grep -c '3 dangling' "$tmp/out")" 0/4/1
r > "$tmp/again"
is "a render afterwards computes them again" "$(ev "$tmp/again")/$(end "$tmp/again" loaded)" "$(ev "$tmp/cold")/4"

# why
key=$(basename "$(dirname "$four")")$(basename "$four" .exr)
c why "$tmp/s.xml" look -F 4; is "why: in the cache, at its path" "$?/$(grep -c "in the cache, .*$(basename "$four")" "$tmp/out")" 0/1
c why "$tmp/s.xml" look -F 4 --set look=1.3
is "why: changed, with the key that is there" "$(grep -c 'not in the cache' "$tmp/out")/$(grep -c "another key $(echo "$key" | cut -c1-16)" "$tmp/out")/$(grep -c 'changed' "$tmp/out")" 1/1/1
c why "$tmp/s.xml" look -F 9; is "why: never kept" "$(grep -c 'nothing was kept' "$tmp/out")" 1
c why "$tmp/s.xml" lok -F 9; is "why of an unknown node" $? 2

# prune: under a render 75, afterwards by last use
"$INTERNEG" render "$tmp/s.xml" --only look --set look=1.5 --progress none 2> /dev/null & pid=$!
i=0; while [ ! -e "$dir/passes/c/look.0006.exr" ] && [ $i -lt 200 ]; do sleep 0.05; i=$((i + 1)); done
was=$(exrs | head -3)
c prune "$tmp/s.xml" --to 1; rc=$?
kill -0 "$pid" 2> /dev/null; alive=$?
is "prune while a render runs is 75" "$rc/$alive" 75/0
# shellcheck disable=SC2086
is "and takes nothing" "$(ls $was 2> /dev/null | wc -l)" 3
kill -9 "$pid"; wait "$pid" 2> /dev/null; pid=
total=$(bytes)
c prune "$tmp/s.xml" --to $((total + 1)); is "a killed render holds nothing; a cache within the bound loses no file" "$?/$(bytes)" "0/$total"
is "leftovers are gone" "$(find "$dir" -name '*.tmp.*' -o -name '*.damaged' | wc -l)" 0
find "$dir" -name '*.exr' -type f -exec touch -d '2020-01-02' {} +
r > /dev/null                              # uses the looks of frames 1-4, which are now the newest
touch -d '2020-01-01' "$four"              # but the oldest is this
c prune "$tmp/s.xml" --to $((total - 1)); is "the least recently used goes first" "$([ -e "$four" ] && echo there)" ""
keep=$(stat -c %s "$one" "$two" "$three" | awk '{n += $1} END {print n}')
c prune "$tmp/s.xml" --to "$keep"; is "and what was used last stays, to the byte" "$?/$(exrs)" "0/$(printf '%s\n' "$one" "$two" "$three" | LC_ALL=C sort)"
is "dangling links are gone" "$(find "$dir/passes" -xtype l | wc -l)/$(find "$dir/passes" -type l | wc -l)" 0/3
is "empty folders are gone" "$(find "$dir" -type d -empty | wc -l)" 0
c prune "$tmp/s.xml"; is "prune wants its bound" $? 2
r > "$tmp/last"; is "a render afterwards gives the same pixels" "$(ev "$tmp/last")/$(end "$tmp/last" loaded)" "$(ev "$tmp/cold")/3"
c prune "$tmp/s.xml" --to 1; is "a bound of one byte empties it" "$?/$(exrs | wc -l)/$(find "$dir/passes" 2> /dev/null | wc -l)" 0/0/0
is "only the lock and the .gitignore stay" "$(find "$dir" -mindepth 1 | LC_ALL=C sort | sed "s|$dir/||" | tr '\n' ' ')" ".gitignore lock "
r > "$tmp/last"; is "and a render starts over" "$(ev "$tmp/last")/$(end "$tmp/last" stored)" "$(ev "$tmp/cold")/8"
