#!/bin/sh
# demo.sh [CLIP] - what `make demo` runs: renders examples/010-finish, or finishes any clip, and says where to look.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/.."
in=./interneg
keep=
before=plate
if [ $# -gt 0 ] && [ -n "$1" ]; then
	name=$(basename "$1" | sed 's/\.[^.]*$//; s/[^A-Za-z0-9_-]/_/g')
	dir=out/demo-$name
	mkdir -p "$dir"
	scene=$dir/scene.xml
	$in new "$1" -o "$scene" --overwrite --name "$name"
	$in solve "$scene" --apply
	# the result of every pass is kept, unless the clip is so long that this would fill the disk
	need=$($in plan "$scene" --keep-all --json | sed -n 's/.*"cache_bytes":\([0-9]*\).*/\1/p')
	room=$(($(df -Pk "$dir" | awk 'NR == 2 {print $4}') * 512))
	if [ "${need:-0}" -lt "$room" ] && [ "${need:-0}" -lt 17179869184 ]; then keep=--keep-all
	else echo "passes are not kept: their float EXR frames would take $((need / 1048576)) MiB (interneg render --keep-all keeps them)"; fi
else
	dir=examples/010-finish
	scene=$dir/scene.xml
fi
if [ -t 2 ]; then $in render "$scene" $keep; else $in render "$scene" $keep --progress plain; fi
mkdir -p "$dir/out"
$in still "$scene" finish --against $before --wipe -o "$dir/out/before-after.png" >/dev/null
$in still "$scene" finish --against $before --side --crop 1200,400 -o "$dir/out/before-after-crop.png" >/dev/null
echo
echo "finished clips        $(ls "$dir"/out/*.mov "$dir"/out/*.mp4 | tr '\n' ' ')"
echo "before | after        $dir/out/before-after.png"
[ -d "$dir/.interneg/cache/passes" ] && echo "intermediates         $dir/.interneg/cache/passes/ (float OpenEXR, one folder a graph, one sequence a pass)"
echo "the scene itself      $scene"
