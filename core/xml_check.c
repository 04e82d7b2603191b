/* xml_check - what spans elements: references, visibility of passes, cycles, outputs, waivers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xml.h"

enum { MAX_HINT_IDS = 10000, MAX_CYCLES = 10, RING_SHOWN = 12 };

static const char *id_hint(struct load *l, const char *word)
{
	const struct scene *s = l->s;
	size_t n = 0;
	if (s->nelem + s->npass > MAX_HINT_IDS || load_full(l))
		return NULL;
	const char **names = xalloc((size_t)(s->nelem + s->npass), sizeof *names);
	for (int i = 0; i < s->nelem; i++)
		if (!s->elem[i].type || !(s->elem[i].type->flags & NF_SINK))
			names[n++] = s->elem[i].id;
	for (int i = 0; i < s->npass; i++)
		names[n++] = s->pass[i].id;
	const char *hint = load_hint(l, word, names, n);
	free(names);
	return hint;
}

/* Who refers: for messages and visibility. pass -1: outside passes. */
struct from { const char *attr, *where; int pass, line; };

static const char *outputs_list(const struct scene *used, const char *id, char *out, size_t n)
{
	size_t at = 0;
	out[0] = 0;
	for (int i = 0; i < used->noutput && at < n; i++)
		at += (size_t)snprintf(out + at, n - at, "%s%s.%s", i ? " " : "", id, used->output[i].id);
	return out;
}

/* A <use> is read through its outputs: its id alone when there is one. output NULL: none named. */
static bool use_visible(struct load *l, const struct from *f, const struct elem *el,
                        const char *output)
{
	char list[300];
	if (!el->used)
		return false;                        /* reported already */
	outputs_list(el->used, el->id, list, sizeof list);
	if (!output && el->used->noutput == 1)
		return true;
	for (int i = 0; output && i < el->used->noutput; i++)
		if (strcmp(el->used->output[i].id, output) == 0)
			return true;
	if (el->used->noutput == 0)
		load_bad(l, f->line, f->where, NULL, "%s=\"%.60s\": %.200s has no <output>", f->attr, el->id,
		         el->used->file);
	else if (!output)
		load_bad(l, f->line, f->where, NULL, "%s=\"%.60s\": it has several outputs: %s", f->attr,
		         el->id, list);
	else
		load_bad(l, f->line, f->where, NULL, "%s=\"%.60s.%.60s\": no such output; there is %s", f->attr,
		         el->id,
		         output, list);
	return false;
}

/* May el be read from f, and has it an image? */
static bool elem_visible(struct load *l, const struct from *f, const struct elem *el,
                         const char *output)
{
	const struct pass *p = el->pass >= 0 ? &l->s->pass[el->pass] : NULL;
	if (el->type && (el->type->flags & NF_SINK)) {
		load_bad(l, f->line, f->where, NULL, "%s=\"%.60s\": a <%s> has no image to read", f->attr,
		         el->id, el->tag);
		return false;
	}
	if (p && el->pass != f->pass && (!p->out || strcmp(p->out, el->id) != 0)) {
		load_bad(l, f->line, f->where, NULL,
		         "%s=\"%.60s\": inside pass \"%.60s\", whose result is \"%.60s\"; other nodes "
		         "of a pass cannot be read from outside", f->attr, el->id, p->id, p->out ? p->out : "");
		return false;
	}
	if (!el->type && strcmp(el->tag, "use") == 0)
		return use_visible(l, f, el, output);
	if (output) {
		load_bad(l, f->line, f->where, NULL, "%s=\"%.60s.%.60s\": \"%.60s\" is no <use>", f->attr,
		         el->id, output, el->id);
		return false;
	}
	return true;
}

/* The element id (or "use.output") that target means, or NULL when it is wrong and reported. */
static const char *resolve(struct load *l, const struct from *f, const char *target)
{
	const char *dot = strchr(target, '.');
	const char *head = dot ? arena_strndup(l->s->a, target, (size_t)(dot - target)) : target;
	const struct id_entry *e = id_find(l->s, head);
	if (!e) {
		load_bad(l, f->line, f->where, id_hint(l, head), "%s=\"%.80s\": no node or pass has this id",
		         f->attr, target);
		return NULL;
	}
	if (e->kind == ID_BROKEN)
		return NULL;
	if (e->kind == ID_OUTPUT) {
		const char *behind = l->s->output[e->index].node;
		load_bad(l, f->line, f->where, NULL,
		         "%s=\"%.60s\": an <output> cannot be read here; read \"%.60s\"", f->attr,
		         target, behind ? behind : "the node");
		return NULL;
	}
	if (e->kind == ID_ELEM)
		return elem_visible(l, f, &l->s->elem[e->index], dot ? dot + 1 : NULL) ? target : NULL;
	if (dot || e->index == f->pass) {
		load_bad(l, f->line, f->where, NULL,
		         dot ? "%s=\"%.80s\": a pass has one result; write its id alone"
		         : "%s=\"%.80s\": a node cannot read the result of its own pass", f->attr, target);
		return NULL;
	}
	const struct pass *p = &l->s->pass[e->index];
	const struct elem *el = p->out ? scene_elem(l->s, p->out) : NULL;
	return el && elem_visible(l, f, el, NULL) ? p->out : NULL;
}

static void resolve_elems(struct load *l)
{
	struct scene *s = l->s;
	char where[160];
	for (int i = 0; i < s->nelem; i++) {
		struct elem *el = &s->elem[i];
		elem_where(el, where, sizeof where);
		for (int k = 0; k < el->nref; k++) {
			struct ref *r = &el->ref[k];
			struct from f = { strcmp(r->slot, "image") == 0 && el->type ? "in" : r->slot, where, el->pass,
			                 r->line };
			const char *id = resolve(l, &f, r->target);
			if (id)
				r->target = id;
		}
	}
}

static void resolve_faces(struct load *l)
{
	struct scene *s = l->s;
	char where[160];
	for (int i = 0; i < s->noutput; i++) {
		struct face *o = &s->output[i];
		snprintf(where, sizeof where, "<output id=\"%.60s\">", o->id);
		struct from f = { "in", where, -1, o->line };
		const char *id = o->node ? resolve(l, &f, o->node) : NULL;
		if (id)
			o->node = id;
	}
}

/* A waiver names an element, a pass, or a node within a <use>. */
static void check_waives(struct load *l)
{
	for (int i = 0; i < l->s->nwaive; i++) {
		const struct waive *w = &l->s->waive[i];
		const struct scene *s = l->s;
		const char *path = w->node;
		bool found = path[0] == 0;
		while (!found && s) {
			size_t n = strcspn(path, ".");
			const char *head = arena_strndup(l->s->a, path, n);
			const struct id_entry *e = id_find(s, head);
			const struct elem *el = e && e->kind == ID_ELEM ? &s->elem[e->index] : NULL;
			found = e && (path[n] == 0 || e->kind == ID_BROKEN || (el && !el->used && !el->type));
			s = path[n] && el ? el->used : NULL;
			path += n + (path[n] == '.');
		}
		if (!found)
			load_bad(l, w->line, "<waive>", id_hint(l, w->node),
			         "node=\"%.80s\": no node or pass has this id", w->node);
	}
}

/* --- cycles: depth-first, with an explicit stack (chains may be a million long) --- */

struct walk { int *state, *stack, *next; int depth, found; };

static int ref_elem(const struct load *l, const struct ref *r)
{
	size_t n = strcspn(r->target, ".");
	const struct id_entry *e = id_find(l->s, r->target[n] ? arena_strndup(l->s->a, r->target,
	                                                                      n) : r->target);
	return e && e->kind == ID_ELEM ? e->index : -1;
}

static void report_cycle(struct load *l, const struct walk *w, int back)
{
	const struct scene *s = l->s;
	char where[160], ring[1000] = "";
	int from = w->depth - 1, n, shown = 0;
	while (w->stack[from] != back)
		from--;
	n = w->depth - from;
	for (int i = from; i < w->depth; i++, shown++) {
		size_t at = strlen(ring);
		if (n > RING_SHOWN && shown == RING_SHOWN - 1) {
			snprintf(ring + at, sizeof ring - at, "... (%d more) reads ", n - shown);
			break;
		}
		snprintf(ring + at, sizeof ring - at, "%.40s reads ", s->elem[w->stack[i]].id);
	}
	load_bad(l, s->elem[back].line, elem_where(&s->elem[back], where, sizeof where), NULL,
	         "a cycle: %s%.40s", ring, s->elem[back].id);
}

static void walk_from(struct load *l, struct walk *w, int root)
{
	const struct scene *s = l->s;
	w->depth = 0;
	w->stack[w->depth++] = root;
	w->state[root] = 1;
	while (w->depth > 0 && w->found < MAX_CYCLES) {
		int i = w->stack[w->depth - 1];
		if (w->next[i] == s->elem[i].nref) {
			w->state[i] = 2;
			w->depth--;
			continue;
		}
		int to = ref_elem(l, &s->elem[i].ref[w->next[i]++]);
		if (to >= 0 && w->state[to] == 1) {
			report_cycle(l, w, to);
			w->found++;
		} else if (to >= 0 && w->state[to] == 0) {
			w->state[to] = 1;
			w->stack[w->depth++] = to;
		}
	}
}

static void find_cycles(struct load *l)
{
	size_t n = (size_t)l->s->nelem;
	struct walk w = {
		.state = xalloc(n, sizeof *w.state), .stack = xalloc(n, sizeof *w.stack),
		.next = xalloc(n, sizeof *w.next)
	};
	for (int i = 0; i < l->s->nelem && w.found < MAX_CYCLES; i++)
		if (w.state[i] == 0)
			walk_from(l, &w, i);
	free(w.state);
	free(w.stack);
	free(w.next);
}

void refs_resolve(struct load *l)
{
	resolve_elems(l);
	resolve_faces(l);
	check_waives(l);
	find_cycles(l);
}
