#!/bin/sh
# bad.sh - bad scenes: every file of bad/ ends in its status within seconds and says what expected.txt wants of it.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/bad" || exit 1
I=${INTERNEG:-../../../interneg}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM

say() { # good-or-bad name why
	if [ "$1" = 0 ]; then echo "ok bad scene $2"; else echo "not ok bad scene $2: $3"; fi
}
check() { # file: runs the program, leaves $tmp/err and rc
	(ulimit -v 4000000 2> /dev/null; timeout 20 "$I" check "$1") > "$tmp/out" 2> "$tmp/err"
	rc=$?
}
# A sanitized program maps terabytes of shadow: no limit there.
[ -n "${SANITIZED:-}" ] && check() { timeout 60 "$I" check "$1" > "$tmp/out" 2> "$tmp/err"; rc=$?; }
# Some line of the report has the place and the words. words may hold any character.
reported() { # file line words
	FILE=$1 LINE=$2 WORDS=$3 awk '
		{ place = ENVIRON["LINE"] == "0" ? 1 : index($0, ENVIRON["FILE"] ":" ENVIRON["LINE"] ": error: ")
		  if (place && index($0, ENVIRON["WORDS"])) found = 1 }
		END { exit !found }' "$tmp/err"
}

last=""
while IFS='|' read -r name line words; do
	case $name in '#'*|'') continue ;; esac
	if [ "$name" != "$last" ]; then
		check "$name.xml"
		want=3
		case $name in script-*) want=10 ;; esac
		[ $rc -eq 3 ] || [ $rc -eq $want ]
		say $? "$name ends in status $want" "status $rc: $(head -c 300 "$tmp/err")"
		last=$name
	fi
	reported "$name.xml" "$line" "$words"
	say $? "$name, line $line: $words" "$(head -c 300 "$tmp/err" | tr '\n' ' ')"
done < expected.txt

for f in *.xml; do
	name=${f%.xml}
	case $name in inner|use-ring2) continue ;; esac
	grep -q "^$name|" expected.txt || say 1 "$name" "not in expected.txt"
done

# What is too large to keep in the repository.
made() { # name words: judges $tmp/NAME.xml
	check "$tmp/$1.xml"
	[ $rc -eq 3 ] && grep -qF "$2" "$tmp/err"
	say $? "$1: $2" "status $rc: $(head -c 300 "$tmp/err")"
}
awk 'BEGIN { for (i = 0; i < 200000; i++) printf "<graph>" }' > "$tmp/deep.xml"
made deep "nested too deeply"
awk 'BEGIN { printf "<graph version=\"1\" name=\""; for (i = 0; i < 3000000; i++) printf "abcd"; print "\"/>" }' > "$tmp/huge-attribute.xml"
made huge-attribute "too long"
awk 'BEGIN { printf "<graph version=\"1\""; for (i = 0; i < 400000; i++) printf " a%d=\"\"", i; print "/>" }' > "$tmp/many-attributes.xml"
made many-attributes "too many attributes"
awk 'BEGIN { print "<graph version=\"1\">"; for (i = 0; i < 300000; i++) print "<nonsense/>"; print "</graph>" }' > "$tmp/many-errors.xml"
made many-errors "too many errors"
awk 'BEGIN { print "<graph version=\"1\">"; for (i = 0; i < 1000100; i++) print "<a/>"; print "</graph>" }' > "$tmp/many-elements.xml"
made many-elements "too many elements"
dd if=/dev/zero bs=1048576 count=1 of="$tmp/zeros.xml" 2> /dev/null
made zeros "not UTF-8"
truncate -s 100M "$tmp/large.xml"
made large "too large"
# 2^30 instances when followed blindly
for i in 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29; do
	printf '<graph version="1">\n<use id="a" graph="e%d.xml"/>\n<use id="b" graph="e%d.xml"/>\n</graph>\n' $((i + 1)) $((i + 1)) > "$tmp/e$i.xml"
done
echo '<graph version="1"/>' > "$tmp/e30.xml"
made e0 "too much in the used graphs"
check "$tmp"
[ $rc -eq 3 ] && grep -q "is a folder" "$tmp/err"
say $? "a folder" "status $rc: $(head -c 300 "$tmp/err")"
check "$tmp/missing.xml"
[ $rc -eq 3 ] && grep -q "No such file" "$tmp/err"
say $? "a missing file" "status $rc: $(head -c 300 "$tmp/err")"
