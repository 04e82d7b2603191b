#!/bin/sh
# approve.sh - approvals in the scene: written, listed, void when the pixels change; finals that lack one; drafts marked.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
in=${INTERNEG:?}
is() { if [ "$2" = "$3" ]; then echo "ok approve $1"; else echo "not ok approve $1: expected $3, got $2: $(head -3 "$tmp/said" "$tmp/err" 2>/dev/null | tr '\n' ' ')"; fi; }
says() { if cat "$tmp/said" "$tmp/err" | grep -q -- "$2"; then echo "ok approve $1"; else echo "not ok approve $1: nothing like '$2' in $(cat "$tmp/said" "$tmp/err" | head -4 | tr '\n' ' ')"; fi; }
run() { "$in" "$@" > "$tmp/said" 2> "$tmp/err"; }
cd "$tmp" || exit 1
cat > shot.xml <<'X'
<graph version="1" name="shot">
  <input id="plate"/>
  <param name="lift" type="float" value="0"/>
  <pass id="neutral" kind="neutral"><balance id="base" in="plate" temperature="-4"/></pass>
  <pass id="look" kind="look"><grade id="g" in="neutral" exposure="{lift}" contrast="1.1"/></pass>
  <output id="o" in="look"/>
</graph>
X
cat > s.xml <<'X'
<?xml version="1.0" encoding="UTF-8"?>
<!-- two shots -->
<graph version="1" name="s" fps="24">
  <pattern id="a" kind="shot" width="64" height="36" frames="2"/>
  <pattern id="b" kind="shot" width="64" height="36" frames="2" seed="3"/>
  <use id="s010" graph="shot.xml" plate="a"/>
  <use   id="s020"   graph="shot.xml" plate="b"/>   <!-- kept as it stands -->
  <write id="w1" in="s010" file="out/one.####.exr" class="final"/>
  <write id="w2" in="s020" file="out/two.mov"/>
</graph>
X
cp s.xml before.xml
run render s.xml --progress none; is "a final without approvals is refused" $? 4
says "the picture is missing" 's.xml:8: error: <write id="w1">: class final: the picture: not approved'
says "the look is missing, with the command" "class final: the look, pass 'look' of shot 's010': not approved (look at it, then: interneg approve s.xml --shot s010 --pass look"
is "the other shot does not reach it" "$(grep -c s020 err)" 0
[ -e out/one.0001.exr ]; is "nothing was written" $? 1
run check s.xml; is "check only warns of it" $? 0; says "with the same words" "warning: <write id=\"w1\">: class final: the picture: not approved"
run lock s.xml; is "a scene can be locked before it is approved" $? 0
run render s.xml --progress none --only w2; is "what is no final is rendered" $? 0
[ -s out/two_draft.mov ] && ! [ -e out/two.mov ]; is "and marked draft in its name" $? 0
run approve s.xml --shot s010 --pass look --role colorist; is "an approval wants a name" $? 2
run approve s.xml --shot s010 --pass lok --by Ann --role colorist; is "a pass that is not there" $? 2
run approve s.xml --shot s010 --pass look --by Ann --role colorist --note 'second "take" <3'; is "approve a look" $? 0
is "one line more in the scene" "$(diff before.xml s.xml | grep -c '^[<>]')" 1
grep -q '^  <approve shot="s010" pass="look" by="Ann" role="colorist" hash="[0-9a-f]\{32\}" note="second &quot;take&quot; &lt;3"/>$' s.xml; is "in place" $? 0
run approve s.xml --pass picture --by Bob --role editor; is "approve the picture" $? 0
run approve s.xml --list; is "list" $? 0
says "the look holds" '^valid s010.look by Ann (colorist), second "take" <3$'; says "the picture holds" '^valid picture by Bob (editor)$'
run render s.xml --progress none; is "a final with its approvals" $? 0
[ -s out/one.0001.exr ] && [ -s out/one.0002.exr ]; is "has the name it was given" $? 0
strings -n 5 out/one.0001.exr | grep -A3 interneg_class | grep -q final; is "and says so" $? 0
run render s.xml --progress none --proxy 2; is "a final is no proxy" $? 4
cp s.xml good.xml
run approve s.xml --shot s010 --pass look --by Cy --role colorist; is "the same role again" $? 0
is "replaces its line" "$(grep -c '<approve' s.xml) $(grep -c 'by="Cy"' s.xml) $(grep -c 'second' s.xml)" "2 1 0"
run approve s.xml --shot s010 --pass look --by Di --role director; is "another role" $? 0
is "has its own line" "$(grep -c '<approve' s.xml)" 3
run approve s.xml --remove --shot s010 --pass look --role director; is "remove one" $? 0
run approve s.xml --remove --shot s010 --pass look; is "remove the other" $? 0
run approve s.xml --remove --pass picture; is "remove the picture" $? 0
cmp -s s.xml before.xml; is "the file is what it was, byte for byte" $? 0
run approve s.xml --remove --pass picture; is "nothing there to remove" $? 3

void() { # name sed-script file words
	cp good.xml s.xml; cp "$3" kept; sed -i "$2" "$3"
	run approve s.xml --list; says "void after $1" "$4"
	run render s.xml --progress none; is "and the final is refused" $? 4; says "saying which" "${5:-the approval of line [0-9]* (.*) is void}"
	cp kept "$3"; cp good.xml s.xml
}
run lock good.xml; cp good.lock s.lock
void "a changed grade" 's/contrast="1.1"/contrast="1.12"/' shot.xml "^void  s010.look by Ann (colorist), .*; the pixels changed: .*; since the lock 's010.g' changed, line 5"
void "a changed parameter of the use" 's/id="s010"/id="s010" lift="0.1"/' s.xml '^void  s010.look'
void "a changed neutral above" 's/temperature="-4"/temperature="-5"/' shot.xml '^void  s010.look'
void "a changed source" 's/id="a" kind="shot"/id="a" kind="shot" seed="8"/' s.xml '^void  picture by Bob (editor); sources or edit changed'
void "a renamed pass" 's/id="look"/id="look2"/; s/in="look"/in="look2"/' shot.xml '^void  s010.look .*there is no such pass' "the look, pass 'look2' of shot 's010': not approved"
sed -i 's/plate="b"/plate="b" lift="0.2"/' s.xml; run render s.xml --progress none; is "another shot's change leaves this one" $? 0
cp good.xml s.xml

# Solved values are approved where they stand.
sed 's/temperature="-4"/temperature="-4" solved="0123456789abcdef"/' shot.xml > kept; cp kept shot.xml
run approve s.xml --shot s010 --pass look --by Ann --role colorist
run render s.xml --progress none; is "solved values that nobody approved block a final" $? 4
says "they are named" "class final: the solved values of 's010.base', pass 'neutral' of shot 's010': not approved"
run approve s.xml --shot s010 --pass neutral --by Ann --role colorist
run render s.xml --progress none; is "approved, they do not" $? 0

# Odd but good texts.
put() { # name text expected
	printf '%s' "$2" > odd.xml; cp odd.xml odd.before
	run approve odd.xml --pass look --by A --role r --note "it's"; is "$1" $? 0
	sed "s/hash=\\([\"']\\)[0-9a-f]*[\"']/hash=\\1\\1/" odd.xml > said; is "$1: where it stands" "$(cat said)" "$(printf '%s' "$3")"
	"$in" approve odd.xml --remove --pass look > said 2> err; cmp -s odd.xml odd.before; is "$1: taken out" $? 0
}
P='<pattern id="a" width="8" height="8" frames="1"/>'; L='<pass id="look"><grade id="g" in="a"/></pass>'; A='<approve pass="look" by="A" role="r" hash="" note="it'"'"'s"/>'
put "comments beside and in the way" "<graph version='1'> <!-- <approve pass='look'/> -->
	$P
	$L  <!-- one --> <!-- two -->
</graph> <!-- end -->
" "<graph version='1'> <!-- <approve pass='look'/> -->
	$P
	$L  <!-- one --> <!-- two -->
	$A
</graph> <!-- end -->
"
put "an approval of another pass before it" "<graph version=\"1\">
  <approve pass='l2' by='B' role='r' hash='00000000000000000000000000000000'></approve>
  $P
  $L
</graph>" "<graph version=\"1\">
  <approve pass='l2' by='B' role='r' hash=''></approve>
  $A
  $P
  $L
</graph>"

# One shot, drafts, names.
cat > one.xml <<'X'
<graph version="1" name="one" fps="24">
  <pattern id="a" kind="shot" width="64" height="36" frames="1"/>
  <pass id="look" kind="look"><grade id="g" in="a" contrast="1.1"/></pass>
  <write id="p" in="look" file="o/p.png"/>
  <write id="e" in="look" file="o/{class}/e_%04d.exr"/>
  <write id="f" in="look" file="o/f.mp4"/>
  <write id="k" in="look" file="o/k.mkv" preset="ffv1"/>
</graph>
X
run render one.xml --progress none --only p,f,k; [ -s o/p.png ] && [ -s o/f.mp4 ]; is "without approvals and classes names stay" $? 0
run approve one.xml --pass look --by Ann --role colorist; is "the scene itself is the shot" $? 0
run approve one.xml --list; says "and needs no name" '^valid look by Ann (colorist)$'
run render one.xml --progress none; is "a scene with approvals" $? 0
[ -s o/p_draft.png ] && [ -s o/draft/e_0001.exr ] && [ -s o/f_draft.mp4 ] && [ -s o/k_draft.mkv ]; is "marks what is no final" $? 0
strings -n 5 o/p_draft.png | grep -q '^.*interneg_class' && strings -n 5 o/draft/e_0001.exr | grep -q interneg_class; is "in the pictures" $? 0
for f in f_draft.mp4 k_draft.mkv; do strings -n 5 o/$f | grep -q 'interneg draft'; is "and in $f" $? 0; done
"$in" lock one.xml > said 2> err && run verify one.xml --outputs; is "verify --outputs finds them under these names" $? 0
"$in" fmt --check one.xml > said 2> err || "$in" fmt --write one.xml; run fmt --check one.xml; is "fmt knows approvals" $? 0
run approve one.xml --list --json; says "list for programs" '^{"valid":true,"shot":"","pass":"look","by":"Ann","role":"colorist","hash":"[0-9a-f]*","note":"","why":""}$'
