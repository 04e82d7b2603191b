#!/bin/sh
# rules.sh - the pass rules: NN-bad*.xml breaks exactly rule NN (exit 4), NN-lock*.xml a pin or the lock (12), NN-good*.xml
# nothing. Then waivers, studio rules, and a rule that fails.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/rules" || exit 1
I=${INTERNEG:-../../../interneg}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM

say() { # status name why
	if [ "$1" = 0 ]; then echo "ok rules $2"; else echo "not ok rules $2: $3"; fi
}
check() {
	timeout 60 "$I" check "$1" > "$tmp/out" 2> "$tmp/err"
	rc=$?
}
seen() { tr '\n' ' ' < "$tmp/err" | head -c 400; }
# The rules that errors name, once each.
broken() { grep ': error: ' "$tmp/err" | sed -n 's/.*\[\([^]]*\)\]$/\1/p' | sort -u | tr '\n' ' '; }

# The locks of rule 8 are made by lock, of the scene as it was when the picture was locked.
cp ./*.xml ./*.lua ./*.lock model.txt "$tmp"/
cd "$tmp" || exit 1
timeout 60 "$I" lock 08-good.xml > out 2> err; rc=$?
[ $rc -eq 0 ] && [ -s 08-good.lock ]; say $? "lock of a locked picture that has no lock yet" "status $rc: $(seen)"
for s in 08-lock 08-lock-gone 08-lock-source; do cp 08-good.lock $s.lock; done
echo "picture reel2.of-type read" >> 08-lock-gone.lock
check 08-lock.xml
grep -q 'error: <pattern id="src">: changed after picture lock: frames, locked 4, now 5 (restore it, or run: interneg lock --relock 08-lock.xml)' err
say $? "rule 8 names the node, the attribute, the old and the new value" "$(seen)"
for verb in "render 08-lock.xml" "still 08-lock.xml a" "lock 08-lock.xml" "verify 08-lock.xml" "solve 08-lock.xml" "plan 08-lock.xml"; do
	timeout 60 "$I" $verb > out 2> err; rc=$?
	[ $rc -eq 12 ]; say $? "under picture lock a change ends ${verb%% *} in status 12" "status $rc: $(seen)"
done
cp 08-lock.xml 09-relocked.xml; cp 08-lock.lock 09-relocked.lock
timeout 60 "$I" lock --relock 09-relocked.xml > out 2> err && "$I" verify 09-relocked.xml > out 2> err
say $? "lock --relock takes the picture as it is now" "$(seen)"
rm -f 09-relocked.*
# locked at another speed: above the AI process a change, below it none
for s in 08-lock-speed 08-good-speed; do
	cp $s.xml now; sed 's/speed="2"/speed="1.5"/' now > $s.xml
	timeout 60 "$I" lock $s.xml > out 2> err || say 1 "lock of $s" "$(seen)"
	cp now $s.xml
done
check 08-lock-speed.xml
grep -q '<speed_ramp id="sp">: changed after picture lock: speed, locked 1.5, now 2 ' err
say $? "a retime above the AI process is of the picture" "$(seen)"

for f in [01]*.xml; do
	name=${f%.xml}
	number=$(echo "$name" | sed 's/-.*//; s/^0//')
	check "$f"
	case $name in
	*-good*) [ $rc -eq 0 ] && ! grep -q ': error: ' err; say $? "$name breaks nothing" "status $rc: $(seen)" ;;
	*)
		want=4; case $name in *-lock*) want=12 ;; esac
		[ $rc -eq $want ]; say $? "$name ends in status $want" "status $rc: $(seen)"
		case "$(broken)" in "$number-"*" "*?) false ;; "$number-"*) true ;; *) false ;; esac
		say $? "$name breaks rule $number and no other" "$(broken): $(seen)"
		# where it is, and what to do
		[ "$number" = 8 ] || grep -Eq "^$f:[0-9]+: error: <[a-z_]+ id=\"[a-z0-9]+\">: .* \(.+\) \[$number-" err
		say $? "$name names the place, the reason and what to do" "$(seen)" ;;
	esac
done

check 20-waived.xml
[ $rc -eq 0 ] && grep -q '^20-waived.xml:[0-9]*: waived: .*the client asked for it.*\[5-neutral-first\]' err
say $? "a waiver waives, and is shown" "status $rc: $(seen)"
check 21-waived-other.xml
[ $rc -eq 4 ] && grep -q 'warning: <waive.*waives nothing' err
say $? "a waiver of another node waives nothing and is warned of" "status $rc: $(seen)"
check 22-waived-lock.xml
[ $rc -eq 12 ]; say $? "a mismatch with a pin cannot be waived" "status $rc: $(seen)"
check 23-studio.xml
[ $rc -eq 4 ] && grep -q 'sigma=1 below 1 nodes (take it out) \[no-blur\]' err
say $? "a studio's own rule loads beside them" "status $rc: $(seen)"
check 24-broken.xml
[ $rc -eq 10 ] && grep -q '^broken.lua:3: error: ' err
say $? "a rule that fails ends in status 10 with its line" "status $rc: $(seen)"
check 26-grain-ai.xml
[ $rc -eq 4 ] && grep -q '<grain id="gr">: grain above .ai. (ai): it would be taken for detail.*\[6-grain-last\]' err && [ "$(broken)" = "4-ungraded-source 6-grain-last " ]
say $? "grain before an AI process is refused, with the reason" "status $rc: $(seen)"
check 06-bad-dissolve.xml
grep -q 'lose strength halfway (.*dissolve= mixes two grains by variance)' err; say $? "grain before a dissolve is told of dissolve=" "$(seen)"
sed 's/ reason="[^"]*"//' 20-waived.xml > 25.xml
check 25.xml
[ $rc -eq 3 ]; say $? "a waiver without a reason is an error" "status $rc: $(seen)"
echo "model dn" > 07-good.lock
check 07-good.xml
[ $rc -eq 12 ] && grep -q '^07-good.lock:1: error: ' err
say $? "a damaged lock is refused with its line" "status $rc: $(seen)"
# a rule costs by the node, not by the pair of nodes
awk 'BEGIN { print "<graph version=\"1\" fps=\"24\"><pattern id=\"n0\" width=\"8\" height=\"8\" frames=\"1\"/><pass id=\"l\" kind=\"look\">"
	for (i = 1; i < 4000; i++) printf "<grade id=\"n%d\" in=\"n%d\" exposure=\"0.1\"/>\n", i, i - 1
	print "</pass><write id=\"w\" in=\"l\" file=\"x.exr\"/></graph>" }' > chain.xml
check chain.xml
[ $rc -eq 0 ]; say $? "4000 nodes in a chain are within the budget of the rules" "status $rc: $(seen)"
