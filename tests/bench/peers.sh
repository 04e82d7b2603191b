#!/bin/sh
# peers.sh - job A beside libvips and VapourSynth, each doing what it can of it; what it leaves out is said.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$bench/jobs_scenes.sh"
vips_a() { run vips_a "$tmp/peer_vips" "$1" "$threads"; }
if build peer_vips -l:libvips.so.42 -l:libgobject-2.0.so.0 -l:libglib-2.0.so.0; then
	note "libvips: CDL, saturation, blur, luma-dependent noise plate; it has no 3D LUT. Ours: all of A."
	for threads in 1 2; do
		rm -f "$tmp"/*.s
		for _ in $(seq "$PAIRS"); do
			for f in ours_a ours_src vips_a; do sample $f 2 8 || exit 1; done
		done
		k=${BY:-wall}
		[ $threads = 2 ] || k=cpu
		a=$(net ours_a ours_src $k); b=$(med vips_a $k)
		result "A against libvips, which has no LUT, $threads thread$([ $threads = 1 ] || echo s)" "$(ms "$a")" "$(ms "$b")" "$(ratio "$b" "$a")" -
	done
else
	skip "A against libvips" "no libvips.so.42"
fi
if python3 -c 'import vapoursynth' 2> /dev/null; then
	skip "A against VapourSynth" "importable, but this bench has no chain for it yet"
else
	skip "A against VapourSynth" "python3 cannot import it (PyPI has no wheel that fits)"
fi
