#!/bin/sh
# demo.sh [CLIP] - what `make demo` runs: renders examples/010-finish, or finishes any clip, and says where to look.
# SPDX-License-Identifier: BSD-2-Clause
set -eu
cd "$(dirname "$0")/.."
in=./interneg
if [ $# -gt 0 ] && [ -n "$1" ]; then
	name=$(basename "$1" | sed 's/\.[^.]*$//; s/[^A-Za-z0-9_-]/_/g')
	dir=out/demo-$name
	mkdir -p "$dir"
	scene=$dir/scene.xml
	$in new "$1" -o "$scene" --overwrite --name "$name"
	$in solve "$scene" --apply
	before=plate
else
	dir=examples/010-finish
	scene=$dir/scene.xml
	before=plate
fi
if [ -t 2 ]; then $in render "$scene"; else $in render "$scene" --progress plain; fi
mkdir -p "$dir/out"
$in still "$scene" finish --against $before --wipe -o "$dir/out/before-after.png" >/dev/null
$in still "$scene" finish --against $before --side --crop 1200,400 -o "$dir/out/before-after-crop.png" >/dev/null
echo
echo "finished clips        $(ls "$dir"/out/*.mov "$dir"/out/*.mp4 | tr '\n' ' ')"
echo "before | after        $dir/out/before-after.png"
echo "intermediates         $dir/.interneg/cache/passes/ (float OpenEXR, one folder a graph, one sequence a pass)"
echo "the scene itself      $scene"
