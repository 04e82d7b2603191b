#!/bin/sh
# determinism.sh - every example, through threads, tiles, cache states, instruction sets, fusion and the oracle: one hash.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
cp -r examples graphs lua "$tmp"/
export INTERNEG_SHARE="$tmp"
isas="baseline"
grep -qw avx2 /proc/cpuinfo && isas="$isas avx2"
grep -qw avx512f /proc/cpuinfo && isas="$isas avx512"

hashes() { # scene options... : the sorted hashes of three frames of every write
	scene=$1; shift
	"$INTERNEG" render "$scene" -F 1,2,6 --dry --progress json "$@" 2>"$tmp/err" |
		sed -n 's/.*"node":"\([^"]*\)","frame":\([0-9]*\),"hash":"\([0-9a-f]*\)".*/\1 \2 \3/p' | LC_ALL=C sort
}
clear_out() { rm -rf "$1"/out "$1"/.interneg; }

for dir in "$tmp"/examples/[0-9]*; do
	scene=$dir/scene.xml
	name=$(basename "$dir")
	clear_out "$dir"
	hashes "$scene" --oracle --no-cache --threads 1 > "$tmp/want"
	if ! [ -s "$tmp/want" ]; then echo "not ok determinism $name: the oracle gave nothing: $(head -3 "$tmp/err" | tr '\n' ' ')"; continue; fi
	check() { # label options...
		label=$1; shift
		hashes "$scene" "$@" > "$tmp/got"
		if cmp -s "$tmp/want" "$tmp/got"; then echo "ok determinism $name $label"
		else echo "not ok determinism $name $label: differs from the oracle: $(diff "$tmp/want" "$tmp/got" | head -2 | tr '\n' ' ') $(head -1 "$tmp/err")"; fi
	}
	for t in 1 2 7; do
		for tile in 32 256 100000; do
			rm -rf "$dir/out"
			check "threads $t tile $tile no cache" --threads $t --tile $tile --no-cache
		done
	done
	rm -rf "$dir/out" "$dir/.interneg"
	check "cold cache" --threads 2
	rm -rf "$dir/out"
	check "warm cache" --threads 2
	rm -rf "$dir/out"
	check "not fused" --no-fuse --no-cache
	for isa in $isas; do
		rm -rf "$dir/out"
		check "isa $isa" --isa $isa --no-cache
	done
	rm -rf "$dir/out"
	check "stalls" --threads 7 --tile 64 --debug stall --no-cache
	clear_out "$dir"
done

# Pictures too large for the caches: bands of them are made in scratch and streamed to memory, tiles of nodes that
# stand alone (a scan, which is a plate) too.
name=large
dir=$tmp/large scene=$dir/scene.xml
mkdir -p "$dir"
cat > "$scene" <<'X'
<graph version="1" name="large" fps="24">
  <pattern id="src" kind="ramp" colour="0.5 0.45 0.4" width="1600" height="901" frames="9"/>
  <pattern id="scan" kind="ramp" colour="0.4 0.45 0.5" width="1600" height="901" frames="9"/>
  <pass id="look" kind="look" keep="never">
    <grade id="graded" in="src" slope="1.05 1 0.95" offset="0.01 -0.05 0.02" power="1.02 0.98 2.4" saturation="0.9"/>
    <blur id="soft" sigma="0.6"/>
  </pass>
  <pass id="finish" kind="integrate" keep="never"><grain id="grained" in="look" amount="0.05"/></pass>
  <pass id="back" kind="integrate" keep="never">
    <regrain id="regrained" in="look" original="scan" neutral="src" through="yes"/>
  </pass>
  <pass id="tiled" kind="integrate" keep="never"><grain id="plated" in="look" plate="scan"/></pass>
  <write id="end" in="finish" file="out/large.####.exr"/>
  <write id="end2" in="back" file="out/back.####.exr"/>
  <write id="end3" in="tiled" file="out/tiled.####.exr"/>
</graph>
X
hashes "$scene" --oracle --no-cache --threads 1 > "$tmp/want"
[ "$(wc -l < "$tmp/want")" = 9 ] || echo "not ok determinism $name: the oracle gave nothing: $(head -3 "$tmp/err" | tr '\n' ' ')"
for t in 1 7; do
	for tile in 100 100000; do check "threads $t tile $tile" --threads $t --tile $tile --no-cache; done
done
check "not fused" --no-fuse --no-cache
for isa in $isas; do check "isa $isa" --isa $isa --no-cache; done
