/* nets - the fuzzer of networks: `nets [COUNT [FIRST]]` damages .param, .bin and .onnx files of every kind of layer, case
 * by case, and stops at the first that is neither read nor refused as bad input.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../unit/onnx_case.h"
#include "nn_ort.h"

enum { NETS = 6, ROOM = 1 << 20 };
struct net_file { struct writer w; struct out onnx; };

static const char *const words[] = { "0", "-1", "1000000000", "1e300", "nan", "inf", "=", ",", "-23310=9,1", "x", "Concat",
	"7=7", "2147483648", "0=1024 ", "\n", "\n\n", "Convolution", "-233", "6=2147483647 " };
static const unsigned char odd[][10] = { { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1 }, { 0x80, 0x80, 0x80, 0x80, 0x10 },
	{ 0xff, 0xff, 0xff, 0xff, 7 }, { 0 }, { 0x7f, 0xc0, 0, 0 }, { 0x80, 0x94, 0xeb, 0xdc, 3 }, { 0x3a, 0xff, 0xff, 3 } };

static void make_all(struct net_file *n)
{
	static void (*const make[NETS])(struct writer *) = { residual, upconv, cunet, kinds, dense, luma };
	struct err e = ERR_INIT;
	char path[400];
	for (int i = 0; i < NETS; i++) {
		make[i](&n[i].w);
		save(&n[i].w, "net");
		snprintf(path, sizeof path, "%s/net.param", test_tmp());
		struct nn_model *m = nn_load(path, &e);
		if (!m) { fprintf(stderr, "%s\n", e.msg); exit(1); }
		n[i].onnx = as_onnx(m, false);
		nn_free(&m);
	}
}

/* Bytes of any kind of file; how many there are then. head: most changes are among so many. */
static size_t damage(unsigned char *p, size_t n, size_t head, uint32_t number, bool text)
{
	uint32_t changes = 1 + philox4x32(number, 999, 5, 0, 1, 2).c[0] % 5;
	for (uint32_t k = 0; k < changes; k++) {
		struct philox r = philox4x32(number, k, 5, 0, 1, 2);
		size_t pos = r.c[1] % (r.c[1] % 4 && head < n ? head : n), len = 1 + r.c[2] % 64;
		const void *put_in = text ? (const void *)words[r.c[2] % IN_COUNT(words)] : odd[r.c[2] % IN_COUNT(odd)];
		size_t nput = text ? strlen(put_in) : 1 + r.c[3] % sizeof odd[0];
		switch (r.c[0] % 7) {
		case 0: p[pos] = (unsigned char)r.c[3]; break;
		case 1: p[pos] ^= (unsigned char)(1u << r.c[3] % 8); break;
		case 2: n = pos + 1; break;
		case 3: if (pos + nput <= n) memcpy(p + pos, put_in, nput); break;
		case 4:                                              /* a piece again, elsewhere */
			if (n + len <= ROOM && pos + len <= n) memmove(p + pos + len, p + pos, n - pos), n += len;
			break;
		case 5: if (pos + len < n) memmove(p + pos, p + pos + len, n - pos - len), n -= len; break;
		default: p[pos] = (unsigned char)(p[pos] + (r.c[3] % 2 ? 1 : -1));
		}
		if (!n) return 0;
	}
	return n;
}

/* What was read has to be within bounds, or others would allocate what it says. */
static const char *within(const struct nn_model *m)
{
	if (m->nlayer > NN_MAX_LAYERS || m->nblob > NN_MAX_BLOBS) return "too many layers";
	if (m->align < 1 || m->align > 64 || m->pad < 0 || m->pad > 4 * NN_MAX_PAD || m->radius < 0) return "a border out of range";
	if (m->scale_num < 1 || m->scale_den < 1 || m->scale_num > NN_MAX_SCALE || m->scale_den > NN_MAX_SCALE) return "a factor";
	for (int i = 0; i < m->nlayer; i++) {
		const struct nn_layer *l = &m->layer[i];
		if (l->out < 0 || l->out >= m->nblob || l->nin < 0 || l->nin > NN_MAX_IN) return "a layer's blobs";
		if (m->blob[l->out].c < 1 || m->blob[l->out].c > NN_MAX_CHANNELS) return "channels";
		for (int k = 0; k < l->nin; k++)
			if (l->in[k] < 0 || l->in[k] >= m->nblob) return "an input";
		if (l->w.n > NN_FILE_MAX || l->bias.n > NN_FILE_MAX || l->slopes.n > NN_FILE_MAX) return "a count of weights";
	}
	return NULL;
}

static const char *one(const struct net_file *n, uint32_t number, unsigned char *p, unsigned char *bin)
{
	static char why[1200];
	const struct net_file *f = &n[number % NETS];
	bool onnx = number / NETS % 2;
	size_t size = onnx ? f->onnx.n : strlen(f->w.text), nbin = f->w.nbin;
	struct err e = ERR_INIT;
	memcpy(p, onnx ? f->onnx.p : (const unsigned char *)f->w.text, size);
	memcpy(bin, f->w.bin, nbin);
	if (onnx || number % 5) size = damage(p, size, onnx ? 3000 : size, number, !onnx);
	else nbin = damage(bin, nbin, 64, number, false);
	struct nn_model *m = nn_parse(onnx ? "fuzz.onnx" : "fuzz.param", (char *)p, size, bin, nbin, &e);
	const char *bad = m ? within(m) : e.code != E_INPUT ? "no bad input" : NULL;
	if (bad) snprintf(why, sizeof why, "%s (%s)", bad, e.msg);
	nn_free(&m);
	err_clear(&e);
	if (onnx && nn_ort_check("fuzz.onnx", p, size, &e) < 0 && e.code != E_INPUT) bad = "the look before another library's";
	return bad ? why : NULL;
}

int main(int argc, char **argv)
{
	static struct net_file n[NETS];
	static unsigned char p[ROOM + 64], bin[ROOM + 64];
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 2000, i;
	uint32_t first = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0;
	const char *why = NULL;
	char path[400];
	make_all(n);
	for (i = 0; i < count && !why; i++) why = one(n, first + i, p, bin);
	test_ok(!why, "fuzz networks: %u cases from %u%s%s", i, first, why ? "; the last: " : "", why ? why : "");
	for (i = 0; i < NETS; i++) free(n[i].onnx.p);
	snprintf(path, sizeof path, "rm -rf '%s'", test_tmp());
	if (system(path) != 0) return 1;
	TEST_END();
}
