/* lut_cube - .cube files: Adobe "Cube LUT Specification 1.0" (2013), and
 * Resolve's 1D shaper before a 3D table.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut_int.h"

#include <string.h>

#include "mathx.h"

struct cube {
	struct lut_text t;
	struct lut *l;
	struct lut_1d *t1; struct lut_3d *t3;
	int n1, n3;
	double domain[2][3], range[2][2];       /* DOMAIN_MIN/MAX; INPUT_RANGE of 1D, 3D */
	bool has_domain[2], has_range[2];
	size_t want, got;                       /* data lines */
};

static int size_word(struct cube *r, int max, int *n)
{
	double v;
	if (r->t.nword != 2) return lut_text_bad(&r->t, "a size is one whole number");
	if (lut_text_number(&r->t, 1, &v) < 0) return -1;
	if (*n) return lut_text_bad(&r->t, "the size is given twice");
	if (v != mx_floor(v) || v < 2 || v > max)
		return lut_text_bad(&r->t, "%s %s is outside 2 to %d", r->t.word[0], r->t.word[1], max);
	*n = (int)v;
	return 0;
}

static int keyword(struct cube *r)
{
	const char *w = r->t.word[0];
	double v[3];
	if (!strcmp(w, "TITLE")) return 0;
	if (!strcmp(w, "LUT_1D_SIZE")) return size_word(r, LUT_1D_MAX, &r->n1);
	if (!strcmp(w, "LUT_3D_SIZE")) return size_word(r, LUT_3D_MAX, &r->n3);
	int k = !strcmp(w, "DOMAIN_MIN") ? 0 : !strcmp(w, "DOMAIN_MAX") ? 1
	      : !strcmp(w, "LUT_1D_INPUT_RANGE") ? 2 : !strcmp(w, "LUT_3D_INPUT_RANGE") ? 3 : -1;
	if (k < 0) return lut_text_bad(&r->t, "unknown keyword '%s'", w);
	int want = k < 2 ? 3 : 2;
	if (r->t.nword != want + 1)
		return lut_text_bad(&r->t, k < 2 ? "a domain has three numbers" : "a range has two numbers");
	for (int i = 0; i < want; i++)
		if (lut_text_number(&r->t, i + 1, &v[i]) < 0) return -1;
	bool *has = k < 2 ? &r->has_domain[k] : &r->has_range[k - 2];
	if (*has) return lut_text_bad(&r->t, "%s is given twice", w);
	*has = true;
	memcpy(k < 2 ? r->domain[k] : r->range[k - 2], v, (size_t)want * sizeof *v);
	return 0;
}

static int set_domain(struct cube *r, const double lo[3], const double hi[3], int n, float *min, float *scale)
{
	for (int i = 0; i < 3; i++) {
		if (!(hi[i] > lo[i]))
			return lut_text_bad(&r->t, "the input domain is empty: its maximum must be above its minimum");
		if (!lut_domain(lo[i], hi[i], n, &min[i], &scale[i]))
			return lut_text_bad(&r->t, "the input domain is too narrow or too wide");
	}
	return 0;
}

/* Header complete: domains, the number of lines to come, and the tables. */
static int start_data(struct cube *r)
{
	if (!r->n1 && !r->n3) return lut_text_bad(&r->t, "no LUT_1D_SIZE or LUT_3D_SIZE stands before the data");
	if (r->n1 && r->n3 && (r->has_domain[0] || r->has_domain[1]))
		return lut_text_bad(&r->t, "DOMAIN_MIN/MAX is ambiguous with two tables; use LUT_1D_INPUT_RANGE and "
		                    "LUT_3D_INPUT_RANGE");
	size_t n3 = (size_t)r->n3 * (size_t)r->n3 * (size_t)r->n3;
	r->want = (size_t)r->n1 + n3;
	if ((size_t)(r->t.end - r->t.p) + 256 < (r->want - 1) * 6)
		return lut_text_bad(&r->t, "the file is too short for the %zu lines of data that its sizes ask for",
			r->want);
	double lo[2][3], hi[2][3];
	for (int t = 0; t < 2; t++) {
		int other = !r->n1 || !r->n3 ? 1 - t : t;       /* one table: whichever range is given is its */
		int from = r->has_range[t] ? t : other;
		for (int i = 0; i < 3; i++) {
			lo[t][i] = r->has_range[from] ? r->range[from][0] : r->has_domain[0] ? r->domain[0][i] : 0;
			hi[t][i] = r->has_range[from] ? r->range[from][1] : r->has_domain[1] ? r->domain[1][i] : 1;
		}
	}
	/* both steps first: adding the second may move the first */
	if (r->n1 && !lut_add_1d(r->l, r->n1, r->t.name, r->t.e)) return -1;
	if (r->n3 && !lut_add_3d(r->l, r->n3, r->t.name, r->t.e)) return -1;
	if (r->n1) r->t1 = &r->l->op[0].u.t1;
	if (r->n3) r->t3 = &r->l->op[r->l->nop - 1].u.t3;
	if (r->n1 && set_domain(r, lo[0], hi[0], r->n1, r->t1->min, r->t1->scale) < 0) return -1;
	return r->n3 ? set_domain(r, lo[1], hi[1], r->n3, r->t3->min, r->t3->scale) : 0;
}

static int data_line(struct cube *r)
{
	double v[3];
	if (!r->want && start_data(r) < 0) return -1;
	if (r->t.nword != 3) return lut_text_bad(&r->t, "a line of data has three numbers");
	if (r->got == r->want)
		return lut_text_bad(&r->t, "more than the %zu lines of data that the sizes ask for", r->want);
	for (int i = 0; i < 3; i++) {
		if (lut_text_number(&r->t, i, &v[i]) < 0) return -1;
		if (r->got < (size_t)r->n1) r->t1->t[i][r->got] = (float)v[i];
		else r->t3->t[(r->got - (size_t)r->n1) * 4 + (size_t)i] = (float)v[i];
	}
	r->got++;
	return 0;
}

int lut_read_cube(struct lut *l, const char *name, const char *text, size_t len, struct err *e)
{
	struct cube r = { .l = l };
	lut_text_init(&r.t, name, text, len, e);
	while (lut_text_next(&r.t)) {
		char c = r.t.word[0][0];
		bool named = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
		bool nan = named && r.t.nword == 3 && r.want;   /* "nan nan nan" among the data */
		if (named && !nan && r.want) return lut_text_bad(&r.t, "a keyword stands after the data has begun");
		if ((named && !nan ? keyword(&r) : data_line(&r)) < 0) return -1;
	}
	if (!r.want) return err_set(e, E_INPUT, "%s: holds no table", name);
	if (r.got < r.want) return lut_text_bad(&r.t, "ends after %zu of %zu lines of data", r.got, r.want);
	return 0;
}
