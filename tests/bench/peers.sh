#!/bin/sh
# peers.sh - jobs A and B beside libvips, GEGL and VapourSynth, each doing what it can of it; what it leaves out is said.
# Ours is the whole job. Slopes, turns, and figures as in jobs.sh.
# SPDX-License-Identifier: BSD-2-Clause
. "$(dirname "$0")/lib.sh"
. "$bench/jobs_scenes.sh"
BY=${BY:-quiet}
beside() { # label ours peer frames frames target
	for threads in 1 2; do
		pairs "$4" "$5" "$2" "$3" || { skip "$1" "it failed"; return; }
		_k=$BY _t="2 threads, $BY"
		[ $threads = 2 ] || _k=cpu _t="1 thread, cpu"
		result "$1, $_t" "$(ms "$(med "$2" $_k)")" "$(ms "$(med "$3" $_k)")" "$(med_ratio "$3" "$2" $_k)" "$6"
	done
	note "$1: wall $(ms "$(med "$2" wall)") and $(ms "$(med "$3" wall)"), at load $(load)"
}
vips_a() { run vips_a "$tmp/peer_vips" "$1" "$threads"; }
if build peer_vips -l:libvips.so.42 -l:libgobject-2.0.so.0 -l:libglib-2.0.so.0; then
	note "libvips: CDL, saturation, blur, luma-dependent noise plate; it has no 3D LUT."
	beside "A against libvips, which has no LUT" ours_a vips_a 2 10 -
else
	skip "A against libvips" "no libvips.so.42"
fi
gegl() { run "gegl_$1" env GEGL_USE_OPENCL=no GEGL_THREADS="$threads" "$tmp/peer_gegl" "$1" "$2" && mv "$tmp/gegl_$1.m" "$tmp/$3.m"; }
gegl_a() { gegl A "$1" gegl_a; }
gegl_b() { gegl B "$1" gegl_b; }
if build peer_gegl -l:libgegl-0.4.so.0 -l:libbabl-0.1.so.0 -l:libgobject-2.0.so.0 -l:libglib-2.0.so.0; then
	note "GEGL: slope and power alike in all channels, saturation, blur, luma-dependent noise plate, in B one halation and a"
	note "vignette; it has no 3D LUT."
	beside "A against GEGL, which has no LUT" ours_a gegl_a 1 6 -
	beside "B against GEGL, which has no LUT" ours_b gegl_b 1 6 -
else
	skip "A and B against GEGL" "no libgegl-0.4.so.0"
fi
# VS_PYTHON: a Python that can import it, such as one of a virtual environment (pip install vapoursynth wants 3.12).
python=
for p in ${VS_PYTHON:-} python3 python3.12 python3.13; do
	[ -n "$python" ] || ! "$p" -c 'import vapoursynth' 2> /dev/null || python=$p
done
vs_a() { run vs_a "$python" "$bench/peer_vs.py" A "$1" "$threads"; }
vs_b() { run vs_b "$python" "$bench/peer_vs.py" B "$1" "$threads"; }
if [ -n "$python" ]; then
	note "VapourSynth $("$python" -c 'import vapoursynth; print(vapoursynth.__version__)'): Expr, Convolution, BoxBlur; no LUT, the same noise in every frame, halation by boxes."
	beside "A against VapourSynth's reduced chain" ours_a vs_a 2 12 1.5
	beside "B against VapourSynth's reduced chain" ours_b vs_b 2 12 2.5
else
	skip "A and B against VapourSynth" "no Python here can import it (pip install vapoursynth wants 3.12; VS_PYTHON=...)"
fi
