/* param - declared parameters: look-up, defaults, ranges, storage, blending, canonical text.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "param.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>

#include "mathx.h"

const struct param *param_find(const struct param *table, const char *name)
{
	for (const struct param *p = table; p && p->name; p++)
		if (strcmp(p->name, name) == 0)
			return p;
	return NULL;
}

int param_count(const struct param *table)
{
	int n = 0;
	while (table && table[n].name)
		n++;
	return n;
}

int value_default(const struct param *p, struct arena *a, struct value *out)
{
	if (p->sdef && p->type != PT_STRING && p->type != PT_PATH)
		return value_parse(p, p->sdef, a, out, NULL);
	*out = (struct value){ .type = p->type, .n = p->n };
	if (p->type == PT_STRING || p->type == PT_PATH)
		out->s = arena_strdup(a, p->sdef ? p->sdef : "");
	for (int i = 0; i < p->n && i < 4; i++)
		out->v[i] = p->def[i];
	if (p->type == PT_CURVE)
		out->curve = arena_alloc(a, 1, sizeof *out->curve);
	return 0;
}

void param_range(const struct param *p, char *out, size_t n)
{
	char lo[40], hi[40];
	const char *unit = p->unit ? p->unit : "";
	const char *gap = unit[0] ? " " : "";
	bool low = isfinite(p->min), high = isfinite(p->max);
	if (low)
		mx_print(p->min, lo);
	if (high)
		mx_print(p->max, hi);
	if (low && high)
		snprintf(out, n, "%s..%s%s%s", lo, hi, gap, unit);
	else if (low)
		snprintf(out, n, "at least %s%s%s", lo, gap, unit);
	else if (high)
		snprintf(out, n, "at most %s%s%s", hi, gap, unit);
	else
		snprintf(out, n, "any number");
}

static int out_of_range(const struct param *p, const struct value *v, struct err *e)
{
	char range[128];
	struct arena *a = arena_new();
	param_range(p, range, sizeof range);
	err_set(e, E_SCENE, "%s=\"%.80s\": out of range %s", p->name, value_print(p, v, a), range);
	arena_free(&a);
	return -1;
}

static int check_curve(const struct param *p, const struct value *v, struct err *e)
{
	const struct curve *c = v->curve;
	for (int i = 0; c && i < c->n; i++)
		if (!isfinite(c->x[i]) || !(c->y[i] >= p->min && c->y[i] <= p->max))
			return out_of_range(p, v, e);
	return 0;
}

int value_check(const struct param *p, const struct value *v, struct err *e)
{
	switch (p->type) {
	case PT_FLOAT: case PT_INT: case PT_COLOUR: case PT_VEC:
		for (int i = 0; i < v->n && i < 4; i++)
			if (!isfinite(v->v[i]) || v->v[i] < p->min || v->v[i] > p->max)
				return out_of_range(p, v, e);
		return 0;
	case PT_LENGTH:        /* a percentage is bounded only by sign, until the height is known */
		if (!isfinite(v->v[0]) || (v->percent_h ? p->min >= 0 && v->v[0] < 0
		                           : v->v[0] < p->min || v->v[0] > p->max))
			return out_of_range(p, v, e);
		return 0;
	case PT_CURVE:
		return check_curve(p, v, e);
	default:
		return 0;
	}
}

static int to_int(double x)
{
	double r = mx_round(x);
	if (r >= (double)INT_MAX)
		return INT_MAX;
	return r <= (double)INT_MIN ? INT_MIN : (int)r;
}

void value_store(const struct param *p, const struct value *v, void *dst, double height,
                 double scale)
{
	char *at = (char *)dst + p->off;
	switch (p->type) {
	case PT_FLOAT:
		memcpy(at, &v->v[0], sizeof(double));
		break;
	case PT_LENGTH: {
		double x = v->percent_h ? v->v[0] * height / 100 : v->v[0] * scale;
		memcpy(at, &x, sizeof x);
		break;
	}
	case PT_INT: case PT_BOOL: case PT_ENUM: {
		int i = to_int(v->v[0]);
		memcpy(at, &i, sizeof i);
		break;
	}
	case PT_STRING: case PT_PATH: {
		const char *s = v->s ? v->s : "";
		memcpy(at, &s, sizeof s);
		break;
	}
	case PT_COLOUR: case PT_VEC:
		memcpy(at, v->v, sizeof(double) * (size_t)p->n);
		break;
	case PT_CURVE:
		if (v->curve)
			memcpy(at, v->curve, sizeof *v->curve);
		else
			memset(at, 0, sizeof *v->curve);
		break;
	case PT_END:
		assert(!"a parameter of no type");
	}
}

void value_mix(const struct value *a, const struct value *b, double t, struct value *out)
{
	struct value r = *a;
	bool numbers = a->type == PT_FLOAT || a->type == PT_INT || a->type == PT_COLOUR ||
	               a->type == PT_VEC || (a->type == PT_LENGTH && a->percent_h == b->percent_h);
	/* (1-t)a + tb meets both ends exactly and stays on a constant */
	for (int i = 0; numbers && i < a->n && i < 4; i++)
		r.v[i] = a->v[i] == b->v[i] ? a->v[i] : (1 - t) * a->v[i] + t * b->v[i];
	*out = r;
}

static char *print_numbers(const double *v, int n, struct arena *a)
{
	char out[4 * 42];
	size_t used = 0;
	for (int i = 0; i < n && i < 4; i++) {
		if (i)
			out[used++] = ' ';
		mx_print(v[i], out + used);
		used += strlen(out + used);
	}
	return arena_strndup(a, out, used);
}

static char *print_curve(const struct curve *c, struct arena *a)
{
	char out[32 * 82], x[40], y[40];
	size_t used = 0;
	for (int i = 0; c && i < c->n; i++) {
		mx_print(c->x[i], x);
		mx_print(c->y[i], y);
		used += (size_t)snprintf(out + used, sizeof out - used, "%s%s,%s", i ? " " : "", x, y);
	}
	return arena_strndup(a, out, used);
}

/* The index-th of "a|b|c". */
static char *print_choice(const struct param *p, int index, struct arena *a)
{
	const char *c = p->choices ? p->choices : "";
	for (int i = 0; i < index && c; i++) {
		c = strchr(c, '|');
		c = c ? c + 1 : NULL;
	}
	return c && index >= 0 ? arena_strndup(a, c, strcspn(c, "|")) : arena_strdup(a, "");
}

char *value_print(const struct param *p, const struct value *v, struct arena *a)
{
	switch (p->type) {
	case PT_FLOAT: case PT_INT: case PT_COLOUR: case PT_VEC:
		return print_numbers(v->v, v->n, a);
	case PT_LENGTH: {
		char *s = print_numbers(v->v, 1, a);
		return v->percent_h ? arena_printf(a, "%s%%h", s) : s;
	}
	case PT_BOOL:
		return arena_strdup(a, v->v[0] != 0 ? "yes" : "no");
	case PT_ENUM:
		return print_choice(p, to_int(v->v[0]), a);
	case PT_CURVE:
		return print_curve(v->curve, a);
	default:
		return arena_strdup(a, v->s ? v->s : "");
	}
}

void params_default(const struct param *table, void *v, struct arena *a, double height)
{
	for (const struct param *p = table; p && p->name; p++) {
		struct value d;
		if (value_default(p, a, &d) < 0)
			assert(!"a default that its own declaration refuses");
		value_store(p, &d, v, height, 1);
	}
}
