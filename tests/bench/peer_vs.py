"""peer_vs - jobs A and B as far as VapourSynth's own filters do them: N frames of 1080p float on THREADS threads.

peer_vs.py A|B N THREADS. Slope, offset, power, saturation, a separable blur of 0.6, a plate of noise that is always the
same, weighted by luma; B: halation by three passes of a box blur, and a vignette from a picture. There is no 3D LUT.
SPDX-License-Identifier: BSD-2-Clause
"""
import array
import random
import sys

import vapoursynth as vs

W, H = 1920, 1080
core = vs.core
job, count, core.num_threads = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def held(rows):
	"""A clip that hands out one picture, which stays in memory; its rows are taken in turns."""
	blank = core.std.BlankClip(width=W, height=H, format=vs.RGBS, length=count, keep=True)
	frame = blank.get_frame(0).copy()
	for p in range(3):
		flat = frame[p].cast("B").cast("f")
		for y in range(H):
			flat[y * W:y * W + W] = rows[(y + 7 * p) % len(rows)]
	return core.std.ModifyFrame(blank, blank, lambda n, f: frame)


def planes(clip, extra, text):
	"""One expression for all planes, with y the same plane of extra and z, or only z where there is none."""
	out = [core.std.Expr([p] + e, text) for p, e in zip(core.std.SplitPlanes(clip), extra)]
	return core.std.ShufflePlanes(out, [0, 0, 0], vs.RGB)


def luma(clip):
	return core.std.Expr(core.std.SplitPlanes(clip), "x 0.2126 * y 0.7152 * + z 0.0722 * +")


random.seed(1)
src = held([array.array("f", [x / W for x in range(W)])])
noise = held([array.array("f", [random.gauss(0, 0.017) for _ in range(W)]) for _ in range(61)])
n = core.std.Expr(src, ["x 1.05 * 0.01 + 1.02 pow", "x 0 max 0.98 pow", "x 0.95 * 0.02 + 1.05 pow"])
y = luma(n)
n = planes(n, [[y]] * 3, "x y - 0.9 * y +")
n = core.std.Convolution(n, [0.0026, 0.1656, 0.6636, 0.1656, 0.0026], mode="hv")
if job == "B":
	glow = core.std.BoxBlur(n, hradius=15, hpasses=3, vradius=15, vpasses=3)
	n = core.std.Expr([n, glow], [f"x y {k} * + {1 / (1 + k)} *" for k in (0.03, 0.003, 0.001)])
	n = core.std.Expr([n, held([array.array("f", [1 - 0.3 * (2 * x / W - 1) ** 2 for x in range(W)])])], "x y *")
y = luma(n)
n = planes(n, [[p, y] for p in core.std.SplitPlanes(noise)], "x y 1 z 0.5 * - * +")
for frame in n.frames(close=True):
	pass
