#!/bin/sh
# cache.sh - intermediates: read back bit for bit, pruned above, recomputed only below a change, damaged ones noticed.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
cat > "$tmp/s.xml" <<'X'
<graph version="1" name="c" fps="24">
  <param name="amount" type="float" value="0.03"/>
  <param name="look" type="float" value="1.1"/>
  <pattern id="plate" kind="shot" width="160" height="90" frames="8"/>
  <pass id="detail" kind="detail" keep="always"><upscale id="up" in="plate" scale="2"/></pass>
  <pass id="look" kind="look" keep="always" depth="half"><grade id="g" in="up" contrast="{look}"/></pass>
  <pass id="finish" kind="integrate"><blur id="soft" in="g" sigma="0.6"/><grain id="grained" in="soft" amount="{amount}" seed="3"/></pass>
</graph>
X
r() { "$INTERNEG" render "$tmp/s.xml" --only finish -F 1-6 --progress json "$@" 2>"$tmp/err"; }
ev() { sed -n 's/.*"frame":\([0-9]*\),"hash":"\([0-9a-f]*\)".*/\1 \2/p' "$1" | sort; }
end() { sed -n "s/.*\"event\":\"end\".*\"$2\":\([0-9]*\).*/\1/p" "$1"; }
is() { if [ "$2" = "$3" ]; then echo "ok cache $1"; else echo "not ok cache $1: expected $3, got $2 $(head -2 "$tmp/err" | tr '\n' ' ')"; fi; }

r > "$tmp/cold"; r --no-cache --oracle > "$tmp/oracle"
is "cold render equals the oracle" "$(ev "$tmp/cold")" "$(ev "$tmp/oracle")"
is "cold render stores two kept passes and the asked one" "$(end "$tmp/cold" stored)" 18
r > "$tmp/warm"
is "warm render loads the asked result only" "$(end "$tmp/warm" loaded)/$(end "$tmp/warm" computed)" 6/0
is "warm render has the same pixels" "$(ev "$tmp/warm")" "$(ev "$tmp/cold")"
r --set amount=0.05 > "$tmp/grain"
is "a change of the grain reads the look back" "$(end "$tmp/grain" loaded)/$(end "$tmp/grain" computed)" 6/6
"$INTERNEG" plan "$tmp/s.xml" --only finish -F 1-6 --set amount=0.07 > "$tmp/plan" 2>&1
is "plan says the same" "$(grep -c ' load ' "$tmp/plan")/$(grep -c 'plate .*compute' "$tmp/plan")" 1/0
r --set look=1.2 > "$tmp/look"; r --set look=1.2 --no-cache --oracle > "$tmp/look2"
is "a change of the look reads the detail back" "$(end "$tmp/look" loaded)/$(end "$tmp/look" computed)" 6/12
is "and equals a render from scratch" "$(ev "$tmp/look")" "$(ev "$tmp/look2")"
n=$(find "$tmp/.interneg/cache/passes/c" -name 'look.*.exr' | wc -l)
is "kept passes appear as links" "$n" 6
f=$(readlink -f "$tmp/.interneg/cache/passes/c/look.0001.exr")
if command -v exrheader >/dev/null; then
	is "a pass with depth=half is a half file" "$(exrheader "$f" | grep -c 'R, 16-bit floating-point')" 1
fi
# damage: the asked results go, one byte of every look frame is changed
find "$tmp/.interneg/cache" -name '*.exr' -type f | while read -r e; do
	case $(readlink -f "$tmp"/.interneg/cache/passes/c/finish.*.exr) in *"$e"*) rm -f "$e" ;; esac
done
size=$(stat -c %s "$f"); printf 'XYZ' | dd of="$f" bs=1 seek=$((size - 200)) conv=notrunc 2>/dev/null
g=$(readlink -f "$tmp/.interneg/cache/passes/c/look.0002.exr"); head -c 1000 "$g" > "$tmp/cut"; cp "$tmp/cut" "$g"
r --set look=1.2 > "$tmp/damaged"
is "damaged and truncated intermediates are noticed and computed again" "$(ev "$tmp/damaged")" "$(ev "$tmp/look")"
is "with a warning each" "$(grep -c 'set aside' "$tmp/err")" 2
# a cache that cannot be written
chmod -R a-w "$tmp/.interneg" 2>/dev/null
if [ "$(id -u)" != 0 ]; then
	r --set look=1.3 > "$tmp/ro"; is "a read-only cache is an error of its own" $? 9
fi
chmod -R u+w "$tmp/.interneg"
mkdir "$tmp/two"
r --cache "$tmp/two/c" --threads 1 > "$tmp/p1" & r --cache "$tmp/two/c" --threads 2 --tile 40 > "$tmp/p2" & wait
is "two processes share one cold folder" "$(ev "$tmp/p1")" "$(ev "$tmp/p2")"
is "no temporary file is left" "$(find "$tmp" -name '*.tmp*' | wc -l)" 0
# a path given on the pass: float EXR there too, read back, not rewritten, a foreign file not replaced
sed 's|<pass id="look" kind="look" keep="always" depth="half">|<pass id="look" kind="look" path="lk/l.%03d.exr">|' "$tmp/s.xml" > "$tmp/p.xml"
"$INTERNEG" render "$tmp/p.xml" --only finish -F 1-2 --progress none 2> "$tmp/err"
is "a pass with a path writes there" "$(ls "$tmp/lk" | tr '\n' ' ')" "l.001.exr l.002.exr "
was=$(stat -c %Y.%i "$tmp/lk/l.001.exr")
"$INTERNEG" render "$tmp/p.xml" --only finish -F 1-2 --progress none --set amount=0.2 2> "$tmp/err"
is "and leaves it alone when it is current" "$(stat -c %Y.%i "$tmp/lk/l.001.exr")" "$was"
echo mine > "$tmp/lk/l.001.exr"
"$INTERNEG" render "$tmp/p.xml" --only finish -F 1-2 --progress none --set amount=0.3 2> "$tmp/err"
is "a foreign file there is refused" $? 9
