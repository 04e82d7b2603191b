/* registry - every node type declares itself well: names, defaults, words for the reference, an example that loads.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <libxml/parser.h>

#include "graph.h"
#include "test.h"

/* One C string of complaints about the parameters of t, "" when there are none. */
static void judge_params(const struct node_type *t, struct arena *a, char *why, size_t n)
{
	struct registry r = { 0 };
	struct node_type copy = *t;
	struct err e = ERR_INIT;
	why[0] = 0;
	copy.name = "a-name-of-its-own";
	if (registry_add(&r, &copy, &e) < 0)
		snprintf(why, n, "%s", e.msg);
	free(r.extra);
	for (const struct param *p = t->params; p && p->name && !why[0]; p++) {
		struct value v, w;
		bool text = p->type == PT_STRING || p->type == PT_PATH;
		size_t size = text ? sizeof(char *) : p->type == PT_CURVE ? sizeof(struct curve)
		              : p->type == PT_INT || p->type == PT_BOOL || p->type == PT_ENUM ? sizeof(int)
		              : sizeof(double) * (size_t)p->n;
		if (p->off + size > t->size)
			snprintf(why, n, "%s lies outside its struct", p->name);
		else if (value_default(p, a, &v) < 0 || value_check(p, &v, &e) < 0)
			snprintf(why, n, "%s: the default is refused: %s", p->name, e.msg);
		else if (!text && (value_parse(p, value_print(p, &v, a), a, &w, &e) < 0 || memcmp(v.v, w.v, sizeof v.v)))
			snprintf(why, n, "%s: the default prints as something else", p->name);
		else if (!p->doc || !p->doc[0])
			snprintf(why, n, "%s has no doc", p->name);
		else if ((p->flags & (PF_FILE | PF_MEDIA | PF_OUTPUT)) && p->type != PT_PATH && p->type != PT_STRING)
			snprintf(why, n, "%s is a file but no path", p->name);
	}
}

static void judge_type(const struct node_type *t, char *why, size_t n)
{
	struct slot slot[NODE_MAX_SLOTS];
	int nslot = node_slots(t, slot);
	bool mask = false;
	why[0] = 0;
	for (int i = 0; i < nslot; i++)
		mask |= strcmp(slot[i].name, "mask") == 0 && slot[i].optional;
	if (!t->doc || !t->doc[0] || !t->category || t->version < 1)
		snprintf(why, n, "no doc, category or version");
	else if ((t->tile || t->expand ? 1 : 0) + (t->frame != NULL) != 1)
		snprintf(why, n, "one of tile, frame and expand (expand may decline in favour of tile)");
	else if ((t->flags & NF_SINK) && (!t->begin || !t->end || !t->frame))
		snprintf(why, n, "a sink needs begin, frame and end");
	else if ((t->flags & NF_MASKED) && !mask)
		snprintf(why, n, "NF_MASKED needs a slot \"mask?\"");
	else if (nslot == 0 && !t->format)
		snprintf(why, n, "a source needs format");
}

/* The example may name ids and files that are not there, and nothing else may be wrong with it. */
static void judge_example(const struct node_type *t, char *why, size_t n)
{
	struct diags d = { 0 };
	char *text = NULL;
	size_t len;
	FILE *f = open_memstream(&text, &len);
	fprintf(f, "<graph version=\"1\">%s</graph>", t->example ? t->example : "");
	fclose(f);
	struct scene *s = scene_load("example.xml", text, len, NULL, &d);
	snprintf(why, n, "%s", !t->example ? "there is none" : strstr(t->example, t->name) ? "" : "of another node");
	for (size_t i = 0; i < d.n && !why[0]; i++)
		if (!strstr(d.v[i].msg, "no node or pass has this id") && !strstr(d.v[i].msg, "cannot be evaluated here"))
			snprintf(why, n, "%s", d.v[i].msg);
	scene_free(&s);
	diags_free(&d);
	free(text);
}

int main(void)
{
	struct err e = ERR_INIT;
	struct arena *a = arena_new();
	char why[1200];
	test_ok(node_isa_set(ISA_BASELINE, &e) == 0 && !strcmp(node_isa_name(), "baseline"), "--isa baseline is everywhere");
	test_ok(node_isa_set(ISA_AUTO, &e) == 0, "--isa auto: %s", node_isa_name());
	int n;
	const struct node_type *const *types = node_types(&n);
	for (int i = 1; i < n; i++)
		if (strcmp(types[i - 1]->name, types[i]->name) >= 0)
			test_ok(0, "types are sorted: %s before %s", types[i - 1]->name, types[i]->name);
	test_ok(n > 0 && node_type_find(types[n - 1]->name) == types[n - 1] && !node_type_find("no such"), "%d types", n);
	for (int i = 0; i < n; i++) {
		judge_type(types[i], why, sizeof why);
		test_ok(!why[0], "type %s %s", types[i]->name, why);
		judge_params(types[i], a, why, sizeof why);
		test_ok(!why[0], "parameters of %s %s", types[i]->name, why);
		if (types[i]->flags & NF_HIDDEN)
			continue;
		judge_example(types[i], why, sizeof why);
		test_ok(!why[0], "example of %s %s", types[i]->name, why);
	}
	arena_free(&a);
	xmlCleanupParser();
	TEST_END();
}
