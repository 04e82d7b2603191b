#!/bin/sh
# guide.sh - eight steps, each measured, proposed as a change of the scene, and shown; nothing is written without --apply.
# Bias graphs load and are formatted.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/../setup.sh"
cat > s.xml << 'X'
<?xml version="1.0" encoding="UTF-8"?>
<graph version="1" name="s" fps="24">
  <pattern id="plate" kind="shot" width="240" height="136" frames="4"/>
  <pattern id="hero" kind="shot" width="240" height="136" frames="4" seed="3"/>
  <skin id="ana" from="hero" frame="2"/>

  <pass id="neutral" kind="neutral">
    <balance id="base" in="plate"/>
    <match id="matched" in="base" reference="hero"/>
  </pass>
  <pass id="look" kind="look">
    <look id="mood" in="neutral" reference="hero"/>
    <grade id="graded" in="mood" contrast="0.7" saturation="0.5"/>
  </pass>
  <write id="out" in="look" file="out/f.####.png"/>
</graph>
X
"$I" solve s.xml ana --apply > /dev/null 2>&1
cp s.xml was.xml
"$I" guide s.xml out -o shots > out 2> err
say $? "guide walks" "$(cat err)"
n=$(grep -c '^[1-8] ' out)
[ "$n" = 8 ]
say $? "eight steps" "$n: $(cat out)"
for w in "^1 exposure: .*confidence" "^2 white: .*white estimator" "^3 contrast: luma" "^4 saturation: mean chroma" "^5 skin: before the grade" \
	"^6 match: .*reference" "^7 look: .*still" "^8 range: signal from"; do
	grep -q "$w" out
	say $? "guide tells '$w'" "$(cat out)"
done
[ "$(ls shots | wc -l)" = 8 ] && [ -s shots/1-exposure.png ] && [ -s shots/8-range.png ]
say $? "a picture of before and after each" "$(ls shots)"
cmp -s s.xml was.xml
say $? "nothing is written without --apply" ""
grep -q '^-.*<balance id="base" in="plate"/>' out && grep -q '^+.*<balance id="base" in="plate".*exposure=' out
say $? "a proposal is a diff of the scene" "$(cat out)"
grep -q '^+.*hold_skin="ana"' out
say $? "skin like the declared one is proposed to be held" "$(grep skin out)"
"$I" guide s.xml out --apply > out 2> err && "$I" check s.xml > out 2> err && ! grep -q "not solved" err &&
	grep -q 'grade id="graded" in="mood".* saturation="0.5[5-9].* hold_skin="ana"' s.xml
say $? "--apply writes them, and the scene is whole" "$(cat out err s.xml)"
cp s.xml was.xml
"$I" guide s.xml out --step 3 > out 2> err && [ "$(grep -c '^[1-8] ' out)" = 1 ] && cmp -s s.xml was.xml
say $? "--step does one" "$(cat out err)"
"$I" guide s.xml out --step 9 > out 2> err
[ $? = 2 ]
say $? "there is no ninth" "$(cat err)"
"$I" guide s.xml out --json > out 2> err && [ "$(grep -c '"step":' out)" = 8 ]
say $? "the same as JSON" "$(cat out err)"

# --- confidence: a proposal that is not sure is told and not applied ---
cat > low.xml << 'X'
<graph version="1" name="low" fps="24">
  <pattern id="plate" kind="constant" width="64" height="36" frames="4" colour="0.4 0.1 0.02"/>
  <pattern id="hero" kind="bars" width="64" height="36" frames="4"/>
  <pass id="neutral" kind="neutral">
    <match id="matched" in="plate" reference="hero" method="quantiles"/>
  </pass>
  <write id="out" in="neutral" file="out/l.####.png"/>
</graph>
X
"$I" solve low.xml --apply > out 2> err
grep -q "is not applied: confidence 0.[01]" err && ! grep -q "slope" low.xml
say $? "what is not sure is not applied, and says why" "$(cat out err)"
"$I" solve low.xml --apply --unsure > out 2> err && grep -q "slope" low.xml
say $? "--unsure applies it" "$(cat out err)"

# --- transport baked to a file under a named path ---
sed 's/<match id="matched" in="base" reference="hero"[^>]*>/<match id="matched" in="base" reference="hero" method="sliced" bake="m.cube"\/>/' was.xml > b.xml
"$I" solve b.xml matched > out 2> err && ! [ -e m.cube ]
say $? "no table is written without --apply" "$(cat out err; ls)"
"$I" solve b.xml matched --apply > out 2> err && [ -s m.cube ] && grep -q 'lut="m.cube"' b.xml && "$I" check b.xml > out 2> err
say $? "sliced transport is baked where bake= says, and named" "$(cat out err; grep match b.xml)"
"$I" render b.xml --dry > out 2> err
say $? "and rendered" "$(cat err)"

# --- starting points against models' biases ---
for g in "$top"/graphs/bias/*.xml; do
	"$I" fmt --check "$g" > out 2> err
	say $? "bias $(basename "$g") is canonical" "$(cat err)"
	cat > u.xml << X
<graph version="1" name="u" fps="24">
  <pattern id="plate" kind="shot" width="64" height="36" frames="1"/>
  <use id="b" graph="$g" plate="plate"/>
  <write id="out" in="b" file="u.####.png"/>
</graph>
X
	"$I" render u.xml --dry > out 2> err
	say $? "bias $(basename "$g") renders" "$(cat err)"
done

# --- a clip that holds several shots ---
if command -v ffmpeg > /dev/null && ffmpeg -v error -f lavfi -i "testsrc2=s=160x96:r=24:d=0.5" -f lavfi \
	-i "mandelbrot=s=160x96:r=24" -filter_complex "[1:v]trim=end_frame=20,setpts=N/24/TB,setsar=1[b];[0:v]setsar=1[a];[a][b]concat=n=2:v=1" \
	-pix_fmt yuv420p -c:v ffv1 two.mkv 2> err; then
	cat > two.xml << 'X'
<graph version="1" name="two">
  <read id="plate" file="two.mkv" color="rec709" range="limited" matrix="bt709"/>
  <pass id="neutral" kind="neutral"><balance id="base" in="plate"/></pass>
  <write id="out" in="neutral" file="out/t.####.png"/>
</graph>
X
	"$I" solve two.xml --unsure > out 2> err
	grep -q "the clip holds 2 shots, of which 13-32 is measured" out
	say $? "a clip that holds two shots is told, and one is measured" "$(cat out err)"
else echo "skip shots of a clip: no ffmpeg, or it makes no clip"; fi
