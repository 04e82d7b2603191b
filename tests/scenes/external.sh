#!/bin/sh
# external.sh - a program of the user's as a pass: leave, pins, frames out and back, its failures, its end.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
XDG_CONFIG_HOME=$tmp/config; export XDG_CONFIG_HOME
say() { # good name why
	if [ "$1" = 0 ]; then echo "ok external $2"; else echo "not ok external $2: $3"; fi
}
prog() { cat > "$tmp/$1"; chmod +x "$tmp/$1"; }
lives() { [ -r "/proc/$1/stat" ] && ! grep -q ') Z ' "/proc/$1/stat"; }
pin() { sha256sum "$tmp/$1" | cut -c1-64; }
# program attributes...
scene() {
	p=$1; shift
	cat > "$tmp/s.xml" <<END
<graph version="1">
  <pattern id="plate" kind="shot" width="40" height="24" frames="3"/>
  <pass id="clean" kind="cleanup" path="pass.####.exr">
    <external id="x" in="plate" program="$p" program_sha256="$(pin "$p")" $*/>
  </pass>
  <write id="w" in="x" file="out.####.png" preset="png"/>
</graph>
END
}
run() { timeout 60 "$INTERNEG" "$@" >"$tmp/out" 2>&1; }
render() { run render "$tmp/s.xml" --progress none --cache "$tmp/cache" --overwrite "$@"; }
why() { head -3 "$tmp/out" | tr '\n' ' '; }

prog copy <<'END'
#!/bin/sh
echo "$@" >> calls
cp "$1" "$2"
END

# leave
scene copy
render; [ $? = 4 ] && grep -q -- --allow-external "$tmp/out" && grep -q "allow_external $tmp/copy" "$tmp/out" && [ ! -e "$tmp/calls" ]
say $? "a scene alone runs nothing, status 4, and tells how to allow it" "$(why)"
run check "$tmp/s.xml"; [ $? = 0 ] && grep -q "warning" "$tmp/out"; say $? "check warns of it" "$(why)"
mkdir -p "$tmp/config/interneg"
echo "allow_external /bin/true" > "$tmp/config/interneg/settings"
render -F 1; [ $? = 4 ] && [ ! -e "$tmp/calls" ]; say $? "leave for another program is none" "$(why)"
printf '# mine\nallow_external %s\n' "$tmp/copy" > "$tmp/config/interneg/settings"
render -F 1; rc=$?; [ $rc = 0 ] && [ -s "$tmp/calls" ]; say $? "a line in the user's settings allows it" "$rc $(why)"
echo "allow_everything" > "$tmp/config/interneg/settings"
render -F 1; [ $? = 2 ] && grep -q "settings:1" "$tmp/out"; say $? "an unknown setting is status 2" "$(why)"
rm -r "$tmp/config" "$tmp/cache"

# frames out and back
render --allow-external; rc=$?; [ $rc = 0 ] && [ -s "$tmp/pass.0003.exr" ]; say $? "--allow-external allows it" "$rc $(why)"
n=$(wc -l < "$tmp/calls"); render --allow-external; [ "$n" = "$(wc -l < "$tmp/calls")" ]; say $? "its frames are an intermediate: not run again" "$n $(wc -l < "$tmp/calls")"
find "$tmp/cache" -name 'external.*' | grep -q .; [ $? = 1 ]; say $? "nothing of it stays in the cache" ""
sum() { "$INTERNEG" render "$1" -F 2 --dry --no-cache --allow-external --progress json 2>/dev/null | sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p'; }
sed 's/<external.*/<exposure_none\/>/; /exposure_none/d; s/in="x"/in="plate"/; /<pass/d; /<\/pass/d' "$tmp/s.xml" > "$tmp/plain.xml"
a=$(sum "$tmp/s.xml") b=$(sum "$tmp/plain.xml")
[ -n "$a" ] && [ "$a" = "$b" ]; say $? "a program that copies EXR changes no bit" "$a $b"
oracle=$("$INTERNEG" render "$tmp/s.xml" -F 2 --dry --no-cache --allow-external --oracle --progress json 2>/dev/null | sed -n 's/.*"hash":"\([0-9a-f]*\)".*/\1/p')
[ "$a" = "$oracle" ]; say $? "the same through the oracle" "$oracle"
scene copy 'format="png"'
png=$(sum "$tmp/s.xml"); [ -n "$png" ]; say $? "PNG of 16 bits goes out and back" "$(why)"

# arguments are a list, no shell
prog list <<'END'
#!/bin/sh
for a; do echo "<$a>"; done > list
cp "$5" "$6"
END
scene list "args=\"'a b' \$HOME;x &quot;c d&quot; e\\ f {in} {out} {first}-{last}\""
render --allow-external -F 2; printf '%s\n' '<a b>' '<$HOME;x>' '<c d>' '<e f>' > "$tmp/want"
head -4 "$tmp/list" | cmp -s - "$tmp/want" && sed -n 7p "$tmp/list" | grep -q '^<2-2>$'; say $? "arguments are a list without a shell" "$(cat "$tmp/list") $(why)"

# clip mode: one call
prog clip <<'END'
#!/bin/sh
echo call >> clips
cp "$1"/* "$2"
END
scene clip 'mode="clip"'
render --allow-external; rc=$?; [ $rc = 0 ] && [ "$(wc -l < "$tmp/clips")" = 1 ]; say $? "mode clip: one call for the range" "$rc $(cat "$tmp/clips") $(why)"
c=$(sum "$tmp/s.xml"); [ "$c" = "$a" ]; say $? "and the same frames" "$c $a"

# failures
bad() { # name text attributes
	scene bad "$3"
	render --allow-external -F 1; rc=$?
	[ $rc != 0 ] && [ $rc -lt 128 ] && grep -q "$2" "$tmp/out"; say $? "$1" "$rc $(why)"
}
printf '#!/bin/sh\necho boom boom >&2\nexit 3\n' | prog bad; bad "a status is told with its last words" "status 3"
grep -q "boom boom" "$tmp/out"; say $? "which are there" "$(why)"
printf '#!/bin/sh\nkill -SEGV $$\n' | prog bad; bad "a signal is told" "signal 11"
printf '#!/bin/sh\nexit 0\n' | prog bad; bad "no frame back is refused" "given 1 frame and left 0"
printf '#!/bin/sh\ncp "$1" "$2"; touch "$2.more"\n' | prog bad; bad "a frame too many is refused" "left 2 files"
printf '#!/bin/sh\necho rubbish > "$2"\n' | prog bad; bad "rubbish is refused" "000001.exr"
printf '#!/bin/sh\ncp "$1" "$2"\n' | prog bad; bad "another size is refused" "80 x 48 was asked for" 'scale="2"'
bad "another colour space is refused" "primaries" 'color="acescg"'
printf '#!/bin/sh\n[ -e "$1" ] || { echo version 8; exit 0; }\ncp "$1" "$2"\n' | prog bad
bad "another version is refused" 'is not version' 'version="9" version_args="a b"'
printf '#!/bin/sh\nsleep 50 & echo $! > child\nwait\n' | prog bad; bad "what takes too long is ended" "longer than timeout" 'timeout="0.3"'
sleep 0.1; ! lives "$(cat "$tmp/child")"; say $? "with its children" "$(cat "$tmp/child") lives"
bad "arguments without {out} are refused" '{in} and {out}' 'args="{in}"'

# interruption
scene bad; rm -f "$tmp/child"
"$INTERNEG" render "$tmp/s.xml" --progress none --no-cache --allow-external >"$tmp/out" 2>&1 & pid=$!
for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do [ -s "$tmp/child" ] || sleep 0.2; done
kill -INT $pid; wait $pid; rc=$?
lives "$(cat "$tmp/child")"; alive=$?
[ $rc = 130 ] && [ $alive != 0 ]; say $? "SIGINT ends it with its children, status 130" "$rc alive=$alive $(why)"

# pins and the lock
scene copy 'version="1.2"'
run lock "$tmp/s.xml" --allow-external --cache "$tmp/cache"; rc=$?
[ $rc = 0 ] && grep -q "^model x $(pin copy)" "$tmp/s.lock" && grep -q "^outside x .*copy 1.2" "$tmp/s.lock"
say $? "the lock has program, version and hash, outside the promise" "$rc $(why) $(grep -n ' x ' "$tmp/s.lock")"
echo '# changed' >> "$tmp/copy"
run check "$tmp/s.xml"; [ $? = 12 ]; say $? "another program than the pinned is status 12" "$(why)"
sed -i 's/program_sha256="[0-9a-f]*"//' "$tmp/s.xml"; rm -f "$tmp/s.lock"
run check "$tmp/s.xml"; [ $? = 4 ] && grep -q "$(pin copy)" "$tmp/out"; say $? "no pin is a finding that names the hash" "$(why)"
exit 0
