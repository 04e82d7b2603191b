# neural_peer.py MODEL WIDTH HEIGHT THREADS FRAMES FACTOR [arena] - runs an ncnn model (a path without suffix) or a network
# for ONNX Runtime (x.onnx; its memory arena on or off) FRAMES times on one picture, in plain floats. The picture gets the
# border that the network eats, so that the result is FACTOR times WIDTH x HEIGHT, as interneg's is.
# SPDX-License-Identifier: BSD-2-Clause
import sys
import numpy

model, w, h, threads, frames, factor = sys.argv[1], *map(int, sys.argv[2:7])
x = numpy.random.default_rng(1).random((3, h, w), dtype=numpy.float32)
if model.endswith(".onnx"):
    import onnxruntime
    o = onnxruntime.SessionOptions()
    o.intra_op_num_threads = o.inter_op_num_threads = threads
    o.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    o.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
    o.enable_cpu_mem_arena = o.enable_mem_pattern = sys.argv[7:] == ["arena"]
    s = onnxruntime.InferenceSession(model, o, providers=["CPUExecutionProvider"])

    def run(x):
        return s.run(None, {s.get_inputs()[0].name: x[None]})[0].shape[-1]
else:
    import ncnn
    net = ncnn.Net()
    net.opt.num_threads = threads
    net.opt.use_vulkan_compute = False
    net.opt.use_fp16_packed = net.opt.use_fp16_storage = net.opt.use_fp16_arithmetic = False
    net.load_param(model + ".param")
    net.load_model(model + ".bin")

    def run(x):
        ex = net.create_extractor()
        ex.input(net.input_names()[0], ncnn.Mat(x).clone())
        rc, out = ex.extract(net.output_names()[0])
        if rc != 0:
            sys.exit(1)
        return out.w

border = -((run(x[:, :64, :64]) - 64 * factor) // (2 * factor))
x = numpy.pad(x, ((0, 0), (border, border), (border, border)), mode="edge")
for _ in range(frames):
    if run(x) < w * factor:
        sys.exit(1)
