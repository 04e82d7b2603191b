#!/bin/sh
# grainsynth.sh - grain of a profile in whole scenes: stocks by name in key and lock, plates, proxies, dissolves, regrain.
# SPDX-License-Identifier: BSD-2-Clause
set -u
I=${INTERNEG:-$(cd "$(dirname "$0")/../.." && pwd)/interneg}
share=${INTERNEG_SHARE:-$(cd "$(dirname "$0")/../.." && pwd)}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
cd "$tmp" || exit 1
say() { if [ "$1" = 0 ]; then echo "ok grainsynth $2"; else echo "not ok grainsynth $2: $3"; fi; }
scene() { # name node [more sources]
	printf '<graph version="1" name="g" fps="24">\n<pattern id="src" kind="ramp" width="320" height="180" frames="6"/>%s\n<pass id="p" kind="integrate">%s</pass>\n<write id="w" in="p" file="out/%s.####.exr"/>\n</graph>\n' "${3:-}" "$2" "$1" > "$1.xml"
}
lock() { "$I" lock "$1.xml" > log 2>&1; grep '^frame ' "$1.lock"; }
seen() { tr '\n' ' ' < log | head -c 300; }

scene stock '<grain id="g" in="src" profile="stock:35mm-medium" seed="4"/>'
a=$(lock stock)
[ -n "$a" ] && grep -q '^file stock:35mm-medium [0-9a-f]*$' stock.lock; say $? "a stock is locked by name and content" "$(seen)"
"$I" verify stock.xml > log 2>&1; say $? "and verifies" "$(seen)"
mkdir other && cp -r "$share/graphs" "$share/lua" other/ 2> /dev/null
INTERNEG_SHARE=$tmp/other "$I" verify stock.xml > log 2>&1; say $? "also with the program installed elsewhere" "$(seen)"
sed -i 's/^strength 0.5 .*/strength 0.5 0.05 0.05 0.05/' other/graphs/stocks/35mm-medium.grain
INTERNEG_SHARE=$tmp/other "$I" verify stock.xml > log 2>&1; rc=$?
[ $rc -ne 0 ] && grep -q 'stock:35mm-medium' log; say $? "another content under the same name is told" "status $rc: $(seen)"
for n in 16mm-coarse 65mm-bw-fine; do
	sed "s/35mm-medium/$n/; s/stock\\./$n./" stock.xml > $n.xml
	[ -n "$(lock $n)" ] && [ "$(lock $n | sed 's/.* //')" != "$(echo "$a" | sed 's/.* //')" ]; say $? "stock $n renders" "$(seen)"
done
sed 's/35mm-medium/35mm-mediun/' stock.xml > none.xml
"$I" check none.xml > log 2>&1; rc=$?
[ $rc -eq 5 ] && grep -q 'stocks are: .*65mm-medium' log; say $? "an unknown stock is refused with the list" "status $rc: $(seen)"
for x in "--threads 1" "--threads 3" "--oracle" "--isa baseline"; do
	"$I" verify stock.xml $x > log 2>&1; say $? "the same bits with $x" "$(seen)"
done
cp "$share/graphs/stocks/16mm-fine.grain" b.grain
scene dis '<grain id="g" in="src" profile="stock:35mm-fine" to_profile="b.grain" to_strength="2" seed="4"><animate param="dissolve"><key frame="1" value="0"/><key frame="6" value="1"/></animate></grain>'
a=$(lock dis); [ "$(echo "$a" | wc -l)" = 6 ] && grep -q '^file b.grain ' dis.lock; say $? "an animated dissolve between two profiles" "$(seen)"
scene plate '<grain id="g" in="src" plate="scan" seed="4"/>' '<pattern id="scan" kind="noise" width="200" height="150" frames="3"/>'
grep -q 'noise' "$share/nodes/pattern.c" || sed -i 's/kind="noise"/kind="ramp"/' plate.xml
a=$(lock plate); [ "$(echo "$a" | wc -l)" = 6 ]; say $? "a plate of another size and length" "$(seen)"
"$I" verify plate.xml --oracle > log 2>&1; say $? "and through the oracle" "$(seen)"
scene back '<regrain id="g" in="src" original="orig" neutral="src" through="yes"/>' '<pattern id="orig" width="320" height="180" frames="6"/>'
printf '<graph version="1" name="g" fps="24">\n<pattern id="src" width="320" height="180" frames="6"/>\n<write id="w" in="src" file="out/plain.####.exr"/>\n</graph>\n' > plain.xml
a=$(lock back | sed 's/.* //'); b=$(lock plain | sed 's/.* //')
[ -n "$a" ] && [ "$a" = "$b" ]; say $? "regrain of what nothing changed is the original" "$(seen)"
sed 's/profile="[^"]*"/profile="stock:35mm-medium" amount="0.2"/' stock.xml > both.xml
"$I" check both.xml > log 2>&1; rc=$?
[ $rc -eq 3 ] && grep -q 'write strength=' log; say $? "amount beside a profile is refused" "status $rc: $(seen)"
"$I" render stock.xml -F 1 --proxy 2 -o proxy.exr --progress none > log 2>&1 || "$I" still stock.xml g --proxy 2 -F 1 -o proxy.exr > log 2>&1
say $? "a proxy renders" "$(seen)"
