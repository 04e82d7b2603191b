/* nn_model - see nn_model.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_model.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mem.h"
#include "nn_int.h"
#include "nn_proto.h"
#include "textfile.h"

void nn_free(struct nn_model **pm)
{
	struct nn_model *m = *pm;
	if (!m) return;
	free(m->layer);
	free(m->blob);
	free(m->file);
	free(m->bin);
	free(m->cut);
	free(m);
	*pm = NULL;
}

#define NO_MODEL "%s: a model is a .param file with its .bin beside it, or an .onnx file"

static bool is_onnx(const char *path)
{
	size_t n = strlen(path);
	return n >= 5 && strcmp(path + n - 5, ".onnx") == 0;
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
	if (is_onnx(path)) { free(bin); return hash_file(path, out, e); }
	if (!bin) return err_set(e, E_INPUT, NO_MODEL, path);
	int rc = hash_file(path, &a, e) < 0 || hash_file(bin, &b, e) < 0 ? -1 : 0;
	free(bin);
	if (rc == 0) *out = join(&a, &b);
	return rc;
}

struct rect nn_window(const struct nn_blob *b, struct rect r)
{
	if (b->vec) return rect_of(0, 0, 1, 1);
	return rect_of(nn_div(r.x0 * b->num, b->den) + b->lead, nn_div(r.y0 * b->num, b->den) + b->lead,
	               nn_div(r.x1 * b->num, b->den) - b->trail, nn_div(r.y1 * b->num, b->den) - b->trail);
}

struct rect nn_input(int pad, int align, struct rect r)
{
	r = rect_grow(r, pad, pad);
	return rect_of(nn_div(r.x0, align) * align, nn_div(r.y0, align) * align,
	               nn_div(r.x1 + align - 1, align) * align,
	               nn_div(r.y1 + align - 1, align) * align);
}

int nn_ends(struct nn_model *m, const char *name, struct err *e)
{
	m->input = m->output = -1;
	for (int i = 0; i < m->nlayer; i++)
		for (int j = 0; j < m->layer[i].nin; j++) m->blob[m->layer[i].in[j]].uses++;
	for (int i = 0; i < m->nlayer; i++) {
		const struct nn_layer *l = &m->layer[i];
		if (l->op == NN_INPUT && m->input >= 0) return err_set(e, E_INPUT, "%s: more than one input", name);
		if (l->op == NN_INPUT) m->input = l->out;
		if (m->blob[l->out].uses) continue;
		if (m->output >= 0)
			return err_set(e, E_INPUT, "%s: more than one result; the last is that of '%s'", name, l->name);
		m->output = l->out;
	}
	if (m->input < 0 || m->output < 0 || m->output == m->input)
		return err_set(e, E_INPUT, "%s: no input, or nothing made of it", name);
	return 0;
}

/* The Input's channels are what the first convolution of it wants. */
static int input_channels(const struct nn_model *m)
{
	for (int i = 0; i < m->nlayer; i++)
		for (int j = 0; j < m->layer[i].nin; j++)
			if (m->layer[i].in[j] == m->input && (m->layer[i].op == NN_CONV || m->layer[i].op == NN_DECONV))
				return m->layer[i].num * m->layer[i].group;
	return 3;
}

/* May the convolutions that read layer l's result read the maps that it joins? */
static bool joins(const struct nn_model *m, const struct nn_layer *l)
{
	if (l->op != NN_CONCAT || l->out == m->output) return false;
	for (int j = 0; j < l->nin; j++)
		if (m->blob[l->in[j]].vec || m->blob[l->in[j]].c % NN_BLOCK) return false;
	for (int i = 0; i < m->nlayer; i++)
		for (int j = 0; j < m->layer[i].nin; j++)
			if (m->layer[i].in[j] == l->out && m->layer[i].op != NN_CONV && m->layer[i].op != NN_DECONV)
				return false;
	return true;
}

static void find_reads(struct nn_model *m)
{
	for (int i = 0; i < m->nlayer; i++) {
		struct nn_layer *l = &m->layer[i];
		l->nread = l->nin;
		memcpy(l->read, l->in, sizeof l->in);
	}
	for (int i = 0; i < m->nlayer; i++) {
		struct nn_layer *l = &m->layer[i];
		if (!(l->gone = joins(m, l))) continue;
		for (int k = 0; k < m->nlayer; k++) {
			if (!m->layer[k].nin || m->layer[k].in[0] != l->out) continue;
			m->layer[k].nread = l->nin;
			memcpy(m->layer[k].read, l->in, sizeof l->in);
		}
	}
}

int nn_shape(struct nn_model *m, const char *name, struct err *e)
{
	double *reach = xalloc((size_t)m->nblob + 1, sizeof *reach);
	int rc = -1;
	m->mac = 0;
	m->align = 1;
	if (m->blob[m->input].c < 1) m->blob[m->input].c = input_channels(m);
	for (int i = 0; i < m->nlayer; i++)
		if (nn_shape_layer(m, &m->layer[i], reach, name, e) < 0) goto out;
	const struct nn_blob *o = &m->blob[m->output];
	if (o->vec || o->lead < 0 || o->trail < 0) {
		err_set(e, E_INPUT, "%s: %s", name, o->vec ? "a result without pixels"
		        : "padding that makes the picture larger");
		goto out;
	}
	m->scale_num = o->num;
	m->scale_den = o->den;
	int lost = o->lead > o->trail ? o->lead : o->trail;
	m->pad = (lost * o->den + o->num - 1) / o->num;
	m->radius = (int)(reach[m->output] + 0.999);
	int from = m->blob[m->input].c;
	if ((from != o->c && o->c != 1) || (from != 3 && from != 1) || (o->c != 3 && o->c != 1)) {
		err_set(e, E_INPUT, "%s: takes %d channels and gives %d; pictures have 3, or 1 for luma and mattes", name,
		        m->blob[m->input].c, o->c);
		goto out;
	}
	find_reads(m);
	rc = 0;
out:
	free(reach);
	return rc;
}

struct nn_model *nn_parse(const char *name, const char *text, size_t len, const void *bin,
                          size_t nbin, struct err *e)
{
	struct nn_model *m = xalloc(1, sizeof *m);
	struct sha s;
	m->file = xstrdup(name);
	int rc = is_onnx(name) ? nn_read_onnx(m, name, text, len, e)
		: nn_read_text(m, name, text, len, bin, NULL, nbin, e);
	if (rc < 0 || nn_shape(m, name, e) < 0) {
		nn_free(&m);
		return NULL;
	}
	struct key a, b;
	sha_init(&s);
	sha_add(&s, text, len);
	a = sha_end(&s);
	m->sha = a;
	if (is_onnx(name)) return m;
	sha_init(&s);
	sha_add(&s, bin, nbin);
	b = sha_end(&s);
	m->sha = join(&a, &b);
	return m;
}

enum { PARAM_MAX = 4 << 20 };

/* A whole file; NULL with E_INPUT. */
static char *slurp(const char *path, size_t *len, struct err *e)
{
	char *text = NULL;
	struct stat st;
	FILE *f = plain_open(path, e);
	if (!f) return NULL;
	if (fstat(fileno(f), &st) < 0 || st.st_size > PARAM_MAX) err_set(e, E_INPUT, "%s: larger than any .param file", path);
	else {
		if (!(text = malloc((size_t)st.st_size + 1))) err_set(e, E_MEMORY, "%s: no memory for it", path);
		else *len = fread(text, 1, (size_t)st.st_size, f);
	}
	fclose(f);
	return text;
}

/* --- an .onnx file without its weights: what is larger than LAZY bytes in a tensor is left 0 --- */

enum { LAZY = 4096, HEADER = 24, MODEL = 0, GRAPH = 1, TENSOR = 2 };

struct lazy { FILE *f; unsigned char *p; };

static bool fetch(const struct lazy *z, const unsigned char *at, size_t n)
{
	off_t from = (off_t)(at - z->p);
	return pread(fileno(z->f), z->p + from, n, from) == (ssize_t)n;
}

/* Where it is damaged the reader will find so itself. */
static void fill(const struct lazy *z, struct pb b, int level)
{
	while (b.p < b.end) {
		struct pb_field f;
		size_t left = (size_t)(b.end - b.p);
		if (!fetch(z, b.p, left < HEADER ? left : HEADER) || pb_next(&b, &f) != 1) return;
		if (f.wire != 2) continue;
		bool deeper = (level == MODEL && f.id == 7) || (level == GRAPH && f.id == 5);
		bool later = level == TENSOR && (f.id == 9 || f.id == 4) && pb_size(f.sub) > LAZY;
		if (deeper) fill(z, f.sub, level + 1);
		else if (!later && !fetch(z, f.sub.p, pb_size(f.sub))) return;
	}
}

static unsigned char *onnx_head(const char *path, size_t *len, struct err *e)
{
	struct stat st;
	struct lazy z = { plain_open(path, e), NULL };
	if (!z.f) return NULL;
	if (fstat(fileno(z.f), &st) < 0 || st.st_size > (off_t)NN_FILE_MAX)
		err_set(e, E_INPUT, "%s: larger than 512 MiB", path);
	else if (!(z.p = calloc((size_t)st.st_size + 1, 1))) err_set(e, E_MEMORY, "%s: no memory for it", path);
	else {
		*len = (size_t)st.st_size;
		fill(&z, (struct pb){ z.p, z.p + *len }, MODEL);
	}
	fclose(z.f);
	return z.p;
}

static FILE *open_bin(const char *path, uint64_t *size, struct err *e)
{
	struct stat st;
	FILE *f = plain_open(path, e);
	if (!f) return NULL;
	if (fstat(fileno(f), &st) == 0 && st.st_size <= (off_t)NN_FILE_MAX) {
		*size = (uint64_t)st.st_size;
		return f;
	}
	fclose(f);
	err_set(e, E_INPUT, "%s: larger than 512 MiB", path);
	return NULL;
}

struct nn_model *nn_load(const char *path, struct err *e)
{
	struct nn_model *m = xalloc(1, sizeof *m);
	FILE *f = NULL;
	size_t len = 0;
	uint64_t nbin;
	char *text = NULL;
	int rc = -1;
	m->file = xstrdup(path);
	m->bin = is_onnx(path) ? xstrdup(path) : nn_bin_path(path);
	if (!m->bin) { err_set(e, E_INPUT, NO_MODEL, path); goto out; }
	if (is_onnx(path)) {
		if (!(text = (char *)onnx_head(path, &len, e)) || nn_read_onnx(m, path, text, len, e) < 0 ||
		    nn_shape(m, path, e) < 0) goto out;
		rc = nn_sha(path, &m->sha, e);
		goto out;
	}
	if (!(text = slurp(path, &len, e)) || !(f = open_bin(m->bin, &nbin, e))) goto out;
	if (nn_read_text(m, path, text, len, NULL, f, nbin, e) < 0 || nn_shape(m, path, e) < 0) goto out;
	rc = nn_sha(path, &m->sha, e);
out:
	if (f) fclose(f);
	free(text);
	if (rc < 0) nn_free(&m);
	return m;
}

int nn_is(const struct nn_model *m, const char *hex, struct err *e)
{
	char own[65];
	key_hex(&m->sha, own);
	return strcmp(own, hex) == 0 ? 0 : err_set(e, E_INPUT, "%s changed while it was being read", m->file);
}

struct nn_model *nn_load_as(const char *path, const char *hex, struct err *e)
{
	struct nn_model *m = nn_load(path, e);
	if (m && nn_is(m, hex, e) < 0) nn_free(&m);
	return m;
}

float nn_half(uint16_t h)
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

uint16_t nn_to_half(float v)
{
	uint32_t b, sign, mag;
	memcpy(&b, &v, sizeof b);
	sign = b >> 16 & 0x8000u;
	mag = b & 0x7fffffffu;
	if (mag >= 0x47800000u) return (uint16_t)(sign | (mag > 0x7f800000u ? 0x7e00u : 0x7c00u));
	if (mag < 0x38800000u) {                              /* below 2^-14: steps of 2^-24 */
		float f;
		memcpy(&f, &mag, sizeof f);
		f += 0.5f;
		memcpy(&mag, &f, sizeof mag);
		return (uint16_t)(sign | (mag - 0x3f000000u));
	}
	return (uint16_t)(sign | ((mag + 0xfffu + (mag >> 13 & 1)) - 0x38000000u) >> 13);
}

float *nn_weights(const struct nn_model *m, const struct nn_data *d, struct err *e)
{
	size_t bytes = d->n * (d->half ? 2 : 4);
	FILE *f = m->bin ? fopen(m->bin, "rbe") : NULL;
	float *w = malloc(d->n * sizeof *w + 64);
	uint16_t *h = d->half ? malloc(bytes + 64) : NULL;
	bool ok = true;
	if (!f || !w || (d->half && !h)) {
		err_set(e, f ? E_MEMORY : E_INPUT, "%s: cannot read its weights", m->file);
		goto fail;
	}
	if (fseeko(f, (off_t)d->at, SEEK_SET) != 0 || fread(d->half ? (void *)h : (void *)w, 1, bytes, f) != bytes) {
		err_set(e, E_INPUT, "%s: the weights end early", m->bin);
		goto fail;
	}
	for (size_t i = 0; i < d->n && d->half; i++) w[i] = nn_half(h[i]);
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
