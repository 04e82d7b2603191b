/* nn_model - see nn_model.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_model.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "mem.h"
#include "nn_int.h"

void nn_free(struct nn_model **pm)
{
	struct nn_model *m = *pm;
	if (!m) return;
	free(m->layer);
	free(m->blob);
	free(m->file);
	free(m->bin);
	free(m);
	*pm = NULL;
}

char *nn_bin_path(const char *path)
{
	size_t n = strlen(path);
	if (n < 6 || strcmp(path + n - 6, ".param") != 0) return NULL;
	return xasprintf("%.*s.bin", (int)(n - 6), path);
}

static struct key join(const struct key *a, const struct key *b)
{
	struct sha s;
	char hex[65];
	sha_init(&s);
	key_hex(a, hex);
	sha_add(&s, hex, 64);
	key_hex(b, hex);
	sha_add(&s, hex, 64);
	return sha_end(&s);
}

int nn_sha(const char *path, struct key *out, struct err *e)
{
	struct key a, b;
	char *bin = nn_bin_path(path);
	if (!bin) return err_set(e, E_INPUT, "%s: a model is a .param file with its .bin beside it", path);
	int rc = hash_file(path, &a, e) < 0 || hash_file(bin, &b, e) < 0 ? -1 : 0;
	free(bin);
	if (rc == 0) *out = join(&a, &b);
	return rc;
}

static int div_floor(int a, int b) { return a >= 0 ? a / b : -((-a + b - 1) / b); }

struct rect nn_window(const struct nn_blob *b, struct rect r)
{
	return rect_of(div_floor(r.x0 * b->num, b->den) + b->lead, div_floor(r.y0 * b->num, b->den) + b->lead,
	               div_floor(r.x1 * b->num, b->den) - b->trail, div_floor(r.y1 * b->num, b->den) - b->trail);
}

struct shaper { struct nn_model *m; const char *name; struct err *e; double *reach; };

static int bad(const struct shaper *s, const struct nn_layer *l, const char *what)
{
	return err_set(s->e, E_INPUT, "%s: layer '%s' (%s): %s", s->name, l->name, l->type, what);
}

static void reduce(struct nn_blob *b)
{
	for (int d = 2; d <= b->num && d <= b->den; d++)
		while (b->num % d == 0 && b->den % d == 0) b->num /= d, b->den /= d;
}

static int scale(const struct shaper *s, const struct nn_layer *l, struct nn_blob *o, int num, int den)
{
	o->num *= num;
	o->den *= den;
	reduce(o);
	if (o->num > NN_MAX_SCALE || o->den > NN_MAX_SCALE) return bad(s, l, "a grid more than 16 times finer or coarser");
	if ((o->lead * num) % den || (o->trail * num) % den) return bad(s, l, "a window that falls between pixels");
	o->lead = o->lead * num / den;
	o->trail = o->trail * num / den;
	return 0;
}

static int shape_conv(const struct shaper *s, struct nn_layer *l, const struct nn_blob *a, struct nn_blob *o)
{
	int r = (l->k - 1) * l->dilation / 2;
	if (l->num != a->c) {
		char what[96];
		snprintf(what, sizeof what, "its weights are for %d channels, its input has %d", l->num, a->c);
		return bad(s, l, what);
	}
	if (l->op == NN_CONV) {
		if (l->stride != 1 || l->k % 2 == 0) return bad(s, l, "a stride, or a kernel of even size");
		o->lead += r - l->pad;
		o->trail += r - l->pad;
	} else {
		int off = l->stride + 2 * l->pad - l->k;
		if (l->dilation != 1 || l->k < l->stride || off % 2) return bad(s, l, "a kernel that does not fit its stride");
		if (scale(s, l, o, l->stride, 1) < 0) return -1;
		o->lead += off / 2;
		o->trail += off / 2;
	}
	o->c = l->cout;
	double taps = (double)l->k * l->k / (l->op == NN_DECONV ? l->stride * l->stride : 1);
	s->m->mac += taps * l->cout * a->c * o->num * o->num / o->den / o->den;
	s->reach[l->out] = s->reach[l->in[0]] + (double)(l->op == NN_CONV ? r : l->k / l->stride) * a->den / a->num;
	return 0;
}

/* All inputs on one grid and window; sums of sizes for Concat. */
static int shape_join(const struct shaper *s, struct nn_layer *l, struct nn_blob *o)
{
	int sum = 0;
	for (int i = 0; i < l->nin; i++) {
		const struct nn_blob *b = &s->m->blob[l->in[i]];
		if (b->num != o->num || b->den != o->den || b->lead != o->lead || b->trail != o->trail)
			return bad(s, l, "inputs of different sizes");
		if (l->op == NN_BINARY && b->c != o->c) return bad(s, l, "inputs of different channel counts");
		if (s->reach[l->in[i]] > s->reach[l->out]) s->reach[l->out] = s->reach[l->in[i]];
		sum += b->c;
	}
	if (l->op == NN_CONCAT) o->c = sum;
	return o->c > NN_MAX_CHANNELS ? bad(s, l, "more than 1024 channels") : 0;
}

static int shape_layer(const struct shaper *s, struct nn_layer *l)
{
	struct nn_model *m = s->m;
	const struct nn_blob *a = l->nin ? &m->blob[l->in[0]] : NULL;
	int uses = m->blob[l->out].uses, f = l->stride;
	struct nn_blob o = a ? *a : (struct nn_blob){ .num = 1, .den = 1 };
	s->reach[l->out] = a ? s->reach[l->in[0]] : 0;
	switch (l->op) {
	case NN_INPUT: o.c = m->blob[l->out].c; break;
	case NN_CONV: case NN_DECONV: if (shape_conv(s, l, a, &o) < 0) return -1; break;
	case NN_ACT:
		if (l->act == NN_SLOPES && l->slopes.n != 1 && l->slopes.n != (size_t)a->c)
			return bad(s, l, "as many slopes as its input has channels are wanted");
		break;
	case NN_SHUFFLE:
		if (a->c % (f * f)) return bad(s, l, "a channel count that its factor does not divide");
		o.c /= f * f;
		if (scale(s, l, &o, f, 1) < 0) return -1;
		break;
	case NN_INTERP:
		if (scale(s, l, &o, l->num, l->den) < 0) return -1;
		s->reach[l->out] += (l->how == NN_BICUBIC ? 2.0 : l->how == NN_BILINEAR ? 1.0 : 0.0) * a->den / a->num;
		break;
	case NN_BINARY: case NN_CONCAT: if (shape_join(s, l, &o) < 0) return -1; break;
	}
	if (o.lead < 0 || o.trail < 0 || o.lead > NN_MAX_PAD || o.trail > NN_MAX_PAD)
		return bad(s, l, "padding that makes the picture larger, or windows that shrink without end");
	if (o.c < 1 || o.c > NN_MAX_CHANNELS) return bad(s, l, "a wrong number of channels");
	o.uses = uses;
	m->blob[l->out] = o;
	return 0;
}

/* The Input's channels are what the first convolution of it wants. */
static int input_channels(const struct nn_model *m)
{
	for (int i = 0; i < m->nlayer; i++)
		for (int j = 0; j < m->layer[i].nin; j++)
			if (m->layer[i].in[j] == m->input && (m->layer[i].op == NN_CONV || m->layer[i].op == NN_DECONV))
				return m->layer[i].num;
	return 3;
}

int nn_shape(struct nn_model *m, const char *name, struct err *e)
{
	struct shaper s = { m, name, e, xalloc((size_t)m->nblob + 1, sizeof(double)) };
	int rc = -1;
	m->mac = 0;
	m->blob[m->input].c = input_channels(m);
	for (int i = 0; i < m->nlayer; i++)
		if (shape_layer(&s, &m->layer[i]) < 0) goto out;
	const struct nn_blob *o = &m->blob[m->output];
	m->scale_num = o->num;
	m->scale_den = o->den;
	int lost = o->lead > o->trail ? o->lead : o->trail;
	m->pad = (lost * o->den + o->num - 1) / o->num;
	m->radius = (int)(s.reach[m->output] + 0.999);
	int from = m->blob[m->input].c;
	if ((from != o->c && o->c != 1) || (from != 3 && from != 1) || (o->c != 3 && o->c != 1)) {
		err_set(e, E_INPUT, "%s: takes %d channels and gives %d; pictures have 3, or 1 for luma and mattes", name,
		        m->blob[m->input].c, o->c);
		goto out;
	}
	rc = 0;
out:
	free(s.reach);
	return rc;
}

struct nn_model *nn_parse(const char *name, const char *text, size_t len, const void *bin, size_t nbin, struct err *e)
{
	struct nn_model *m = xalloc(1, sizeof *m);
	struct sha s;
	m->file = xstrdup(name);
	if (nn_read_text(m, name, text, len, bin, NULL, nbin, e) < 0 || nn_shape(m, name, e) < 0) {
		nn_free(&m);
		return NULL;
	}
	struct key a, b;
	sha_init(&s);
	sha_add(&s, text, len);
	a = sha_end(&s);
	sha_init(&s);
	sha_add(&s, bin, nbin);
	b = sha_end(&s);
	m->sha = join(&a, &b);
	return m;
}

enum { PARAM_MAX = 4 << 20 };

/* A whole small file; NULL with E_INPUT. */
static char *slurp(const char *path, size_t *len, struct err *e)
{
	char *text = NULL;
	struct stat st;
	FILE *f = fopen(path, "rbe");
	if (!f) { err_set(e, E_INPUT, "open %s: %s", path, strerror(errno)); return NULL; }
	if (fstat(fileno(f), &st) < 0 || !S_ISREG(st.st_mode)) err_set(e, E_INPUT, "%s is no file", path);
	else if (st.st_size > PARAM_MAX) err_set(e, E_INPUT, "%s: larger than any .param file", path);
	else {
		text = xalloc((size_t)st.st_size + 1, 1);
		*len = fread(text, 1, (size_t)st.st_size, f);
	}
	fclose(f);
	return text;
}

static FILE *open_bin(const char *path, uint64_t *size, struct err *e)
{
	struct stat st;
	FILE *f = fopen(path, "rbe");
	if (!f) { err_set(e, E_INPUT, "open %s: %s", path, strerror(errno)); return NULL; }
	if (fstat(fileno(f), &st) == 0 && S_ISREG(st.st_mode) && st.st_size <= (off_t)NN_FILE_MAX) {
		*size = (uint64_t)st.st_size;
		return f;
	}
	fclose(f);
	err_set(e, E_INPUT, "%s: no file, or larger than 512 MiB", path);
	return NULL;
}

struct nn_model *nn_load(const char *path, struct err *e)
{
	struct nn_model *m = xalloc(1, sizeof *m);
	FILE *f = NULL;
	size_t len;
	uint64_t nbin;
	char *text = NULL;
	int rc = -1;
	m->file = xstrdup(path);
	m->bin = nn_bin_path(path);
	if (!m->bin) { err_set(e, E_INPUT, "%s: a model is a .param file with its .bin beside it", path); goto out; }
	if (!(text = slurp(path, &len, e)) || !(f = open_bin(m->bin, &nbin, e))) goto out;
	if (nn_read_text(m, path, text, len, NULL, f, nbin, e) < 0 || nn_shape(m, path, e) < 0) goto out;
	rc = nn_sha(path, &m->sha, e);
out:
	if (f) fclose(f);
	free(text);
	if (rc < 0) nn_free(&m);
	return m;
}

/* Half to float, exactly; IEEE binary16. */
static float of_half(uint16_t h)
{
	uint32_t sign = (uint32_t)(h & 0x8000u) << 16, mag = h & 0x7fffu, bits;
	float f;
	if (mag >= 0x7c00u) bits = sign | 0x7f800000u | (mag & 0x3ffu) << 13;
	else if (mag >= 0x400u) bits = sign | ((mag << 13) + 0x38000000u);
	else {
		f = (float)mag * 0x1p-24f;
		return sign ? -f : f;
	}
	memcpy(&f, &bits, sizeof f);
	return f;
}

float *nn_weights(const struct nn_model *m, const struct nn_data *d, struct err *e)
{
	size_t bytes = d->n * (d->half ? 2 : 4);
	FILE *f = m->bin ? fopen(m->bin, "rbe") : NULL;
	float *w = malloc(d->n * sizeof *w + 64);
	uint16_t *h = d->half ? malloc(bytes + 64) : NULL;
	bool ok = true;
	if (!f || !w || (d->half && !h)) { err_set(e, f ? E_MEMORY : E_INPUT, "%s: cannot read its weights", m->file); goto fail; }
	if (fseeko(f, (off_t)d->at, SEEK_SET) != 0 || fread(d->half ? (void *)h : (void *)w, 1, bytes, f) != bytes) {
		err_set(e, E_INPUT, "%s: the weights end early", m->bin);
		goto fail;
	}
	for (size_t i = 0; i < d->n && d->half; i++) w[i] = of_half(h[i]);
	for (size_t i = 0; i < d->n; i++) ok = ok && w[i] > -1e6f && w[i] < 1e6f;
	if (!ok) { err_set(e, E_INPUT, "%s: a weight is no number, or beyond a million", m->bin); goto fail; }
	fclose(f);
	free(h);
	return w;
fail:
	if (f) fclose(f);
	free(h);
	free(w);
	return NULL;
}
