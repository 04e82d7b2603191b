/* lut_spi - Sony Pictures Imageworks' .spi1d and .spi3d files, as OpenColorIO reads them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut_int.h"

#include <stdlib.h>
#include <string.h>

#include "mathx.h"

static int whole(const struct lut_text *t, int word, const char *what, int lo, int hi, int *out)
{
	double v;
	if (lut_text_number(t, word, &v) < 0) return -1;
	if (v != mx_floor(v) || v < lo || v > hi)
		return lut_text_bad(t, "%s %s is outside %d to %d", what, t->word[word], lo, hi);
	*out = (int)v;
	return 0;
}

struct spi1d { double from, to; int version, length, comps; };

/* Up to the line that is "{". */
static int head_1d(struct lut_text *t, struct spi1d *h)
{
	while (lut_text_next(t)) {
		const char *w = t->word[0];
		int rc = 0, n = t->nword - 1;
		if (!strcmp(w, "{")) return 0;
		if (!strcmp(w, "From") && n == 2) {
			if (lut_text_number(t, 1, &h->from) < 0 || lut_text_number(t, 2, &h->to) < 0) return -1;
		} else if (!strcmp(w, "Version") && n == 1) rc = whole(t, 1, w, 1, 1, &h->version);
		else if (!strcmp(w, "Length") && n == 1) rc = whole(t, 1, w, 2, LUT_1D_MAX, &h->length);
		else if (!strcmp(w, "Components") && n == 1) rc = whole(t, 1, w, 1, 3, &h->comps);
		else return lut_text_bad(t, "'%s' is no line of a .spi1d header", w);
		if (rc < 0) return -1;
	}
	return lut_text_bad(t, "no '{' begins the data");
}

int lut_read_spi1d(struct lut *l, const char *name, const char *text, size_t len, struct err *e)
{
	struct lut_text t;
	struct spi1d h = { .from = 0, .to = 1 };
	double v;
	lut_text_init(&t, name, text, len, e);
	if (head_1d(&t, &h) < 0) return -1;
	if (!h.version || !h.length || !h.comps)
		return lut_text_bad(&t, "Version, Length and Components must stand before the data");
	if (h.comps == 2) return lut_text_bad(&t, "two components are no R,G,B; 1 or 3");
	if (len < (size_t)h.length * 2) return lut_text_bad(&t, "the file is too short for %d entries", h.length);
	struct lut_1d *o = lut_add_1d(l, h.length, name, e);
	if (!o) return -1;
	for (int c = 0; c < 3; c++)
		if (!lut_domain(h.from, h.to, h.length, &o->min[c], &o->scale[c]))
			return lut_text_bad(&t, "From: the input domain is empty, too narrow or too wide");
	int got = 0;
	bool closed = false;
	while (!closed && lut_text_next(&t)) {
		if (!strcmp(t.word[0], "}")) { closed = true; break; }
		if (t.nword != h.comps) return lut_text_bad(&t, "a line of data has %d number%s", h.comps,
			h.comps > 1 ? "s" : "");
		if (got == h.length) return lut_text_bad(&t, "more than the %d lines of data that Length asks for",
			h.length);
		for (int c = 0; c < 3; c++) {
			if (lut_text_number(&t, c % h.comps, &v) < 0) return -1;
			o->t[c][got] = (float)v;
		}
		got++;
	}
	if (got < h.length) return lut_text_bad(&t, "ends after %d of %d lines of data", got, h.length);
	return closed ? 0 : lut_text_bad(&t, "no '}' ends the data");
}

static int head_3d(struct lut_text *t, int *n)
{
	int n3[3], dim;
	if (!lut_text_next(t) || t->nword != 2 || strcmp(t->word[0], "SPILUT") != 0)
		return lut_text_bad(t, "a .spi3d file begins with SPILUT 1.0");
	if (!lut_text_next(t) || t->nword != 2) return lut_text_bad(t, "the second line is \"3 3\"");
	for (int i = 0; i < 2; i++)
		if (whole(t, i, "a dimension of", 3, 3, &dim) < 0) return -1;
	if (!lut_text_next(t) || t->nword != 3) return lut_text_bad(t, "the third line holds the three sizes");
	for (int i = 0; i < 3; i++)
		if (whole(t, i, "a size of", 2, LUT_3D_MAX, &n3[i]) < 0) return -1;
	if (n3[0] != n3[1] || n3[1] != n3[2]) return lut_text_bad(t, "the three sizes must be equal");
	*n = n3[0];
	return 0;
}

static int spi3d_data(struct lut_text *t, const struct lut_3d *o, size_t want, uint8_t *seen)
{
	size_t got = 0;
	while (lut_text_next(t)) {
		int at[3];
		double v;
		if (t->nword != 6) return lut_text_bad(t, "a line of data has three indices and three numbers");
		for (int i = 0; i < 3; i++)
			if (whole(t, i, "an index of", 0, o->n - 1, &at[i]) < 0) return -1;
		size_t k = (size_t)at[0] + (size_t)o->n * ((size_t)at[1] + (size_t)o->n * (size_t)at[2]);
		if (seen[k]) return lut_text_bad(t, "node %d %d %d is given twice", at[0], at[1], at[2]);
		seen[k] = 1;
		got++;
		for (int i = 0; i < 3; i++) {
			if (lut_text_number(t, 3 + i, &v) < 0) return -1;
			o->t[k * 4 + (size_t)i] = (float)v;
		}
	}
	return got == want ? 0 : lut_text_bad(t, "ends after %zu of %zu lines of data", got, want);
}

int lut_read_spi3d(struct lut *l, const char *name, const char *text, size_t len, struct err *e)
{
	struct lut_text t;
	int n = 0;
	lut_text_init(&t, name, text, len, e);
	if (head_3d(&t, &n) < 0) return -1;
	size_t want = (size_t)n * (size_t)n * (size_t)n;
	if (len < want * 12) return lut_text_bad(&t,
		"the file is too short for the %zu lines of data that its sizes ask for", want);
	struct lut_3d *o = lut_add_3d(l, n, name, e);
	if (!o) return -1;
	for (int c = 0; c < 3; c++) lut_domain(0, 1, n, &o->min[c], &o->scale[c]);
	uint8_t *seen = calloc(want, 1);
	if (!seen) return err_set(e, E_MEMORY, "%s: no memory for %zu table entries", name, want);
	int rc = spi3d_data(&t, o, want, seen);
	free(seen);
	return rc;
}
