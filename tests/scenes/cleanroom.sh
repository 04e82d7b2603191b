#!/bin/sh
# cleanroom.sh - the examples as a project in git, cloned by another user into an empty folder: another locale, time zone,
# working directory, cache, thread count and instruction set; verify passes, and says what a changed byte is.
# SPDX-License-Identifier: BSD-2-Clause
command -v git > /dev/null || { echo "skip cleanroom: no git"; exit 0; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
here=$(cd "$(dirname "$0")/../.." && pwd)
chmod 755 "$tmp"
mkdir "$tmp/bin" "$tmp/repo" "$tmp/room"
cp "$INTERNEG" "$tmp/bin/interneg"
cp -r "$here/lua" "$here/graphs" "$tmp/bin/"
cp -r "$here/graphs" "$here/lua" "$tmp/repo/"
for d in media 010-finish 020-shots 030-lua; do
	mkdir -p "$tmp/repo/examples/$d"
	find "$here/examples/$d" -maxdepth 1 -type f -exec cp {} "$tmp/repo/examples/$d/" \;
	[ -d "$here/examples/$d/lua" ] && cp -r "$here/examples/$d/lua" "$tmp/repo/examples/$d/"
done
g() { git -c user.name=t -c user.email=t@t -c init.defaultBranch=main -c safe.directory='*' "$@"; }
(cd "$tmp/repo" && g init -q && g add -A && g commit -q -m project) || { echo "not ok cleanroom: no repository"; exit 1; }
chmod -R a+rX "$tmp/repo" "$tmp/bin"
cd "$tmp/room" || exit 1
g clone -q "$tmp/repo" job || { echo "not ok cleanroom clone"; exit 1; }
as= who="this user, for want of the right to be another"
if [ "$(id -u)" = 0 ] && setpriv --reuid 65534 --regid 65534 --clear-groups true 2> /dev/null; then
	chown -R 65534:65534 "$tmp/room"
	as="setpriv --reuid 65534 --regid 65534 --clear-groups" who="user 65534"
fi
clean() { # threads isa scene options...
	t=$1 i=$2 s=$3; shift 3
	$as env -i PATH="$PATH" HOME=/nonexistent LC_ALL=tr_TR.UTF-8 TZ=Pacific/Apia INTERNEG_SHARE="$tmp/bin" TMPDIR="$tmp/room" \
		"$tmp/bin/interneg" verify "$s" --threads "$t" --isa "$i" "$@" > "$tmp/out" 2> "$tmp/err"
}
for e in 010-finish 020-shots 030-lua; do
	case $e in 010*) o="--sample 3" ;; *) o= ;; esac
	clean 1 baseline "job/examples/$e/scene.xml" $o
	rc=$?
	[ $rc -eq 0 ] && echo "ok cleanroom $e: verified as $who" || echo "not ok cleanroom $e: status $rc $(tail -n 3 "$tmp/out" "$tmp/err" | tr '\n' ' ')"
done
is() { if [ "$2" = "$3" ]; then echo "ok cleanroom $1"; else echo "not ok cleanroom $1: got '$2', want '$3': $(head -n 5 "$tmp/out" "$tmp/err" | tr '\n' ' ')"; fi; }
is "verify leaves the clone as it was" "$($as env HOME="$tmp/room" git -C job status --porcelain | wc -l)" 0
lua=$(cd job/examples/030-lua && find . -name '*.lua' | head -n 1)
if [ -n "$lua" ]; then
	$as sh -c "echo '-- one more line' >> 'job/examples/030-lua/$lua'"
	clean 3 auto job/examples/030-lua/scene.xml
	is "one line more in a script: status and name" "$?/$(grep -c "$(basename "$lua")" "$tmp/out" "$tmp/err" | grep -vc ':0')" 11/1
fi
