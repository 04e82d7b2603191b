/* lut_3dl - .3dl files of Kodak, Discreet and Lustre: whole numbers, blue fastest,
 * perhaps a ramp before the cube.
 *
 * As OpenColorIO reads them: bit depths are deduced from the largest number (twice its
 * maximum may be overshoot), a ramp within two codes of straight is none, any other
 * one is a 1D table before the cube.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut_int.h"

#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"

enum { RAMP_MAX = 4096 };

struct mesh {
	struct lut_text t;
	double ramp[RAMP_MAX]; int nramp, ramp_line;
	float *v; size_t n, cap;                /* 3 a node */
	double most;
	int edge, depth;                        /* of "Mesh 5 12", or 0 */
};

/* Largest code of the depth that numbers up to most come from; 0: no codes. */
static double code_max(double most)
{
	if (most < 128) return 0;
	return most <= 511 ? 255 : most <= 2047 ? 1023 : most <= 8191 ? 4095 : 65535;
}

static int keyword(struct mesh *m)
{
	static const char *const known[] = { "3DMESH", "LUT8", "LUT10", "LUT12", "gamma" };
	const struct lut_text *t = &m->t;
	double n, bits;
	for (size_t i = 0; i < IN_COUNT(known); i++)
		if (!strcasecmp(t->word[0], known[i])) return 0;
	if (strcasecmp(t->word[0], "Mesh") != 0) return lut_text_bad(t, "unknown keyword '%s'", t->word[0]);
	if (t->nword != 3) return lut_text_bad(t, "Mesh has two numbers: bits in and bits out");
	if (lut_text_number(t, 1, &n) < 0 || lut_text_number(t, 2, &bits) < 0) return -1;
	if (n != mx_floor(n) || n < 1 || n > 8 || bits != mx_floor(bits) || bits < 8 || bits > 16)
		return lut_text_bad(t, "Mesh %s %s: expected 1 to 8 bits in and 8 to 16 out", t->word[1], t->word[2]);
	m->edge = (1 << (int)n) + 1;
	m->depth = (int)bits;
	return 0;
}

static int ramp(struct mesh *m)
{
	const struct lut_text *t = &m->t;
	if (m->nramp) return lut_text_bad(t, "a second ramp; the first stands in line %d", m->ramp_line);
	m->ramp_line = t->line;
	for (const char *p = t->begin; p < t->eol; ) {
		char word[LUT_WORD_MAX];
		size_t n = 0;
		while (p < t->eol && strchr(" \t\r\f\v", *p)) p++;
		if (p == t->eol || *p == '#') break;
		for (; p < t->eol && !strchr(" \t\r\f\v", *p); p++)
			if (n + 1 < sizeof word) word[n++] = *p;
		word[n] = 0;
		if (m->nramp == RAMP_MAX) return lut_text_bad(t, "the ramp has more than %d numbers", RAMP_MAX);
		double *v = &m->ramp[m->nramp++];
		if (mx_parse(word, v) < 0 || *v != mx_floor(*v) || *v < 0 || *v > 131071)
			return lut_text_bad(t, "'%s' in the ramp is no whole number of 0 to 131071", word);
	}
	return 0;
}

static int node(struct mesh *m)
{
	const size_t top = (size_t)3 * LUT_3D_MAX * LUT_3D_MAX * LUT_3D_MAX;
	double v;
	if (m->t.nword != 3) return lut_text_bad(&m->t, "a line of data has three whole numbers");
	if (m->n + 3 > top) return lut_text_bad(&m->t, "a cube has at most %d entries a side", LUT_3D_MAX);
	for (int i = 0; i < 3; i++) {
		if (lut_text_number(&m->t, i, &v) < 0) return -1;
		if (v != mx_floor(v) || v < -131071 || v > 131071)
			return lut_text_bad(&m->t, "'%s' is no whole number of 0 to 131071", m->t.word[i]);
		if (v > m->most) m->most = v;
		m->v = grow(m->v, m->n, &m->cap, sizeof *m->v);
		m->v[m->n++] = (float)v;
	}
	return 0;
}

static int add_ramp(struct mesh *m, struct lut *l)
{
	double most = 0, off = 0;
	for (int i = 0; i < m->nramp; i++) most = m->ramp[i] > most ? m->ramp[i] : most;
	double max = code_max(most);
	if (max == 0) return err_set(m->t.e, E_INPUT,
		"%s:%d: the ramp's largest number, %g, is no code of 8 bits or more",
	                             m->t.name, m->ramp_line, most);
	for (int i = 0; i < m->nramp; i++) {
		double d = m->ramp[i] - max * i / (m->nramp - 1);
		d = d < 0 ? -d : d;
		if (d > off) off = d;
	}
	if (off < 2) return 0;
	struct lut_1d *o = lut_add_1d(l, m->nramp, m->t.name, m->t.e);
	if (!o) return -1;
	for (int c = 0; c < 3; c++) {
		lut_domain(0, 1, m->nramp, &o->min[c], &o->scale[c]);
		for (int i = 0; i < m->nramp; i++) o->t[c][i] = (float)(m->ramp[i] / max);
	}
	return 0;
}

static int add_cube(struct mesh *m, struct lut *l)
{
	size_t nodes = m->n / 3;
	int side = 2;
	while ((size_t)side * (size_t)side * (size_t)side < nodes) side++;
	if ((size_t)side * (size_t)side * (size_t)side != nodes)
		return lut_text_bad(&m->t, "%zu lines of data are no cube", nodes);
	if (m->edge && m->edge != side)
		return lut_text_bad(&m->t, "Mesh asks for %d entries a side, the data has %d", m->edge, side);
	double max = code_max(m->most);
	if (max == 0) return lut_text_bad(&m->t, "the largest number, %g, is no code of 8 bits or more", m->most);
	struct lut_3d *o = lut_add_3d(l, side, m->t.name, m->t.e);
	if (!o) return -1;
	for (int c = 0; c < 3; c++) lut_domain(0, 1, side, &o->min[c], &o->scale[c]);
	for (size_t i = 0; i < nodes; i++)
		for (size_t c = 0; c < 3; c++) lut_blue_fastest(o, i)[c] = m->v[i * 3 + c] / (float)max;
	return 0;
}

int lut_read_3dl(struct lut *l, const char *name, const char *text, size_t len, struct err *e)
{
	struct mesh *m = xalloc(1, sizeof *m);
	int rc = 0;
	lut_text_init(&m->t, name, text, len, e);
	while (rc == 0 && lut_text_next(&m->t)) {
		char c = m->t.word[0][0];
		bool digit = (c >= '0' && c <= '9') || c == '-' || c == '+' || c == '.';
		bool mesh = !strcasecmp(m->t.word[0], "3DMESH");
		rc = !digit || mesh ? keyword(m) : m->t.nword > 3 ? ramp(m) : node(m);
	}
	if (rc == 0 && !m->n && !m->nramp) rc = err_set(e, E_INPUT, "%s: holds no table", name);
	if (rc == 0 && m->nramp) rc = add_ramp(m, l);
	if (rc == 0 && m->n) rc = add_cube(m, l);
	free(m->v);
	free(m);
	return rc;
}
