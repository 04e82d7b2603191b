#!/bin/sh
# fmt.sh - every scene of the project: formatting twice changes nothing and keeps the graph; the schemas
# made for a scene accept it, as xmllint judges, before and after, and refuse what is wrong in it.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
I=${INTERNEG:-$PWD/interneg}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
say() { # good-or-bad name why
	if [ "$1" = 0 ]; then echo "ok $2"; else echo "not ok $2: $(echo "$3" | head -c 300 | tr '\n' ' ')"; fi
}
# A copy, so that paths between the files hold and nothing here is written to.
for d in examples graphs lua tests; do [ -d $d ] && cp -R $d "$tmp/"; done
rm -rf "$tmp/tests/scenes/bad" "$tmp/tests/unit"
cd "$tmp" || exit 1
find . -name '*.xml' | LC_ALL=C sort > list
if ! [ -s list ]; then echo "skip scenes: none found"; exit 0; fi
command -v xmllint > /dev/null && lint=1 || lint=0
[ $lint = 1 ] || echo "skip schemas: xmllint is missing"

judge() { # scene when
	"$I" schema --rng "$1" > s.rng 2> err && xmllint --noout --relaxng s.rng "$1" > /dev/null 2>> err
	say $? "$1 $2 validates by RELAX NG" "$(cat err)"
	"$I" schema --xsd "$1" > s.xsd 2> err && xmllint --noout --schema s.xsd "$1" > /dev/null 2>> err
	say $? "$1 $2 validates by XSD" "$(cat err)"
}
while read -r f; do
	# Scenes that are broken on purpose are not for here.
	"$I" fmt "$f" > one 2> err || { grep -q "broken on purpose" "$f" || say 1 "$f is formatted" "$(cat err)"; continue; }
	[ $lint = 1 ] && judge "$f" "as written"
	"$I" graph "$f" > graph1 2> /dev/null; rc1=$?
	cp one "$f"
	"$I" fmt "$f" > two 2> err && cmp -s one two
	say $? "$f formatted twice stays" "$(diff one two | head -5; cat err)"
	"$I" graph "$f" > graph2 2> /dev/null; rc2=$?
	[ $rc1 = $rc2 ] && cmp -s graph1 graph2
	say $? "$f formatted is the same graph" "status $rc1 $rc2: $(diff graph1 graph2 | head -5)"
	[ $lint = 1 ] && judge "$f" "formatted"
	if [ $lint = 1 ]; then
		sed '0,/ id="/s// nonsense="1" id="/; s/<graph /<graph nonsense="1" /' "$f" > wrong.xml
		xmllint --noout --relaxng s.rng wrong.xml > /dev/null 2>&1
		[ $? -eq 3 ]; say $? "$f with an unknown attribute is refused by RELAX NG" "accepted"
		xmllint --noout --schema s.xsd wrong.xml > /dev/null 2>&1
		[ $? -eq 3 ]; say $? "$f with an unknown attribute is refused by XSD" "accepted"
	fi
done < list
