#!/bin/sh
# diff.sh - scenes compared as graphs, from files and from git; what a key is made of, and since when it differs.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
in=${INTERNEG:?}
is() { if [ "$2" = "$3" ]; then echo "ok diff $1"; else echo "not ok diff $1: expected $3, got $2: $(head -2 "$tmp/out" "$tmp/err" 2>/dev/null | tr '\n' ' ')"; fi; }
says() { if grep -qFx -- "$2" "$tmp/out"; then echo "ok diff $1"; else echo "not ok diff $1: no line '$2' in $(head -8 "$tmp/out" | tr '\n' '|')"; fi; }
cat > "$tmp/a.xml" <<'X'
<graph version="1" name="l" fps="24">
  <param name="amount" type="float" value="0.03"/>
  <script file="lift.lua"/>
  <pattern id="plate" kind="shot" width="96" height="54" frames="5"/>
  <pattern id="other" kind="shot" width="96" height="54" frames="5" seed="4"/>
  <pass id="look" kind="look" keep="always">
    <grade id="g" in="plate" contrast="1.1"><animate param="exposure"><key frame="1" value="0"/><key frame="5" value="0.25" ease="smooth"/></animate></grade>
    <lift id="up" amount="0.02"/>
    <grade id="old" saturation="0.9"/>
  </pass>
  <pass id="finish" kind="integrate"><grain id="gr" in="old" amount="{amount}" seed="3"/></pass>
  <write id="a" in="gr" file="out/a.####.exr"/>
  <write id="b" in="old" file="out/b.####.exr"/>
</graph>
X
cat > "$tmp/lift.lua" <<'X'
return node { name = "lift", version = 1, doc = "Adds light.", inputs = "image",
  params = { { "amount", "float", 0.1, 0, 1, "light" } },
  pixel = function(p, src) local c = src.image; return { r = c.r + p.amount, g = c.g + p.amount, b = c.b + p.amount } end }
X
go() { "$in" diff "$@" > "$tmp/out" 2> "$tmp/err"; }
edit() { sed "$1" "$tmp/a.xml" > "$tmp/b.xml"; go "$tmp/a.xml" "$tmp/b.xml"; is "$2: status" $? 0; }

edit 's/x/x/' "the same"; is "nothing is printed" "$(wc -c < "$tmp/out")" 0
edit 's/contrast="1.1"/contrast="11e-1"/; s/saturation="0.9"/mix="1" saturation=".90"/; s/value="0.25"/value="0.250"/; s/ id="g" in="plate"/ in="plate" id="g"/' "another spelling"
is "spelling, order and defaults are no change" "$(wc -c < "$tmp/out")" 0
"$in" fmt "$tmp/a.xml" > "$tmp/b.xml" 2> "$tmp/err"; go "$tmp/a.xml" "$tmp/b.xml"; is "nor is the canonical form" "$(wc -c < "$tmp/out")" 0

edit 's/contrast="1.1"/contrast="1.2"/' "a parameter"
printf 'changed node g (grade); reaches a, b\n  contrast: 1.1 -> 1.2\n' | cmp -s - "$tmp/out"; is "from what to what, and which writes" $? 0
edit 's/contrast="1.1"//' "a parameter left out"; says "its default is told" "  contrast: 1.1 -> 1"
edit 's/frame="5" value="0.25"/frame="4" value="0.5"/' "a key"
says "a key gone" "  exposure at 5: 0.25, smooth -> (absent)"; says "a key come" "  exposure at 4: (absent) -> 0.5, smooth"
edit 's/id="g" in="plate"/id="g" in="other"/' "rewired"; says "slot from -> to" "  in: plate -> other"
edit 's/<lift id="up" amount="0.02"\/>//' "removed"
says "removed" "removed node up (lift); reaches a, b"; says "who reads another now" "  in: up -> g"
edit 's/<write id="b"/<blur id="soft" in="gr" sigma="2"\/><write id="b"/; s/id="a" in="gr"/id="a" in="soft"/' "added"
says "added" "added node soft (blur); reaches a"; says "with what is written" "  sigma: 2"
edit '/<grade id="old"/d; s|<grain id="gr"|<grade id="old" in="up" saturation="0.9"/><grain id="gr"|; s/<write id="b" in="old"/<write id="b" in="up"/' "moved"
says "between passes" "  pass: look -> finish"; says "the pass's result too" "  out: old -> up"
edit 's/value="0.03"/value="0.04"/; s/keep="always"/keep="never"/' "params and passes"
says "a param reaches what reads it" "changed param amount; reaches a"; says "a pass" "  keep: always -> never"
edit 's|<script file="lift.lua"/>|<script file="lift.lua"/><waive rule="grain-late" node="gr" reason="wanted"/>|' "waiver"
is "a waiver" "$(head -1 "$tmp/out")" "added waiver grain-late gr"
edit 's|<script file="lift.lua"/>|<script file="lift.lua"/><approve shot="s1" pass="look" by="Ann" role="colorist" hash="00000000000000000000000000000001"/>|' "approval"
is "an approval" "$(head -2 "$tmp/out" | tr '\n' ' ')" "added approval s1.look by the colorist   by: Ann "
mkdir "$tmp/v"; cp "$tmp/a.xml" "$tmp/v"; sed 's/Adds/Puts/' "$tmp/lift.lua" > "$tmp/v/lift.lua"
go "$tmp/a.xml" "$tmp/v/a.xml"; says "a script reaches its nodes' writes" "changed script lift.lua; reaches a, b"
go "$tmp/a.xml" "$tmp/v/a.xml" --at "$tmp/a.xml"; is "--at finds both sides' scripts in one folder" "$(wc -c < "$tmp/out")" 0
go "$tmp/a.xml" "$tmp/none.xml"; is "a file that is not there" $? 3
go "$tmp/a.xml"; is "one scene" $? 2

cat > "$tmp/inner.xml" <<'X'
<graph version="1" name="i"><param name="c" type="float" value="1.1"/><input id="image"/>
<grade id="k" in="image" contrast="{c}"/><output id="o" in="k"/></graph>
X
cat > "$tmp/u.xml" <<'X'
<graph version="1" name="u" fps="24"><pattern id="p" kind="shot" width="96" height="54" frames="2"/>
<use id="s1" graph="inner.xml" image="p"><set node="k" saturation="1.2"/></use><write id="w" in="s1" file="w.####.exr"/></graph>
X
sed 's/1\.2"/1.3"/; s/image="p"/image="p" c="1.5"/' "$tmp/u.xml" > "$tmp/u2.xml"
go "$tmp/u.xml" "$tmp/u2.xml"; is "used graphs" "$(cat "$tmp/err")" ""
says "what a use sets" "  set k saturation: 1.2 -> 1.3"; says "what a use gives" "  c: 1.1 -> 1.5"
mkdir "$tmp/w"; cp "$tmp/u.xml" "$tmp/w"; sed 's/<grade id="k" in="image"/& temperature="3"/' "$tmp/inner.xml" > "$tmp/w/inner.xml"
go "$tmp/u.xml" "$tmp/w/u.xml"; says "inside a used graph" "changed node s1.k (grade); reaches w"

sed 's/contrast="1.1"/contrast="1.2"/; /<write id="b"/d' "$tmp/a.xml" > "$tmp/b.xml"
go --json "$tmp/a.xml" "$tmp/b.xml"
if command -v python3 > /dev/null; then
	python3 -c 'import json,sys
v=json.load(open(sys.argv[1])); w=[(x["change"],x["kind"],x["id"],x["reaches"]) for x in v]
sys.exit(w!=[("removed","node","b",["b"]),("changed","node","g",["a"])] or v[1]["facts"]!=[{"name":"contrast","from":"1.1","to":"1.2"}])' "$tmp/out" 2>> "$tmp/err"
	is "json" $? 0
else echo "skip diff json: no python3"; fi

if command -v git > /dev/null; then
	mkdir -p "$tmp/g/sub" && cp "$tmp/lift.lua" "$tmp/a.xml" "$tmp/g/sub/" && cd "$tmp/g" || exit 1
	g() { git -c user.name=t -c user.email=t@t -c init.defaultBranch=m "$@" > /dev/null 2>&1; }
	g init . && g add . && g commit -m 1 && sed -i 's/contrast="1.1"/contrast="1.3"/' sub/a.xml && g commit -am 2
	go HEAD~1:sub/a.xml HEAD:sub/a.xml; is "two revisions" $? 0; says "what changed between them" "  contrast: 1.1 -> 1.3"
	(cd sub && go HEAD~1:./a.xml a.xml; says "a revision and the working file, from a subfolder" "  contrast: 1.1 -> 1.3")
	(cd sub && go HEAD:sub/a.xml a.xml; is "the path of the repository, from a subfolder" "$(cat "$tmp/out" "$tmp/err")" "")
	go HEAD~9:sub/a.xml sub/a.xml; is "a revision that is not there" $? 3
	git config difftool.interneg.cmd "'$in' diff --at \"\$MERGED\" \"\$LOCAL\" \"\$REMOTE\""
	git difftool -y -t interneg HEAD~1 HEAD > "$tmp/out" 2> "$tmp/err"; says "as git's difftool" "  contrast: 1.1 -> 1.3"
	echo '*.xml diff=interneg' > .gitattributes; git config diff.interneg.textconv "'$in' fmt --textconv"
	sed -i 's/contrast="1.3"/contrast="13e-1"/' sub/a.xml; git diff > "$tmp/out" 2> "$tmp/err"
	is "as git's textconv, scripts missing beside git's copy" "$?$(cat "$tmp/err")" 0
	sed -i 's/width="96"/width="98"/; s/<pattern id="plate" kind="shot"/<pattern kind="shot" id="plate"/' sub/a.xml; git diff > "$tmp/out" 2> "$tmp/err"
	grep -q '^+  <pattern id="plate" kind="shot" width="98"' "$tmp/out"; is "canonical lines in git diff" $? 0
	cd "$tmp" || exit 1
else echo "skip diff git: no git"; fi

# One frame: the lock's line of a node is the SHA-256 of its only key, which explain must tell.
sed 's/frames="5"/frames="1"/; s/frame="5"/frame="9"/' "$tmp/a.xml" > "$tmp/one.xml"
"$in" lock "$tmp/one.xml" --cache "$tmp/c" > "$tmp/out" 2> "$tmp/err"; is "lock" $? 0
agree=0
for n in plate g up old gr; do
	"$in" explain "$tmp/one.xml" $n -F 1 > "$tmp/out" 2> "$tmp/err" || agree=1
	key=$(sed -n 's/^  key  *//p' "$tmp/out")
	sum=$(printf %s "$key" | python3 -c 'import sys,hashlib; print(hashlib.sha256(bytes.fromhex(sys.stdin.read())).hexdigest())')
	[ "$sum" = "$(sed -n "s/^node $n //p" "$tmp/one.lock")" ] || agree=1
done
if command -v python3 > /dev/null; then is "explain tells the keys that the lock was made of" $agree 0
else echo "skip diff explain against the lock's sums: no python3"; fi
says "unchanged" "as in the lock, with everything above it"
"$in" explain "$tmp/a.xml" gr -F 3 > "$tmp/out" 2> "$tmp/err"; is "explain without a lock" $? 0
grep -q '^  amount  *0.03$' "$tmp/out"; is "a parameter's value at the frame" $? 0
grep -q '^  input image  *old/[a-z0-9]*, frame 3, key [0-9a-f]\{16\}$' "$tmp/out"; is "an input, its frame and key" $? 0
old=$(sed -n 's/^  input image .* key \([0-9a-f]*\)$/\1/p' "$tmp/out"); at=$(sed -n 's/^  input image  *\(.*\), frame 3, key [0-9a-f]*$/\1/p' "$tmp/out")
"$in" explain "$tmp/a.xml" "$at" -F 3 > "$tmp/out" 2> "$tmp/err"
is "that key is the input's own" "$(sed -n 's/^  key  *\(.\{16\}\).*/\1/p' "$tmp/out")" "$old"
"$in" explain "$tmp/a.xml" none > "$tmp/out" 2> "$tmp/err"; is "a node that is not there" $? 2
since() { # name sed-script file pattern
	cp "$tmp/$3" "$tmp/kept"; sed -i "$2" "$tmp/$3"
	"$in" explain "$tmp/one.xml" gr -F 1 > "$tmp/out" 2> "$tmp/err"
	grep -q -- "$4" "$tmp/out"; is "since the lock: $1" $? 0
	cp "$tmp/kept" "$tmp/$3"
}
since "a parameter above" 's/contrast="1.1"/contrast="1.2"/' one.xml '^  g (grade) changed itself'
since "what is below follows" 's/contrast="1.1"/contrast="1.2"/' one.xml '^  gr (grain) follows its inputs'
since "a source" 's/kind="shot" width="96"/kind="shot" width="98"/' one.xml '^    width: locked 96, now 98'
since "a script" 's/Adds/Puts/' lift.lua '^    script lift.lua: another content'
since "beside it" 's/id="other" kind="shot" width="96"/id="other" kind="shot" width="98"/' one.xml '^as in the lock'
