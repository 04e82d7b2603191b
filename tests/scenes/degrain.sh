#!/bin/sh
# degrain.sh - degrain through the program: one hash in any tiling and with any instruction set, frames at the clip's ends, proxy,
# mask, the pass rules, and what it says of profiles that are none.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
say() { if [ "$2" = 0 ]; then echo "ok degrain $1"; else echo "not ok degrain $1: $3"; fi; }

scene() { # file degrain-attributes
	cat > "$tmp/$1.xml" <<END
<graph version="1" fps="24">
<pattern id="shot" kind="shot" width="160" height="96" frames="6"/>
<pass id="clean" kind="cleanup"><degrain id="neutral" in="shot" $2/></pass>
<write id="out" in="clean" file="out/$1.####.exr"/>
</graph>
END
}
hashes() { # file options...
	_s=$1; shift
	rm -rf "$tmp/out"
	"$INTERNEG" render "$tmp/$_s.xml" --dry --progress json "$@" 2> "$tmp/err" |
		sed -n 's/.*"frame":\([0-9]*\),"hash":"\([0-9a-f]*\)".*/\1 \2/p' | LC_ALL=C sort
}

isas="baseline"
grep -qw avx2 /proc/cpuinfo && isas="$isas avx2"
grep -qw avx512f /proc/cpuinfo && isas="$isas avx512"
cat > "$tmp/x.grain" <<END
grain 1
space rec709
height 96
strength 0.1 0.02 0.015 0.03
strength 0.9 0.01 0.01 0.02
correlation 0.3 0.2 0.2
spectrum 0.02 3 3 5
spectrum 0.7 -9 -9 -15
END
scene white 'sigma="0.02" radius="1"'
scene shaped 'profile="x.grain" radius="2" reach="9"'
for s in white shaped; do
	hashes $s -F 1,3,6 --oracle --no-cache --threads 1 > "$tmp/want"
	[ "$(wc -l < "$tmp/want")" = 3 ]; say "$s: three frames" $? "$(head -1 "$tmp/err")"
	for o in "--threads 2 --tile 32" "--threads 1 --tile 100000" "--threads 2 --no-fuse --tile 71"; do
		hashes $s -F 1,3,6 --no-cache $o > "$tmp/got"
		cmp -s "$tmp/want" "$tmp/got"; say "$s: $o" $? "differs from the oracle"
	done
	for i in $isas; do
		hashes $s -F 1,3,6 --no-cache --isa $i > "$tmp/got"
		cmp -s "$tmp/want" "$tmp/got"; say "$s: isa $i" $? "differs from the oracle"
	done
done

# Frames of a window: the first frame has no past, so it differs from the same clip's with radius 0 only by its future.
scene still 'sigma="0.02" radius="0"'
hashes still -F 3 --no-cache > "$tmp/a"
hashes white -F 3 --no-cache > "$tmp/b"
! cmp -s "$tmp/a" "$tmp/b"; say "time changes the picture" $? "radius 1 gives what radius 0 does"

# strength 0 is the picture itself
scene none 'strength="0"'
sed 's/<pass.*<\/pass>//; s/in="clean"/in="shot"/' "$tmp/none.xml" > "$tmp/plain.xml"
hashes none -F 2 --no-cache > "$tmp/a"
hashes plain -F 2 --no-cache > "$tmp/b"
[ -s "$tmp/a" ] && cmp -s "$tmp/a" "$tmp/b"; say "strength 0 does nothing" $? "the picture changed"

hashes white -F 2 --no-cache --proxy 2 > "$tmp/a"
[ -s "$tmp/a" ]; say "proxy" $? "$(head -1 "$tmp/err")"

# A mask of nothing leaves everything.
sed 's/<pass id="clean"/<pattern id="no" kind="constant" width="160" height="96" frames="6" colour="0 0 0"\/><pass id="clean"/; s/in="shot" sigma/in="shot" mask="no" sigma/' "$tmp/white.xml" > "$tmp/masked.xml"
hashes masked -F 2 --no-cache > "$tmp/a"
hashes plain -F 2 --no-cache > "$tmp/b"
[ -s "$tmp/a" ] && cmp -s "$tmp/a" "$tmp/b"; say "mask" $? "$(head -1 "$tmp/err")"

echo "grain 1 nonsense" > "$tmp/bad.grain"
for f in bad absent; do
	scene $f "profile=\"$f.grain\""
	"$INTERNEG" check "$tmp/$f.xml" > /dev/null 2> "$tmp/err"; rc=$?
	[ $rc -ne 0 ] && grep -q "$f.grain" "$tmp/err"; say "profile $f" $? "status $rc, $(head -1 "$tmp/err")"
done
