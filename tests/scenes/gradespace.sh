#!/bin/sh
# gradespace.sh - a grade takes a picture that is in its own space as it is, unless a mask, a mix or the balance wants light.
# SPDX-License-Identifier: BSD-2-Clause
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
in=$INTERNEG

plan() { # attributes
	cat > "$tmp/s.xml" << X
<graph version="1" name="t" fps="24">
  <pattern id="src" kind="ramp" width="64" height="32" frames="2"/>
  <pass id="look" kind="look" keep="never"><grade id="g" in="src" space="clip" saturation="0.5" $1/></pass>
</graph>
X
	"$in" plan "$tmp/s.xml" --only g -F 1 --no-cache 2> "$tmp/err" > "$tmp/plan" || cat "$tmp/err" > "$tmp/plan"
	grep -c '^src/acescg ' "$tmp/plan"
}
check() { # name attributes conversions
	got=$(plan "$2")
	if [ "$got" = "$3" ] && grep -q '^g .* acescg' "$tmp/plan"; then echo "ok gradespace $1"
	else echo "not ok gradespace $1: $got conversions, not $3; $(tail -1 "$tmp/plan")"; fi
}
check "as it comes" '' 0
check "a mix" 'mix="0.5"' 1
check "a mix that moves" 'mix="{frame / 10}"' 1
check "a mask" 'mask="src"' 1
check "exposure" 'exposure="1"' 1
