/* neural - runs a network that keeps the picture's size: denoising, deblocking, restoring, mattes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_expand.h"
#include "node.h"

struct neural {
	int process, matte, lock, net_space, backend, overlap;
	const char *model, *model_sha256, *model_b, *model_b_sha256; double denoise, blend;
};

enum { RESTORE, DENOISE, DEBLOCK, MATTE };
enum { LOCK_AUTO, LOCK_NO, LOCK_YES };

static const struct param params[] = {
	P_ENUM(neural, process, "restore", "restore|denoise|deblock|matte", PF_STATIC,
	       "What the network does. One model does one process throughout a sequence (rule 7). "
	       "matte: it makes one channel, which goes where matte= says."),
	P_PATH(neural, model, PF_STATIC | PF_REQUIRED, "The network, an .onnx file or an ncnn .param "
	       "file with its .bin beside it."),
	P_STRING(neural, model_sha256, "", PF_STATIC, "What the network must be, as `interneg model "
	         "FILE` prints it."),
	P_PATH(neural, model_b, PF_STATIC,
	       "A network of the same layers, such as one trained for more or less noise."),
	P_STRING(neural, model_b_sha256, "", PF_STATIC, "What that must be."),
	P_FLOATX(neural, denoise, 0, 0, 1, "mix", PF_STATIC, "model_b's share of the weights."),
	P_FLOATX(neural, blend, 1, 0, 1, "mix", PF_STATIC, "The network's share; the rest is the "
	         "source (of a matte: 1)."),
	P_ENUM(neural, lock, "auto", "auto|no|yes", PF_STATIC,
	       "Takes the low frequencies (a Gaussian of sigma 2 pixels) from the source, so that "
	       "colour and exposure stay. auto: of pictures, not of mattes."),
	P_ENUM(neural, net_space, "encoded", "encoded|linear|log", PF_STATIC,
	       "What the network is shown: the clip's own encoding, linear light, or acescct."),
	P_ENUM(neural, backend, "exact", NN_BACKENDS, PF_STATIC,
	       "exact: own kernels, one hash everywhere. fast: oneDNN (libdnnl2) in f32, or bf16 where the "
	       "processor has AMX. onnxruntime: .onnx files of any operators by your own ONNX Runtime "
	       "(libonnxruntime.so.1, or the file that INTERNEG_ONNXRUNTIME names), f32 on the CPU, "
	       "one thread a frame. The last two are close, but not the same bits, and the lock says "
	       "so. On AVX2 exact is quickest."),
	P_INT(neural, overlap, 0, 0, 1024, "pixels", PF_STATIC | PF_LATER,
	      "onnxruntime: runs the network in windows (of 512 pixels, or the size that the file "
	      "sets) that overlap by this at each side; below what the network sees of its "
	      "surroundings there are seams. 0: the whole picture at once."),
	P_ENUM(neural, matte, "alpha", "alpha|mask", PF_STATIC,
	       "process=\"matte\": alpha multiplies the picture and its alpha by the matte; mask "
	       "leaves the picture and adds a channel mask, for mask slots."),
	P_END
};

static int expand_with(struct expand *x, const struct node_ctx *n, const struct nn_first *f, struct err *e)
{
	static const char *const spaces[] = { "encoded", "linear", "log" };
	const struct neural *p = n->v;
	bool matte = p->process == MATTE;
	if (f->m->scale_num != f->m->scale_den)
		return err_set(e, E_SCENE, "%s changes the size by %d/%d: that is <upscale method=\"neural\">", p->model,
		               f->m->scale_num, f->m->scale_den);
	const struct nn_ask a = { .model = p->model, .sha = p->model_sha256, .model_b = p->model_b,
		.sha_b = p->model_b_sha256, .space = spaces[p->net_space], .denoise = p->denoise, .blend = p->blend,
		.lock = !matte && p->lock != LOCK_NO, .dst = n->in[0]->display, .par = n->in[0]->par,
		.backend = (enum nn_backend)p->backend, .overlap = p->overlap,
		.matte = !matte ? NULL : p->matte ? "mask" : "alpha" };
	return nn_expand(x, n, &a, f, e);
}

static int expand(struct expand *x, const struct node_ctx *n, struct err *e)
{
	const struct neural *p = n->v;
	struct nn_first f;
	if (!n->in[0]) return err_set(e, E_SCENE, "no picture for the network");
	if (p->process == MATTE && p->lock == LOCK_YES)
		return err_set(e, E_SCENE, "a matte has no low frequencies of the picture to keep: take lock= away");
	int rc = nn_first_load(&f, p->model, (enum nn_backend)p->backend, e);
	if (rc == 0) rc = expand_with(x, n, &f, e);
	nn_first_free(&f);
	return rc;
}

static unsigned traits_of(const struct node_ctx *n)
{
	const struct neural *p = n->v;
	return TR_AI | (p->process == DENOISE || p->process == DEBLOCK ? TR_CLEANUP : 0u);
}

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct neural *p = n->v;
	(void)conn;
	return p->net_space == 1 ? WANT_LINEAR : p->net_space == 2 ? WANT_LOG : WANT_ENCODED;
}

const struct node_type ISA(node_neural) = {
	.name = "neural", .doc = "Runs a network that keeps the picture's size: denoising, deblocking, "
	        "restoring, mattes.",
	.more = "The network is read, shown and pinned as upscale's is: one node a layer in 32-bit "
	        "floats, one hash for any tiles, threads and instruction set. It sees the clip's own "
	        "encoded R, G, B (or luma) within 0 to 1; what it changes of that is added to the "
	        "picture, so that values beyond survive, and lock gives back what it took from the low "
	        "frequencies. A network from three channels to one makes a matte (process=\"matte\"); "
	        "it is clamped to 0 to 1.",
	.category = "image", .version = 1, .size = sizeof(struct neural), .params = params, .inputs = "image",
	.example = "<neural id=\"clean\" in=\"plate\" process=\"denoise\" "
	        "model=\"models/denoise.param\" model_sha256=\"…\"/>",
	.want_of = want_of, .traits = TR_AI, .traits_of = traits_of, .expand = expand,
};
