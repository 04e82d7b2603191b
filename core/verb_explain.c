/* verb_explain - `interneg explain SCENE NODE -F N`: what the key of one frame of a node is made
 * of, and what the lock says has changed on the way up.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lockfile.h"
#include "mathx.h"

static void row(const char *name, const char *fmt, ...) IN_PRINTF(2, 3);
static void row(const char *name, const char *fmt, ...)
{
	va_list ap;
	printf("  %-22s ", name);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
}

static const char *short_hex(const struct key *k, char hex[65])
{
	key_hex(k, hex);
	hex[16] = 0;
	return hex;
}

static int explain_params(const struct param *table, const void *v, struct arena *a, struct err *e)
{
	for (const struct param *p = table; p && p->name; p++) {
		const char *text = param_text(p, v, a);
		struct key k;
		char hex[65];
		if (p->flags & PF_NOKEY) continue;
		if (p->flags & PF_MEDIA) row(p->name, "%s (by its content, below)", text);
		else if ((p->flags & PF_FILE) && strcmp(text, "\"\"") != 0) {
			if (hash_file(text, &k, e) < 0) return err_in(e, "%s", p->name);
			row(p->name, "%s (content %s)", text, short_hex(&k, hex));
		} else
			row(p->name, "%s", text);
	}
	return 0;
}

static void explain_format(const struct format *f)
{
	char frames[40] = "endless", rate[40] = "no rate";
	if (f->last != INT_MAX) snprintf(frames, sizeof frames, "%d-%d", f->first, f->last);
	if (f->fps.num) snprintf(rate, sizeof rate, "%d/%d a second", f->fps.num, f->fps.den);
	row("format", "%dx%d%+d%+d of %dx%d%+d%+d, pixel aspect %d/%d, frames %s, %s", rect_w(f->data),
	    rect_h(f->data), f->data.x0, f->data.y0, rect_w(f->display), rect_h(f->display),
	    f->display.x0, f->display.y0, f->par.num, f->par.den, frames, rate);
	row("colour space", "%s, encoded %s", colour_name(f->space), colour_name(f->encoded));
	printf("  %-22s", "channels");
	for (int i = 0; i < f->nch; i++) printf(" %s", f->ch[i]);
	printf("\n");
}

/* The inputs as the key takes them: one line a need, with the key of its frame. */
static int explain_inputs(struct keymemo *km, const struct net_node *nn, const struct node_ctx *ctx,
                          int frame, struct err *e)
{
	struct needs nd = { 0 };
	bool same = net_identity(nn, ctx);
	if (same) need_add(&nd, 0, frame, nn->fmt.data);
	else net_needs(nn, ctx, frame, nn->fmt.data, &nd);
	for (int i = 0; i < nd.n; i++) {
		const struct net_node *src = nn->conn[nd.v[i].conn];
		struct key k;
		char hex[65], slot[48];
		int f = nd.v[i].frame;
		if (!src) continue;
		if (net_key(km, src, f, &k, e) < 0) return -1;
		f = f < src->fmt.first ? src->fmt.first : f > src->fmt.last ? src->fmt.last : f;
		snprintf(slot, sizeof slot, "input %s", nn->slot[nn->conn_slot[nd.v[i].conn]].name);
		row(slot, "%s, frame %d, key %s%s", src->id, f, short_hex(&k, hex),
		    i >= nd.n - nd.ncore ? " (the core's: channels, alpha or mask)" : "");
	}
	if (same) row("nothing to do", "as it is set, the node passes its input on: the key is the input's");
	return 0;
}

static int explain_content(const struct net_node *nn, const struct node_ctx *ctx, int frame, struct err *e)
{
	struct sha s;
	char hex[65];
	if (!nn->type->content) return 0;
	sha_init(&s);
	if (nn->type->content(ctx, frame, &s, e) < 0) return err_in(e, "node '%s' frame %d", nn->id, frame);
	struct key k = sha_end(&s);
	row("content", "%s", short_hex(&k, hex));
	return 0;
}

static int explain_node(struct session *s, struct keymemo *km, const struct net_node *nn,
                        int frame, struct err *e)
{
	struct node_ctx ctx;
	struct node_common common;
	struct arena *a = arena_new();
	struct key k;
	char hex[65];
	int rc = -1;
	if (net_ctx_at(s->net, nn, frame, &ctx, &common, e) < 0) { arena_free(&a); return -1; }
	if (net_key(km, nn, frame, &k, e) < 0) goto out;
	key_hex(&k, hex);
	printf("%s frame %d\n", nn->id, frame);
	row("type", "%s, version %d, core %d", nn->type->name, nn->type->version, CORE_PIXELS);
	if (nn->type->source_hash) row("script", "%.16s", nn->type->source_hash);
	if (explain_params(nn->type->params, ctx.v, a, e) < 0) goto out;
	if ((nn->type->flags & NF_MASKED) && explain_params(node_common_params, &common, a, e) < 0) goto out;
	explain_format(&nn->fmt);
	row("working space", "%s", colour_name(ctx.working));
	char scale[40];
	mx_print(ctx.scale, scale);
	row("scale", "%s", scale);
	if (nn->type->flags & NF_TIME)
		row("frame number", "%d, instance %llu", frame, (unsigned long long)ctx.instance);
	if (explain_content(nn, &ctx, frame, e) < 0 || explain_inputs(km, nn, &ctx, frame, e) < 0) goto out;
	row("key", "%s", hex);
	rc = 0;
out:
	net_ctx_free(nn, &ctx);
	arena_free(&a);
	return rc;
}

/* --- against the lock --- */

static bool differs(const struct lock_facts *lock, const struct lock_facts *now, const char *kind,
                    const char *id)
{
	const char *a = lock_get(lock, kind, id), *b = lock_get(now, kind, id);
	return (a || b) && (!a || !b || strcmp(a, b) != 0);
}

static const char *line_kind(const struct net_node *nn)
{
	return nn->type->flags & NF_SINK ? "write" : "node";
}

/* Marks nn and everything above it; inputs stand before their users. */
static bool *upstream(const struct net *n, const struct net_node *nn)
{
	bool *up = xalloc((size_t)n->nnode + 1, sizeof *up);
	up[nn->index] = true;
	for (int i = nn->index; i >= 0; i--)
		for (int k = 0; up[i] && k < n->node[i]->nconn; k++)
			if (n->node[i]->conn[k]) up[n->node[i]->conn[k]->index] = true;
	return up;
}

/* What the lock holds of this node's own parameters and wiring: "param ID.NAME". */
static int tell_params(const struct net_node *nn, const struct lock_facts *lock, const struct lock_facts *now)
{
	int n = 0;
	char *head = xasprintf("param %s.", nn->id);
	for (int pass = 0; pass < 2; pass++) {
		const struct lock_facts *one = pass ? now : lock, *two = pass ? lock : now;
		for (int i = 0; i < one->n; i++) {
			const char *name = one->v[i].name, *v = one->v[i].value, *other = lock_value(two, name);
			if (strncmp(name, head, strlen(head)) != 0 || strchr(name + strlen(head), '.')) continue;
			if (other && (pass || strcmp(other, v) == 0)) continue;
			printf("    %s: locked %s, now %s\n", name + strlen(head), pass ? "(default)" : v,
			       pass ? v : other ? other : "(default)");
			n++;
		}
	}
	free(head);
	return n;
}

/* Lines of the lock that speak of this very node, or of what the whole scene shares. */
static int tell_causes(const struct net_node *nn, const struct lock_facts *lock, const struct lock_facts *now)
{
	static const char *const kinds[] = { "input", "model", "seed", "outside" };
	int n = 0;
	for (size_t i = 0; i < IN_COUNT(kinds); i++) {
		if (!differs(lock, now, kinds[i], nn->id)) continue;
		const char *a = lock_get(lock, kinds[i], nn->id), *b = lock_get(now, kinds[i], nn->id);
		printf("    %s: locked %s\n    %*s  now    %s\n", kinds[i], a ? a : "(absent)",
		       (int)strlen(kinds[i]), "", b ? b : "(absent)");
		n++;
	}
	return n + tell_params(nn, lock, now);
}

static bool of_kind(const char *name, const char *kind)
{
	size_t n = strlen(kind);
	return strncmp(name, kind, n) == 0 && name[n] == ' ';
}

/* Lines that are not of one node: program, scripts, graphs, LUT and other files. */
static int tell_shared(const struct lock_facts *lock, const struct lock_facts *now)
{
	static const char *const kinds[] = { "program", "script", "graph", "file" };
	int n = 0;
	for (int pass = 0; pass < 2; pass++) {
		const struct lock_facts *one = pass ? now : lock;
		for (int i = 0; i < one->n; i++) {
			size_t k = 0;
			while (k < IN_COUNT(kinds) && !of_kind(one->v[i].name, kinds[k])) k++;
			if (k == IN_COUNT(kinds)) continue;
			const char *id = strchr(one->v[i].name, ' ') + 1, *other = NULL;
			const struct lock_facts *two = pass ? lock : now;
			for (int j = 0; j < two->n && !other; j++)
				if (strcmp(two->v[j].name, one->v[i].name) == 0) other = two->v[j].value;
			if (other && (pass || strcmp(other, one->v[i].value) == 0)) continue;
			if (!n++) printf("  changed for the whole scene:\n");
			printf("    %s %s: %s\n", kinds[k], id,
			       other ? "another content" : pass ? "not in the lock" : "only in the lock");
		}
	}
	return n;
}

/* A node whose line differs though those of its inputs do not is where something changed. */
static bool is_root(const struct net_node *nn, const struct lock_facts *lock, const struct lock_facts *now)
{
	for (int k = 0; k < nn->nconn; k++)
		if (nn->conn[k] && differs(lock, now, line_kind(nn->conn[k]), nn->conn[k]->id)) return false;
	return true;
}

static void against_lock(const struct session *s, const struct net_node *nn,
                         const struct lock_facts *lock, const struct lock_facts *now)
{
	bool *up = upstream(s->net, nn);
	int n = 0;
	for (int i = 0; i <= nn->index; i++) {
		const struct net_node *at = s->net->node[i];
		if (!up[i] || !differs(lock, now, line_kind(at), at->id)) continue;
		if (!n++) printf("since the lock, on the way up:\n");
		bool root = is_root(at, lock, now);
		printf("  %s (%s) %s, %s:%d\n", at->id, at->type->name, root ? "changed itself" : "follows its inputs",
		       at->scene->file, at->elem ? at->elem->line : 0);
		if (root && !tell_causes(at, lock, now))
			printf("    none of its files, parameters and inputs: its format, its type or the program\n");
	}
	if (n) tell_shared(lock, now);
	else printf("as in the lock, with everything above it\n");
	free(up);
}

static int explain_lock(struct session *s, const struct net_node *nn, struct err *e)
{
	struct lock_facts lock = { 0 }, now = { 0 };
	char *path = lockfile_path(s->file);
	struct err none = ERR_INIT;
	int rc = 0;
	FILE *f = fopen(path, "rb");
	if (!f) printf("no lock beside the scene (%s)\n", path);
	else {
		fclose(f);
		rc = lock_read(path, &lock, &none) < 0 ? err_set(e, E_LOCK, "%s", none.msg)
			: lock_collect(s, &lock, &now, e);
		if (rc == 0) against_lock(s, nn, &lock, &now);
	}
	lock_facts_free(&lock);
	lock_facts_free(&now);
	free(path);
	return rc;
}

static int frame_of(const struct cli *c, const struct net_node *nn, int *frame, struct err *e)
{
	const struct format *f = nn->type->flags & NF_SINK && nn->nconn && nn->conn[0]
		? &nn->conn[0]->fmt : &nn->fmt;
	struct frame_list l = { 0 };
	*frame = f->first;
	if (!c->frames) return 0;
	if (frames_parse(c->frames, f->first, f->last, &l, e) < 0) return -1;
	int n = l.n;
	if (n) *frame = l.v[0];
	free(l.v);
	return n == 1 ? 0 : err_set(e, E_USAGE, "-F %s: explain wants one frame", c->frames);
}

int verb_explain(struct cli *c, struct err *e)
{
	struct session s;
	struct keymemo *km = NULL;
	int frame, rc = -1;
	if (c->narg != 2) return err_set(e, E_USAGE, "explain wants SCENE and NODE");
	if (session_open(&s, c, c->arg[0], WANT_NET, e) < 0) goto out;
	struct net_node *nn = net_find(s.net, c->arg[1]);
	if (!nn) { err_set(e, E_USAGE, "%s: no such write, pass or node", c->arg[1]); goto out; }
	if (frame_of(c, nn, &frame, e) < 0) goto out;
	km = keymemo_new(s.net);
	rc = explain_node(&s, km, nn, frame, e);
	if (rc == 0) rc = explain_lock(&s, nn, e);
out:
	keymemo_free(&km);
	session_close(&s);
	return rc;
}
