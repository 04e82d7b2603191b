/* param_hash - the canonical bytes of a filled parameter struct, for keys.
 * Exact IEEE bits of numbers, names of choices (their index may move), contents of files.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "param.h"

static void add_double(struct sha *s, double v)
{
	uint64_t bits;
	memcpy(&bits, &v, sizeof bits);
	sha_u64(s, bits);
}

static void choice_name(const struct param *p, int index, char name[128])
{
	const char *c = p->choices ? p->choices : "";
	for (int i = 0; i < index && *c; i++) {
		c += strcspn(c, "|");
		c += *c == '|';
	}
	size_t n = strcspn(c, "|");
	n = n < 128 ? n : 127;
	memcpy(name, c, n);
	name[n] = 0;
}

static void add_choice(struct sha *s, const struct param *p, int index)
{
	char name[128];
	choice_name(p, index, name);
	sha_str(s, name);
}

static int add_path(struct sha *s, const struct param *p, const char *path, struct err *e)
{
	struct key k;
	if (!(p->flags & PF_FILE)) {
		sha_str(s, path);
		return 0;
	}
	if (!path || !path[0]) {
		sha_str(s, NULL);
		return 0;
	}
	if (hash_file(path, &k, e) < 0)
		return err_in(e, "%s", p->name);
	sha_key(s, &k);
	return 0;
}

static void add_curve(struct sha *s, const struct curve *c)
{
	sha_u64(s, (uint64_t)c->n);
	for (int i = 0; i < c->n; i++) {
		add_double(s, c->x[i]);
		add_double(s, c->y[i]);
	}
}

static int add_value(struct sha *s, const struct param *p, const char *at, struct err *e)
{
	double d[4];
	const char *text;
	int i;
	switch (p->type) {
	case PT_FLOAT: case PT_LENGTH: case PT_COLOUR: case PT_VEC:
		memcpy(d, at, sizeof(double) * (size_t)p->n);
		for (int k = 0; k < p->n; k++)
			add_double(s, d[k]);
		return 0;
	case PT_INT: case PT_BOOL:
		memcpy(&i, at, sizeof i);
		sha_u64(s, (uint64_t)(int64_t)i);
		return 0;
	case PT_ENUM:
		memcpy(&i, at, sizeof i);
		add_choice(s, p, i);
		return 0;
	case PT_STRING: case PT_PATH:
		memcpy(&text, at, sizeof text);
		return add_path(s, p, text, e);
	case PT_CURVE:
		add_curve(s, (const struct curve *)(const void *)at);
		return 0;
	default:
		return err_set(e, E_INTERNAL, "parameter %s has no type", p->name);
	}
}

/* Whether the value is the one that its declaration names; texts and curves have the empty one. */
static bool is_default(const struct param *p, const char *at)
{
	double d[4];
	const char *text;
	int i;
	switch (p->type) {
	case PT_FLOAT: case PT_COLOUR: case PT_VEC:
		memcpy(d, at, sizeof(double) * (size_t)p->n);
		for (int k = 0; k < p->n; k++)
			if (d[k] != p->def[k])
				return false;
		return true;
	case PT_INT: case PT_BOOL:
		memcpy(&i, at, sizeof i);
		return i == (int)p->def[0];
	case PT_ENUM: {
		char name[128];
		memcpy(&i, at, sizeof i);
		choice_name(p, i, name);
		return p->sdef && strcmp(name, p->sdef) == 0;
	}
	case PT_STRING: case PT_PATH:
		memcpy(&text, at, sizeof text);
		return !text || !*text;
	case PT_CURVE:
		return ((const struct curve *)(const void *)at)->n == 0;
	default:
		return false;
	}
}

static void add_once_bool(struct sha *s, const char *at)
{
	int i;
	memcpy(&i, at, sizeof i);
	sha_u64(s, PT_BOOL);
	sha_u64(s, (uint64_t)(int64_t)i);
}

int params_hash(struct sha *s, const struct param *table, const void *v, struct err *e)
{
	for (const struct param *p = table; p && p->name; p++) {
		if (p->flags & (PF_NOKEY | PF_MEDIA))
			continue;
		if ((p->flags & PF_LATER) && is_default(p, (const char *)v + p->off))
			continue;
		sha_str(s, p->name);
		if (p->flags & PF_WAS_BOOL) {
			add_once_bool(s, (const char *)v + p->off);
			continue;
		}
		sha_u64(s, (uint64_t)p->type);
		if (add_value(s, p, (const char *)v + p->off, e) < 0)
			return -1;
	}
	return 0;
}
