#!/bin/sh
# expand.sh - a 10-bit ramp through the working space and back, plain and with its highlights expanded and toned down again,
# is the same codes; an expansion without its tone is a finding.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/../setup.sh"
export INTERNEG_SHARE="${INTERNEG_SHARE:-$top}"
cat > ramp.xml << 'X'
<graph version="1" name="ramp" fps="24">
  <pattern id="p" kind="ramp" width="1024" height="64" frames="2"/>
  <write id="w" in="p" file="ramp.####.png" bits="16" dither="none"/>
</graph>
X
"$I" render ramp.xml --progress none > log 2>&1 || { echo "not ok expand: $(cat log)"; exit 1; }
scene() { # read's attributes, passes, write's input
	cat > s.xml << X
<graph version="1" name="e" fps="24" working="acescg">
  <read id="plate" file="ramp.####.png" fps="24" color="rec709" $1/>
  $2
  <write id="w" in="$3" file="out.mp4" preset="h265" bits="10" range="full" dither="none" color="rec709"/>
</graph>
X
}
hashes() { "$I" render s.xml --dry --overwrite --no-cache --progress json "$@" 2> err | sed -n 's/.*"frame":\([0-9]*\).*"hash":"\([0-9a-f]*\)".*/\1 \2/p' | sort; }
scene '' '' plate
hashes > want
[ "$(wc -l < want)" = 2 ]; say $? "the ramp reads" "$(cat err)"
tone='<pass id="out" kind="deliver"><tone id="t" in="plate" peak="100"/></pass>'
# a merge with nothing works in linear light: there and back
scene '' '<pass id="a" kind="integrate"><convert id="c" in="plate" to="acescg"/></pass>' a
hashes > got; cmp -s want got; say $? "a 10-bit ramp through the working space and back: the same codes" "$(cat err)"
for peak in 100 1000; do
	scene "expand=\"$peak\"" "$(echo "$tone" | sed "s/100/$peak/")" out
	hashes > got; cmp -s want got; say $? "expand=\"$peak\" and the same tone: the same codes" "$(cat err)"
	"$I" check s.xml > log 2>&1; say $? "expand=\"$peak\" with its tone has no finding" "$(cat log)"
done
scene 'expand="1000" expand_cap="16"' '' plate
"$I" check s.xml > log 2>&1; [ $? = 4 ] && grep -q '11-paired-expand' log; say $? "an expansion without a tone: status 4" "$(cat log)"
scene 'expand="1000"' "$tone" out
"$I" check s.xml > log 2>&1; [ $? = 4 ] && grep -q 'peak="1000" cap="64".*peak="100"' log; say $? "an expansion with another tone: status 4" "$(cat log)"
scene 'expand="50"' "$tone" out
"$I" check s.xml > log 2>&1; [ $? = 3 ]; say $? "a peak below 100: status 3" "$(cat log)"
scene 'expand="100"' "$tone" out; sed -i 's/color="rec709" expand/color="logc3" expand/' s.xml
"$I" check s.xml > log 2>&1; [ $? = 3 ] && grep -q display log; say $? "expanding a log clip: status 3" "$(cat log)"
