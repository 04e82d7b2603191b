/* burn - see burn.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "burn.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "approve.h"
#include "shotlist.h"

enum { MAX_FRAMES = 200000 };

static bool is_burnin(const struct net_node *nn)
{
	return strcmp(nn->type->name, "burnin") == 0;
}

/* A word without what the list of cuts and expressions need for themselves. */
static const char *word(const char *text, struct arena *a)
{
	char *out = arena_strdup(a, *text ? text : "-");
	for (char *p = out; *p; p++)
		if (strchr(" ;{}\t\r\n", *p)) *p = '_';
	if (strlen(out) > 79) out[79] = 0;
	return out;
}

static const char *source_name(const struct net_node *src)
{
	const struct param *p = param_find(src->type->params, "file");
	const char *s = NULL, *slash;
	if (p && (p->type == PT_PATH || p->type == PT_STRING)) memcpy(&s,
		(const char *)src->ctx.v + p->off, sizeof s);
	if (!s || !*s) return src->id;
	slash = strrchr(s, '/');
	return slash ? slash + 1 : s;
}

struct run { int first, count, from, step, fps; const char *shot, *source; };

struct text { char *v; size_t n, cap; };

static void put_run(const struct run *r, struct text *out)
{
	char one[300];
	if (!r->count) return;
	int len = snprintf(one, sizeof one, "%s%d %d %d %d %d %s %s", out->n ? ";" : "", r->first,
	                   r->count, r->from, r->step,
	                   r->fps, r->shot, r->source);
	while (out->n + (size_t)len + 1 > out->cap) out->v = xrealloc(out->v,
		out->cap = out->cap ? 2 * out->cap : 1024, 1);
	memcpy(out->v + out->n, one, (size_t)len + 1);
	out->n += (size_t)len;
}

/* Frames a second in a source's timecode; below 0: numbers are dropped. */
static int label_rate(const struct format *f)
{
	int rate = f->fps.num > 0 && f->fps.den > 0 ? (f->fps.num + f->fps.den / 2) / f->fps.den : 0;
	return f->drop ? -rate : rate;
}

/* Runs of frames that show source frames an even step apart. */
static const char *cuts_of(struct session *s, const struct net_node *nn)
{
	struct run r = { 0 };
	struct text text = { 0 };
	const char *shot = "", *source = "";
	const struct net_node *last_source = NULL;
	const char *last_name = NULL;
	int64_t last = nn->fmt.last == INT_MAX ? nn->fmt.first : nn->fmt.last;
	if (last - nn->fmt.first > MAX_FRAMES) last = (int64_t)nn->fmt.first + MAX_FRAMES;
	for (int64_t f = nn->fmt.first; f <= last; f++) {
		struct shotlist_at at;
		shotlist_at(s->net, nn, (int)f, &at);
		if (!last_name || strcmp(at.name, last_name) != 0 || at.source != last_source) {
			shot = word(at.name, s->a);
			source = at.source ? word(source_name(at.source), s->a) : "-";
			put_run(&r, &text);
			r.count = 0;
		}
		last_name = at.name;
		last_source = at.source;
		int from = at.source ? at.frame - at.source->fmt.first + at.source->fmt.start : at.frame;
		if (r.count == 1) r.step = from - r.from;
		if (r.count && from != r.from + r.step * r.count) {
			put_run(&r, &text);
			r.count = 0;
		}
		if (!r.count)
			r = (struct run){ (int)f, 0, from, 0, at.source ? label_rate(&at.source->fmt) : 0,
			                 shot, source };
		r.count++;
	}
	put_run(&r, &text);
	const char *out = arena_strdup(s->a, text.v ? text.v : "");
	free(text.v);
	return out;
}

/* "approved look picture, void neutral", or "not approved". */
static const char *state_of(struct session *s)
{
	const char *held = "", *lost = "";
	struct approvals a;
	if (!s->scene->napprove) return "not approved";
	approvals_open(&a, s);
	for (int i = 0; i < s->scene->napprove; i++) {
		const struct approve *v = &s->scene->approve[i];
		char why[600];
		struct err ignore = ERR_INIT;
		bool ok = approvals_valid(&a, v, why, sizeof why, &ignore) == 1;
		const char **list = ok ? &held : &lost;
		*list = arena_printf(s->a, "%s %s%s%s", *list, v->shot, *v->shot ? "." : "", v->pass);
	}
	approvals_close(&a);
	if (!*lost) return arena_printf(s->a, "approved%s", held);
	return arena_printf(s->a, "%s%s%svoid%s", *held ? "approved" : "", held, *held ? ", " : "",
	                    lost);
}

/* The record timecode that the write behind a burnin carries, or "". */
static const char *start_of(const struct session *s, const struct net_node *nn)
{
	for (int i = 0; i < s->net->nnode; i++) {
		const struct net_node *w = s->net->node[i];
		const struct param *p = w->nconn && w->conn[0] == nn && (w->type->flags & NF_SINK)
			? param_find(w->type->params, "timecode") : NULL;
		const char *text = NULL;
		if (p) memcpy(&text, (const char *)w->ctx.v + p->off, sizeof text);
		if (text && *text) return text;
	}
	return "";
}

bool burn_tell(struct session *s, struct solve_over **over, int *n)
{
	const char *verb = s->c->verb ? s->c->verb->name : "", *rev = "", *state = "";
	bool locks = strcmp(verb, "lock") == 0 || strcmp(verb, "verify") == 0;
	int count = 0;
	for (int i = 0; i < s->net->nnode; i++) count += is_burnin(s->net->node[i]);
	if (!count) return false;
	if (!locks) {
		rev = word(session_rev(s), s->a);
		state = state_of(s);
	}
	struct solve_over *v = arena_alloc(s->a, (size_t)(*n + count), sizeof *v);
	for (int i = 0; i < *n; i++) v[i] = (*over)[i];
	for (int i = 0; i < s->net->nnode; i++) {
		const struct net_node *nn = s->net->node[i];
		if (!is_burnin(nn)) continue;
		struct attr *attr = arena_alloc(s->a, 4, sizeof *attr);
		const char *start = start_of(s, nn);
		attr[0] = (struct attr){ "cuts", cuts_of(s, nn), 0 };
		attr[1] = (struct attr){ "rev", rev, 0 };
		attr[2] = (struct attr){ "state", state, 0 };
		attr[3] = (struct attr){ "start", arena_strdup(s->a, start), 0 };
		v[(*n)++] = (struct solve_over){ arena_strdup(s->a, nn->id), attr, *start ? 4 : 3 };
	}
	*over = v;
	return true;
}
