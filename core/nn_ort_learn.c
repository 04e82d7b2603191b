/* nn_ort_learn - what a network takes and gives, found by running it on small pictures.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "nn_ort_int.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* On a grey picture; bytes: what it took. */
static int try_size(const struct nn_ort *o, int w, int h, int64_t dim[4], double *bytes,
                    struct err *e)
{
	struct meter m = { .most = ORT_LEARN_BYTES };
	struct ort_value *v = NULL;
	size_t n = (size_t)w * (size_t)h * (size_t)o->f.cin;
	float *p = malloc(n * sizeof *p + 64);
	if (!p) return err_set(e, E_MEMORY, "%s: no memory for a picture", o->path);
	for (size_t i = 0; i < n; i++) {
		if (o->half_in) memcpy((char *)p + 2 * i, &(uint16_t){ 0x3800 }, 2);
		else p[i] = 0.5f;
	}
	int rc = nn_ort_picture(o, p, w, h, &m, &v, dim, e);
	if (v && rc == 0) nn_ort_calls.value_free(v);
	free(p);
	*bytes = (double)m.peak + (double)n * 4;
	return rc;
}

static int gives(const struct nn_ort_facts *f,
                 int side) { return side * f->num / f->den - f->lead - f->trail; }

static bool fits(const struct nn_ort_facts *f, int side, const int64_t dim[4])
{
	return side * f->num % f->den == 0 && dim[1] == f->cout && dim[2] == gives(f, side) && dim[3] ==
		gives(f, side);
}

static int channels(struct nn_ort *o, const int64_t dim[4], struct err *e)
{
	o->f.cout = (int)dim[1];
	if ((dim[1] == 1 || dim[1] == 3) && (o->f.cin == dim[1] || dim[1] == 1)) return 0;
	return err_set(e, E_INPUT, "%s: takes %d channels and gives %lld; pictures have 3, or 1 for luma "
	               "and mattes", o->path,
	               o->f.cin, (long long)dim[1]);
}

/* From what two sizes give, or one (first is then NULL): a ratio, and what is lost beside it. */
static int factor(struct nn_ort *o, int w, int h, const int64_t dim[4], const int64_t *first,
                  struct err *e)
{
	struct nn_ort_facts *f = &o->f;
	int64_t x = dim[3] - (first ? first[3] : 0), y = dim[2] - (first ? first[2] : 0);
	for (f->den = 1; f->den <= NN_MAX_SCALE; f->den++)
		for (f->num = 1; f->num <= NN_MAX_SCALE; f->num++) {
			if (y * f->den != (int64_t)h * f->num || x * f->den != (int64_t)w * f->num) continue;
			int64_t lost = first ? x - first[3] : 0;
			f->lead = (int)(lost / 2);
			f->trail = (int)(lost - lost / 2);
			if (lost >= 0 && lost <= 2 * NN_MAX_PAD && (!first || y - first[2] == lost)) return 0;
		}
	return err_set(e, E_INPUT, "%s: makes %lld x %lld pixels of %d x %d%s; a factor up to 16 is "
	               "wanted", o->path, (long long)dim[3], (long long)dim[2], first ? 2 * w : w,
	               first ? 2 * h : h, first ? ", no one factor for all sizes" : "");
}

/* Memory out of two pictures, the second of four times the pixels: fixed + pixel n, or pixel n +
 * square n n. */
static void memory_of(struct nn_ort_facts *f, double pixels, double one, double four)
{
	if (four > 4 * one) {
		f->square = (four - 4 * one) / (12 * pixels * pixels);
		f->pixel = one / pixels - f->square * pixels;
		if (f->pixel < 0) f->pixel = 0;
	} else {
		f->pixel = four > one ? (four - one) / (3 * pixels) : 0;
		f->fixed = one - f->pixel * pixels;
	}
}

/* The smallest picture of 32 times a power of two that it runs, and what sizes beside it it
 * takes. */
static int sizes(struct nn_ort *o, struct err *e)
{
	struct nn_ort_facts *f = &o->f;
	struct err ignored = ERR_INIT;
	int64_t small[4], dim[4];
	double one, four, any;
	int base = 32, rc;
	while ((rc = try_size(o, base, base, small, &one, e)) < 0 && base < 256 && e->code == E_INPUT) {
		err_clear(e);
		base *= 2;
	}
	if (rc < 0 || try_size(o, 2 * base, 2 * base, dim, &four, e) < 0 || channels(o, dim, e) < 0 ||
	    factor(o, base, base, dim, small, e) < 0) return -1;
	memory_of(f, (double)base * base, one, four);
	for (f->align = 1; f->align < base; f->align *= 2) {
		err_clear(&ignored);
		if (try_size(o, base + f->align, base + f->align, dim, &any, &ignored) == 0 && fits(f,
			base + f->align, dim)) break;
	}
	while (f->align % f->den) f->align *= 2;
	return f->align > 256 ? err_set(e, E_INPUT, "%s: takes sizes that share no multiple up to 256",
	                                o->path) : 0;
}

static int learn(struct nn_ort *o, struct err *e)
{
	struct nn_ort_facts *f = &o->f;
	int64_t dim[4];
	double bytes;
	if (!f->w) return sizes(o, e);
	f->align = 1;
	if (try_size(o, f->w, f->h, dim, &bytes, e) < 0 || channels(o, dim, e) < 0 ||
	    factor(o, f->w, f->h, dim, NULL, e) < 0)
		return -1;
	f->align = f->den;
	f->pixel = bytes / ((double)f->w * f->h);
	return 0;
}

int nn_ort_learn(const char *path, struct nn_ort_facts *out, struct err *e)
{
	struct meter m = { .most = ORT_LEARN_BYTES };
	struct nn_ort *o = nn_ort_session(path, &m, e);
	if (!o) return -1;
	int rc = learn(o, e);
	*out = o->f;
	out->weights = (double)m.now;
	nn_ort_free(&o);
	return rc;
}
