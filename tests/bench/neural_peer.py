# neural_peer.py MODEL WIDTH HEIGHT THREADS FRAMES - runs an ncnn model FRAMES times on one picture, in plain floats.
# SPDX-License-Identifier: BSD-2-Clause
import sys
import ncnn
import numpy

model, w, h, threads, frames = sys.argv[1], *map(int, sys.argv[2:6])
net = ncnn.Net()
net.opt.num_threads = threads
net.opt.use_vulkan_compute = False
net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
net.load_param(model + ".param")
net.load_model(model + ".bin")
x = numpy.random.default_rng(1).random((3, h, w), dtype=numpy.float32)
for _ in range(frames):
    ex = net.create_extractor()
    ex.input(net.input_names()[0], ncnn.Mat(x).clone())
    if ex.extract(net.output_names()[0])[0] != 0:
        sys.exit(1)
