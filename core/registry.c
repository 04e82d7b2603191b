/* registry - the node types there are: the static ones of an instruction set, and those of scripts.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "graph.h"
#include "node_table.h"

/* Chosen once by node_isa_set before anything else runs, then frozen. */
static const struct node_type *const *chosen = nodes_baseline;
static const char *chosen_name = "baseline";

#if defined __x86_64__
static bool cpu_has(enum isa isa)
{
	__builtin_cpu_init();
	if (isa == ISA_BASELINE)
		return true;
	bool v3 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") &&
	          __builtin_cpu_supports("bmi") && __builtin_cpu_supports("bmi2");
	if (isa == ISA_AVX2)
		return v3;
	return v3 && __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
	       __builtin_cpu_supports("avx512vl");
}
#else
static bool cpu_has(enum isa isa)
{
	return isa == ISA_BASELINE;
}
#endif

int node_isa_set(enum isa isa, struct err *e)
{
	static const char *const names[] = { "auto", "baseline", "avx2", "avx512" };
	const struct node_type *const *tables[] = { NULL, nodes_baseline, nodes_avx2, nodes_avx512 };
	if (isa == ISA_AUTO)
		isa = cpu_has(ISA_AVX512) ? ISA_AVX512 : cpu_has(ISA_AVX2) ? ISA_AVX2 : ISA_BASELINE;
	if (!cpu_has(isa))
		return err_set(e, E_USAGE, "--isa %s: this CPU has no such instructions", names[isa]);
	chosen = tables[isa];
	chosen_name = names[isa];
	return 0;
}

const char *node_isa_name(void)
{
	return chosen_name;
}

const struct node_type *const *node_types(int *n)
{
	int count = 0;
	while (chosen[count])
		count++;
	*n = count;
	return chosen;
}

const struct node_type *node_type_find(const char *name)
{
	for (const struct node_type *const *t = chosen; *t; t++)
		if (strcmp((*t)->name, name) == 0)
			return *t;
	return NULL;
}

void need_add(struct needs *n, int conn, int frame, struct rect rect)
{
	assert(n->n < NODE_MAX_NEEDS);
	n->v[n->n++] = (struct need){ .conn = conn, .frame = frame, .rect = rect };
}

const struct param node_common_params[] = {
	P_FLOAT(node_common, mix, 1, 0, 1, "",
	        "how much of the node's result is taken; the rest is its input unchanged"),
	P_BOOL(node_common, mask_invert, 0, PF_STATIC, "work where the mask is black instead of white"),
	P_END
};

int node_slots(const struct node_type *t, struct slot out[NODE_MAX_SLOTS])
{
	int n = 0;
	for (const char *s = t->inputs ? t->inputs : ""; *(s += strspn(s, " ")) &&
	     n < NODE_MAX_SLOTS; n++) {
		size_t len = strcspn(s, " ?*");
		assert(len < sizeof out[n].name);
		out[n] = (struct slot){ .optional = false };
		memcpy(out[n].name, s, len);
		for (s += len; *s == '?' || *s == '*'; s++) {
			out[n].optional |= *s == '?';
			out[n].list |= *s == '*';
		}
		out[n].image = strncmp(out[n].name, "mask", 4) != 0 && !strstr(out[n].name, "region")
			&& strcmp(out[n].name, "hold_skin") != 0;
		out[n].apart = slot_measured(out[n].name) || strcmp(out[n].name, "plate") == 0;
	}
	return n;
}

bool slot_measured(const char *name)
{
	return strncmp(name, "reference", 9) == 0 || strcmp(name, "region") == 0 || strcmp(name, "hold_skin") == 0;
}

const char *slot_attr(const struct slot *s)
{
	return strcmp(s->name, "image") == 0 ? "in" : s->name;
}

const struct node_type *registry_find(const struct registry *r, const char *name)
{
	const struct node_type *t = node_type_find(name);
	for (int i = 0; !t && r && i < r->nextra; i++)
		if (strcmp(r->extra[i]->name, name) == 0)
			t = r->extra[i];
	return t;
}

static int by_name(const void *a, const void *b)
{
	const struct node_type *p = *(const struct node_type *const *)a;
	const struct node_type *q = *(const struct node_type *const *)b;
	return strcmp(p->name, q->name);
}

const struct node_type **registry_all(const struct registry *r, int *n)
{
	int nfixed, count = 0, nextra = r ? r->nextra : 0;
	const struct node_type *const *fixed = node_types(&nfixed);
	const struct node_type **all = xalloc((size_t)(nfixed + nextra), sizeof *all);
	for (int i = 0; i < nfixed + nextra; i++) {
		const struct node_type *t = i < nfixed ? fixed[i] : r->extra[i - nfixed];
		if (!(t->flags & NF_HIDDEN))
			all[count++] = t;
	}
	qsort(all, (size_t)count, sizeof *all, by_name);
	*n = count;
	return all;
}

/* Words of the scene language, which a type cannot take. */
static bool reserved(const char *name)
{
	static const char *const words[] = {
		"graph", "pass", "use", "set", "input", "output", "param", "animate", "key", "script",
		"waive", "approve", "skin", "reference"
	};
	for (size_t i = 0; i < IN_COUNT(words); i++)
		if (strcmp(words[i], name) == 0)
			return true;
	return false;
}

static bool xml_name(const char *s)
{
	for (const char *c = s; *c; c++) {
		bool letter = (*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || *c == '_';
		bool inner = (*c >= '0' && *c <= '9') || *c == '-';
		if (!letter && !(inner && c > s))
			return false;
	}
	return s[0] != 0;
}

static int check_names(const struct node_type *t, struct err *e)
{
	struct slot slot[NODE_MAX_SLOTS];
	int n = node_slots(t, slot);
	for (const struct param *p = t->params; p && p->name; p++) {
		bool taken = strcmp(p->name, "id") == 0 || strcmp(p->name, "in") == 0 ||
		             strcmp(p->name, "node") == 0 ||
		             ((t->flags & NF_MASKED) && param_find(node_common_params, p->name));
		for (int i = 0; i < n; i++)
			taken |= strcmp(p->name, slot_attr(&slot[i])) == 0;
		if (taken || !xml_name(p->name) || param_find(t->params, p->name) != p)
			return err_set(e, E_SCRIPT, "node %s: a parameter cannot be called \"%s\"", t->name, p->name);
	}
	return 0;
}

int registry_add(struct registry *r, const struct node_type *t, struct err *e)
{
	if (!xml_name(t->name) || reserved(t->name))
		return err_set(e, E_SCRIPT, "a node cannot be called \"%s\"", t->name);
	if (registry_find(r, t->name))
		return err_set(e, E_SCRIPT, "there is a node called \"%s\" already", t->name);
	if (check_names(t, e) < 0)
		return -1;
	r->extra = xrealloc(r->extra, (size_t)r->nextra + 1, sizeof *r->extra);
	r->extra[r->nextra++] = t;
	return 0;
}
