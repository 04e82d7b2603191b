#!/bin/sh
# readme.sh - what README tells people to write works as it stands there: the scene, and the node in Lua.
# SPDX-License-Identifier: BSD-2-Clause
set -u
cd "$(dirname "$0")/../.." || exit 1
I=${INTERNEG:-$PWD/interneg}
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM

block() { # language: the first block of README in it
	awk -v want="\`\`\`$1" '$0 == want { on = 1; next } on && /^```/ { exit } on' README.md
}
ok() { # name status-wanted
	if [ "$rc" = "$2" ]; then echo "ok $1"; else echo "not ok $1: status $rc: $(head -n 3 "$tmp/err")"; fi
}
glow() { # attributes
	cat > "$tmp/s.xml" <<- EOF
	<graph version="1" name="readme" fps="24">
	<script file="glow.lua"/>
	<pattern id="p" width="64" height="36" frames="2"/>
	<pass id="look" kind="look"><glow id="g" in="p" $1/></pass>
	</graph>
	EOF
}

block lua > "$tmp/glow.lua"
glow 'amount="0.5"'
"$I" check "$tmp/s.xml" > /dev/null 2> "$tmp/err"; rc=$?
ok "the node in Lua of README loads" 0
"$I" still "$tmp/s.xml" g -o "$tmp/g.png" > /dev/null 2> "$tmp/err"; rc=$?
ok "and renders" 0
"$I" still "$tmp/s.xml" p -o "$tmp/p.png" > /dev/null 2>&1
glow 'amount="0"'
"$I" still "$tmp/s.xml" g -o "$tmp/0.png" > /dev/null 2> "$tmp/err"
if cmp -s "$tmp/0.png" "$tmp/p.png" && ! cmp -s "$tmp/g.png" "$tmp/p.png"; then echo "ok mix of an inner node reaches its pixels"
else echo "not ok mix of an inner node reaches its pixels: amount 0 is not the picture, or 0.5 is"; fi
sed -i 's/p\.sigma/p.sgima/' "$tmp/glow.lua"
"$I" check "$tmp/s.xml" > /dev/null 2> "$tmp/err"; rc=$?
ok "a misspelt parameter in a script is refused" 10
if grep -q "did you mean sigma" "$tmp/err"; then echo "ok and the right name is told"; else echo "not ok and the right name is told: $(cat "$tmp/err")"; fi

# The scene: any clip will do.
block xml | sed "s|file=\"clip.mp4\"|file=\"$PWD/examples/media/room.mp4\"|" > "$tmp/shot.xml"
"$I" check "$tmp/shot.xml" > /dev/null 2> "$tmp/err"; rc=$?
ok "the scene of README is valid" 0
