#!/bin/sh
# skin.sh - a declared skin is measured, written, held by a grade, warned of when a shot drifts from it; references are
# checked, formatted, compared and locked.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/../setup.sh"
a= b=
cat > s.xml << 'X'
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="s" fps="24">
  <reference kind="light" file="still.png" note="window light"/>
  <pattern id="plate" kind="shot" width="240" height="136" frames="4"/>
  <skin id="ana" from="plate" frame="2" rect="150 36 22 26"/>

  <pass id="neutral" kind="neutral">
    <balance id="base" in="plate" exposure="0" temperature="-5" skin="118"/>
  </pass>
  <pass id="look" kind="look">
    <grade id="graded" in="neutral" hold_skin="ana" temperature="-60" tint="14" saturation="1.3"/>
  </pass>
  <write id="out" in="look" file="pix/f.####.png"/>
</graph>
X
"$I" check s.xml > out 2> err
[ $? = 3 ] && grep -q "still of this reference cannot be read" err
say $? "a reference that is not there is told" "$(cat err)"
"$I" render s.xml --dry > /dev/null 2>&1
printf '<graph version="1"><pattern id="p" kind="bars" width="32" height="16" frames="1"/></graph>' > p.xml
"$I" still p.xml p -o still.png > /dev/null 2>&1
"$I" fmt --check s.xml > out 2> err
say $? "skin, hold_skin and reference stand in canonical form" "$(cat err)"
"$I" check s.xml > out 2> err
[ $? = 3 ] && grep -q 'skin id="ana">: not solved' err
say $? "a skin that is not measured is told" "$(cat err)"
"$I" solve s.xml ana --apply > out 2> err && grep -q 'degrees (.* from the line at 123)' out &&
	grep -q 'skin id="ana".*hue=".*spread=".*chroma=".*luma=".*solved=' s.xml
say $? "solve measures a skin and writes plain values" "$(cat out err)"
before=$("$I" solve s.xml ana 2> /dev/null | head -1)
after=$("$I" solve s.xml ana 2> /dev/null | head -1)
[ -n "$before" ] && [ "$before" = "$after" ]
say $? "and the same again" "$before $after"
hue=$(sed -n 's/.*<skin.* hue="\([0-9.]*\)".*/\1/p' s.xml)
far=$(awk "BEGIN { print ($hue > 180 ? $hue - 9 : $hue + 9) }")
sed -i "s/ skin=\"118\"/ skin=\"$far\"/" s.xml
"$I" check s.xml > out 2> err
[ $? = 0 ] && grep -q "warning:.*skin stands at .* degrees in 'base'" err
say $? "check warns of a shot whose skin drifts" "$(cat out err)"
sed -i "s/ skin=\"$far\"/ skin=\"$hue\"/" s.xml
"$I" check s.xml > out 2> err && ! grep -q "skin stands" err
say $? "and not of one within drift" "$(cat out err)"
"$I" render s.xml > /dev/null 2> err && a=$(cat pix/f.*.png | cksum)
sed 's/ hold_skin="ana"//; s/pix\/f/other\/f/' s.xml > t.xml
"$I" render t.xml > /dev/null 2>> err && b=$(cat other/f.*.png | cksum)
[ -n "$a" ] && [ -n "$b" ] && [ "$a" != "$b" ]
say $? "hold_skin changes the picture" "$(cat err)"
# frames may end in any order
hashes() { "$I" render "$@" --dry --progress json 2> /dev/null | grep -o '"frame":.*"hash":"[^"]*"' | sort; }
a=$(hashes s.xml --no-cache)
b=$(hashes s.xml --no-cache --oracle)
[ -n "$a" ] && [ "$a" = "$b" ]
say $? "the same bits from the reference evaluator" "$a $b"
sed "s/ hue=\"$hue\"/ hue=\"90\"/; s/pix\/f/other\/f/" s.xml > t.xml
b=$(hashes t.xml)
[ -n "$b" ] && [ "$a" != "$b" ]
say $? "another skin is another picture and another key" "$b"
sed 's/hold_skin="ana"/hold_skin="plate"/' s.xml > t.xml
"$I" check t.xml > out 2> err
[ $? = 3 ] && grep -q "it names a <skin>" err
say $? "hold_skin of what is no skin is refused" "$(cat err)"
"$I" still s.xml ana -F 2 -o ana.png > out 2> err && [ -s ana.png ]
say $? "a skin can be looked at" "$(cat err)"
"$I" lock s.xml > out 2> err && grep -q "^reference still.png [0-9a-f]\{64\}$" scene.lock s.lock SCENE.lock *.lock 2> /dev/null
say $? "references stand in the lock with their hash" "$(cat out err; ls)"
sed 's/window light/noon/' s.xml > t.xml
"$I" diff s.xml t.xml > out 2> err
grep -q "reference light still.png" out
say $? "diff tells of a changed reference" "$(cat out err)"
sed 's/kind="light"/kind="ligth"/' s.xml > t.xml
"$I" check t.xml > out 2> err
[ $? = 3 ] && grep -q "not one of identity light lens" err
say $? "a reference of no known kind is told" "$(cat err)"
if command -v xmllint > /dev/null; then
	"$I" schema > g.rng && xmllint --noout --relaxng g.rng s.xml 2> err
	say $? "RELAX NG takes skin, hold_skin and reference" "$(cat err)"
	"$I" schema --xsd > g.xsd && xmllint --noout --schema g.xsd s.xml 2> err
	say $? "XSD takes them" "$(cat err)"
else echo "skip schemas of skin: no xmllint"; fi
