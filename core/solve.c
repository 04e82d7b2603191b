/* solve - runs what a node wants measured and turns it into plain attributes.
 *
 * Samples stand evenly over the shot and are taken at the nearest ancestor above any AI process, so that a
 * model's whims never colour a measurement.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "px_colour.h"
#include "seqname.h"
#include "session.h"
#include "shots.h"
#include "verb_bake.h"
#include "textfile.h"

enum { SOLVE_SAMPLES = 8 };

bool node_is_unsolved(const struct net_node *nn)
{
	if (!(nn->type->flags & NF_SOLVE) || nn->group || !nn->elem) return false;
	for (int i = 0; i < nn->nbind; i++) {
		const struct bind *b = &nn->bind[i];
		if (!(b->p->flags & PF_SOLVED)) continue;
		if (b->kind != BIND_CONST) return false;
		struct value def;
		struct arena *a = arena_new();
		bool same = value_default(b->p, a, &def) == 0 && memcmp(def.v, b->val.v, sizeof def.v) == 0 &&
		            strcmp(def.s ? def.s : "", b->val.s ? b->val.s : "") == 0;
		arena_free(&a);
		if (!same) return false;
	}
	for (int i = 0; i < nn->elem->nattr; i++) {
		const struct param *p = param_find(nn->type->params, nn->elem->attr[i].name);
		if (p && (p->flags & PF_SOLVED)) return false;   /* set by hand, even to the default */
	}
	return true;
}

/* Above the topmost AI process on the way up; else the input itself. */
static struct net_node *measured(struct net_node *from)
{
	struct net_node *at = from;
	for (struct net_node *n = from; n; n = n->nconn ? n->conn[0] : NULL)
		if ((n->traits & TR_AI) && n->nconn && n->conn[0]) at = n->conn[0];
	return at;
}

static void spread_over(int first, int last, int *frame, int *n)
{
	int count = last - first + 1;
	*n = count < SOLVE_SAMPLES ? count : SOLVE_SAMPLES;
	for (int i = 0; i < *n; i++) frame[i] = first + (int)(((int64_t)(2 * i + 1) * count) / (2 * *n));
}
static void spread(const struct format *f, int *frame, int *n)
{
	spread_over(f->first, f->last == INT_MAX ? f->first + 99 : f->last, frame, n);
}

/* --- shots of a clip --- */

struct solve_shots { struct solve_shots *next; char *path; struct shot *v; int n; };

void solve_forget(struct session *s)
{
	for (struct solve_shots *p = s->shots, *next; p; p = next) {
		next = p->next;
		free(p->path);
		free(p->v);
		free(p);
	}
	s->shots = NULL;
}

/* The clip whose frames a node shows one for one, or NULL: stills, sequences, what is cut or retimed. */
static const char *clip_of(const struct net_node *n)
{
	while (n && !(n->type->traits & (TR_SOURCE | TR_RETIME | TR_DISSOLVE))) n = n->nconn ? n->conn[0] : NULL;
	const struct param *p = n && strcmp(n->type->name, "read") == 0 && n->fmt.last > n->fmt.first
		? param_find(n->type->params, "file") : NULL;
	const char *file = NULL;
	if (p) memcpy(&file, (const char *)n->ctx.v + p->off, sizeof file);
	return file && *file && !seq_is_pattern(file) ? file : NULL;
}

/* Found once a clip; NULL when it cannot be told. */
static const struct solve_shots *shots_of(struct session *s, const struct net_node *n)
{
	const char *path = clip_of(n);
	struct err none = ERR_INIT;
	if (!path) return NULL;
	for (struct solve_shots *p = s->shots; p; p = p->next)
		if (strcmp(p->path, path) == 0) return p;
	struct solve_shots *p = xalloc(1, sizeof *p);
	p->path = xstrdup(path);
	if (shots_find(path, NULL, &p->v, &p->n, &none) < 0) p->n = 0;
	p->next = s->shots;
	return s->shots = p;
}

/* One correction cannot be right on both sides of a cut: the longest shot is
 * measured, and the others are told of. */
static void one_shot(struct session *s, const struct net_node *m, const char *what, int *frame,
                     int *n, char *note, size_t room)
{
	const struct solve_shots *p = shots_of(s, m);
	int most = 0, first = 0, last = 0, here = 0, end = m->fmt.last == INT_MAX ? m->fmt.first + 99 : m->fmt.last;
	for (int i = 0; p && i < p->n; i++) {
		int a = p->v[i].first > m->fmt.first ? p->v[i].first : m->fmt.first,
			b = p->v[i].last < end ? p->v[i].last : end;
		if (b < a) continue;
		here++;
		if (b - a < most && most) continue;
		if (b - a + 1 > most) { most = b - a + 1; first = a; last = b; }
	}
	if (here < 2) return;
	spread_over(first, last, frame, n);
	size_t len = strlen(note);
	snprintf(note + len, room - len, "; the %s holds %d shots, of which %d-%d is measured: trim "
	         "them apart", what, here, first, last);
}

struct gathered {
	const struct net_node *node; int frame[SOLVE_SAMPLES], n; struct image *im[SOLVE_SAMPLES];
};

static int solve_conn(const struct net_node *nn, const char *slot)
{
	for (int i = 0; i < nn->nconn; i++)
		if (nn->conn[i] && strcmp(nn->slot[nn->conn_slot[i]].name, slot) == 0) return i;
	return -1;
}

static bool one_frame_of(const struct net_node *nn, int k)
{
	const struct param *p = param_find(nn->type->params, "frame");
	return k == 0 && p && p->type == PT_INT;
}

/* What solve measures: the picture, what it is held against, and the masks that go with each. */
enum { GATHER = 4 };
static const char *const gather_slot[GATHER] = { "", "reference", "region", "reference_region" };

/* A type with frame= is measured on that one (0: the middle), and where it stands:
 * its rect= counts pixels there. */
static bool one_frame(const struct net_node *nn, int *frame)
{
	const struct param *p = param_find(nn->type->params, "frame");
	const struct format *f = &nn->conn[0]->fmt;
	if (!p || p->type != PT_INT) return false;
	int last = f->last == INT_MAX ? f->first + 99 : f->last;
	memcpy(frame, (const char *)nn->ctx.v + p->off, sizeof *frame);
	if (*frame == 0) *frame = f->first + (last - f->first) / 2;
	if (*frame < f->first) *frame = f->first;
	if (*frame > last) *frame = last;
	return true;
}

/* The node measured for one of them and its frames; NULL when it is not connected. A
 * mask stands on its picture's frames. */
static struct net_node *source(const struct net_node *nn, int k, int *frame, int *n)
{
	int conn = k ? solve_conn(nn, gather_slot[k]) : 0;
	if (conn < 0 || conn >= nn->nconn || !nn->conn[conn]) return NULL;
	if (k == 0 && one_frame(nn, frame)) {
		*n = 1;
		return nn->conn[0];
	}
	if (k < 2) {
		struct net_node *m = measured(nn->conn[conn]);
		spread(&m->fmt, frame, n);
		return m;
	}
	return source(nn, k - 2, frame, n) ? nn->conn[conn] : NULL;
}

/* The topmost node of the scene between what is measured and what is to be corrected: a balance
 * below a network, of which the match after it has to know. NULL: there is none. */
static struct net_node *between(const struct net_node *nn, int k, const struct net_node *from)
{
	int conn = k ? solve_conn(nn, gather_slot[k]) : 0;
	struct net_node *top = NULL, *last = nn->conn[conn];
	bool ai = false;
	for (struct net_node *n = last; n && n != from; n = n->nconn ? n->conn[0] : NULL) {
		if (n->traits & TR_AI) ai = true;
		else if (!ai && !n->group && !strchr(n->id, '/')) top = n;
		/* below several networks the lowest counts: what stands above it was seen by it */
	}
	return top;
}

/* What stands between is done to the sample, colour by colour. Where it is no function
 * of a colour alone it is left out. */
static void correct(struct session *s, const struct net_node *nn, int k, struct gathered *g,
                    char *said, size_t room)
{
	struct net_node *top = between(nn, k, g->node), *last = nn->conn[k ? solve_conn(nn, gather_slot[k]) : 0];
	struct err e = ERR_INIT;
	struct look l;
	int rc;
	if (!top) return;
	while (last && (last->group || strchr(last->id, '/'))) last = last->nconn ? last->conn[0] : NULL;
	if (!last) return;
	if ((rc = look_open(&l, s, top->id, last->id, &e)) == 0) {
		for (int i = 0; i < g->n && rc == 0; i++) {
			struct image *im = g->im[i];
			int ch[3] = { -1, -1, -1 };
			for (int c = 0; im && c < 3; c++) ch[c] = format_channel(&im->fmt, (const char *[]){ "R", "G", "B" }[c]);
			if (!im || ch[0] < 0 || ch[1] < 0 || ch[2] < 0) continue;
			look_spaces(&l, im->fmt.space, last->fmt.space);
			for (int y = im->view.r.y0; y < im->view.r.y1 && rc == 0; y++)
				rc = look_run(&l, view_at(&im->view, ch[0], im->view.r.x0, y),
				              view_at(&im->view, ch[1], im->view.r.x0, y),
				              view_at(&im->view, ch[2], im->view.r.x0, y),
				              (size_t)rect_w(im->view.r), &e);
			im->fmt.space = last->fmt.space;
		}
	}
	look_close(&l);
	size_t len = strlen(said);
	if (rc < 0)
		snprintf(said + len, room - len,
		         "; measured without '%s', which is no function of a colour", top->id);
}

int solve_key(struct session *s, struct net_node *nn, char out[65], struct err *e)
{
	struct keymemo *km = keymemo_new(s->net);
	struct sha h;
	int rc = -1, n = 0, frame[SOLVE_SAMPLES];
	sha_init(&h);
	for (int k = 0; k < GATHER; k++) {
		const struct net_node *m = source(nn, k, frame, &n);
		for (int i = 0; m && i < n; i++) {
			struct key key;
			if (net_key(km, m, frame[i], &key, e) < 0) goto out;
			sha_key(&h, &key);
		}
		struct net_node *top = m && k < 2 ? between(nn, k, m) : NULL,
			*at = top ? nn->conn[k ? solve_conn(nn, "reference") : 0] : NULL;
		struct key below;
		if (at && net_key(km, at, at->fmt.first, &below, e) < 0) goto out;
		for (; at; at = at == top || !at->nconn ? NULL : at->conn[0]) sha_key(&h, &at->static_key);
	}
	struct key key = sha_end(&h);
	key_hex(&key, out);
	out[16] = 0;
	rc = 0;
out:
	keymemo_free(&km);
	return rc;
}

struct collect { struct gathered *g; int ng; struct pool *pool; };

static int take(void *user, const struct net_node *n, int frame, const struct image *im, struct err *e)
{
	struct collect *c = user;
	for (int k = 0; k < c->ng; k++)
		for (int i = 0; c->g[k].node == n && i < c->g[k].n; i++) {
			if (c->g[k].frame[i] != frame || c->g[k].im[i]) continue;
			struct image *copy = image_new(c->pool, &im->fmt, "sample", e);
			if (!copy) return -1;
			for (int ch = 0; ch < im->fmt.nch; ch++)
				for (int y = im->view.r.y0; y < im->view.r.y1; y++)
					memcpy(view_at(&copy->view, ch, im->view.r.x0, y), view_at(&im->view, ch, im->view.r.x0, y),
					       (size_t)rect_w(im->view.r) * sizeof(float));
			c->g[k].im[i] = copy;
		}
	return 0;
}

/* Brings a sample into the space that the node works in. */
static void to_space(struct image *im, int space)
{
	struct colour_xform x;
	int r = format_channel(&im->fmt, "R"), g = format_channel(&im->fmt, "G"), b = format_channel(&im->fmt, "B");
	if (im->fmt.space == space || r < 0 || g < 0 || b < 0) return;
	colour_xform_init(&x, im->fmt.space, space);
	for (int y = im->view.r.y0; y < im->view.r.y1; y++)
		colour_row(&x, view_at(&im->view, r, im->view.r.x0, y), view_at(&im->view, g, im->view.r.x0, y),
		           view_at(&im->view, b, im->view.r.x0, y), rect_w(im->view.r));
	im->fmt.space = space;
}

static int gather_all(struct session *s, struct net_node *nn, struct gathered g[GATHER], char *said,
                      size_t room, struct err *e)
{
	struct collect col = { g, GATHER, s->pool };
	for (int k = 0; k < GATHER; k++) {
		struct net_node *m = source(nn, k, g[k].frame, &g[k].n);
		if (!m) { g[k].n = 0; continue; }
		g[k].node = m;
		if (k < 2 && !one_frame_of(nn, k))
			one_shot(s, m, k ? "reference" : "clip", g[k].frame, &g[k].n, said, room);
		if (k >= 2) { g[k].n = g[k - 2].n; memcpy(g[k].frame, g[k - 2].frame, sizeof g[k].frame); }
		char list[SOLVE_SAMPLES * 12] = "";
		for (int i = 0; i < g[k].n; i++)
			snprintf(list + strlen(list), 12, "%s%d", i ? "," : "", g[k].frame[i]);
		net_ask(s->net, &m, 1);
		struct render_opts o = session_opts(s);
		struct render_stats st = { 0 };
		o.frames = list;
		o.result = take;
		o.user = &col;
		o.trace = NULL;
		int rc = render_run(s->net, &o, &st, e);
		diags_free(&st.problems);
		if (rc < 0) return err_in(e, "solve '%s'", nn->id);
		if (k < 2 && !one_frame_of(nn, k)) correct(s, nn, k, &g[k], said, room);
		const struct net_node *in = nn->conn[k ? solve_conn(nn, gather_slot[k]) : 0];
		for (int i = 0; i < g[k].n && k < 2; i++)
			if (g[k].im[i]) to_space(g[k].im[i], in->fmt.space);
	}
	return 0;
}

/* The picture of group k that goes with the i-th of n. */
static const struct image *beside(const struct gathered *g, int i, int n)
{
	return g->n ? g->im[i * g->n / n] : NULL;
}

static int call_solve(struct net_node *nn, struct gathered g[GATHER], struct solve_call *call, struct err *e)
{
	struct solve_sample v[SOLVE_SAMPLES] = { { 0, NULL, NULL, NULL, NULL } };
	int n = g[0].n;
	call->n = &nn->ctx;
	call->sample = v;
	for (int i = 0; i < n; i++)
		if (g[0].im[i])
			v[call->nsamples++] = (struct solve_sample){ g[0].frame[i], g[0].im[i], beside(&g[1], i, n),
				beside(&g[2], i, n), beside(&g[3], i, n) };
	if (!call->nsamples) return err_set(e, E_INPUT, "solve '%s': no frame could be measured", nn->id);
	return nn->type->solve(call, e);
}

static void remember(struct session *s, const struct net_node *nn, const struct solve_call *call,
                     const char *key)
{
	struct attr *a = arena_alloc(s->a, (size_t)call->nattr + 1, sizeof *a);
	for (int i = 0; i < call->nattr; i++)
		a[i] = (struct attr){ call->attr[i].name, arena_strdup(s->a, call->attr[i].value), 0 };
	a[call->nattr] = (struct attr){ "solved", arena_strdup(s->a, key), 0 };
	s->over = xrealloc(s->over, (size_t)s->nover + 1, sizeof *s->over);
	s->over[s->nover++] = (struct solve_over){ arena_strdup(s->a, nn->id), a, call->nattr + 1 };
}

static void print_proposal(const struct session *s, const struct net_node *nn,
                           const struct solve_call *call, const char *key)
{
	char esc[2000];
	if (s->c->json) {
		json_escape(esc, sizeof esc, call->note);
		printf("{\"node\":\"%s\",\"confidence\":%.3f,\"solved\":\"%s\",\"note\":\"%s\",\"attributes\":{",
		       nn->id, call->confidence, key, esc);
		for (int i = 0; i < call->nattr; i++)
			printf("%s\"%s\":\"%s\"", i ? "," : "", call->attr[i].name, call->attr[i].value);
		printf("}}\n");
		return;
	}
	printf("%s:%d: <%s id=\"%s\"", nn->scene->file, nn->elem->line, nn->elem->tag, nn->id);
	for (int i = 0; i < call->nattr; i++) printf(" %s=\"%s\"", call->attr[i].name, call->attr[i].value);
	printf(" solved=\"%s\"/>\n  confidence %.2f; %s\n", key, call->confidence, call->note);
}

/* What is not sure enough is not applied: the node stays as the author left it. For one render
 * without writing, which has to do something with it, that is nothing at all. */
static void refuse(struct session *s, const struct net_node *nn, const struct solve_call *call,
                   const char *key)
{
	log_warn("%s:%d: '%s' is not applied: confidence %.2f is below %.2f (%s); --unsure applies it all the same",
	         nn->scene->file, nn->elem->line, nn->id, call->confidence, SOLVE_SURE, call->note);
	struct solve_call nothing = { 0 };
	s->nrefused++;
	if (!s->c->apply && node_is_unsolved(nn)) remember(s, nn, &nothing, key);
}

/* The table goes to the path in bake=, when what is proposed is written; lut= then names it as bake= does. */
static int bake_table(struct session *s, const struct net_node *nn, struct solve_call *call, struct err *e)
{
	const struct param *p = param_find(nn->type->params, "bake");
	const char *path = NULL, *text = NULL;
	if (p) memcpy(&path, (const char *)nn->ctx.v + p->off, sizeof path);
	for (int i = 0; i < nn->elem->nattr; i++)
		if (strcmp(nn->elem->attr[i].name, "bake") == 0) text = nn->elem->attr[i].value;
	if (!path || !*path || !text || call->nattr == (int)IN_COUNT(call->attr)) return 0;
	if (!s->c->apply || (call->confidence < SOLVE_SURE && !s->c->unsure)) {
		size_t n = strlen(call->note);
		snprintf(call->note + n, sizeof call->note - n, "; --apply writes the table %s", text);
		return 0;
	}
	if (text_write(path, call->table, e) < 0) return err_in(e, "'%s'", nn->id);
	struct solve_attr *a = &call->attr[call->nattr++];
	a->name = "lut";
	snprintf(a->value, sizeof a->value, "%s", text);
	return 0;
}

static int solve_one(struct session *s, struct net_node *nn, bool tell, struct err *e)
{
	struct gathered g[GATHER] = { 0 };
	struct solve_call call = { 0 };
	char key[65], shots[300] = "";
	int rc = -1;
	if (!nn->type->solve) return err_set(e, E_USAGE, "'%s' (%s) has nothing to solve", nn->id, nn->type->name);
	if (solve_key(s, nn, key, e) < 0 || gather_all(s, nn, g, shots, sizeof shots, e) < 0) goto out;
	if (call_solve(nn, g, &call, e) < 0) goto out;
	snprintf(call.note + strlen(call.note), sizeof call.note - strlen(call.note), "%s", shots);
	if (shots[0]) call.confidence *= 0.5;
	s->confidence = call.confidence;
	memcpy(s->said, call.note, sizeof s->said);
	if (call.table && bake_table(s, nn, &call, e) < 0) goto out;
	if (tell) print_proposal(s, nn, &call, key);
	if (call.confidence >= SOLVE_SURE || s->c->unsure) remember(s, nn, &call, key);
	else refuse(s, nn, &call, key);
	rc = 0;
out:
	free(call.table);
	for (int k = 0; k < GATHER; k++)
		for (int i = 0; i < g[k].n; i++) image_unref(&g[k].im[i]);
	return rc;
}

int session_solve(struct session *s, const char *node, bool only_unsolved, bool tell, struct err *e)
{
	int solved = 0;
	size_t cap = 0;
	const char **ids = NULL;
	int n = 0;
	for (int i = 0; i < s->net->nnode; i++) {
		struct net_node *nn = s->net->node[i];
		if (!(nn->type->flags & NF_SOLVE) || (node && strcmp(node, nn->id) != 0)) continue;
		if (only_unsolved && !node_is_unsolved(nn)) continue;
		ids = grow(ids, (size_t)n, &cap, sizeof *ids);
		ids[n++] = arena_strdup(s->a, nn->id);
	}
	if (node && !n) {
		struct net_node *nn = net_find(s->net, node);
		free(ids);
		return err_set(e, E_USAGE, nn ? "'%s' has nothing to solve" : "no node '%s'", node);
	}
	for (int i = 0; i < n; i++) {
		/* what lies below sees what was solved above */
		if (session_net(s, NULL, e) < 0) goto fail;
		if (solve_one(s, net_find(s->net, ids[i]), tell, e) < 0) goto fail;
		solved++;
	}
	free(ids);
	return session_net(s, s->c->only, e) < 0 ? -1 : solved;
fail:
	free(ids);
	return -1;
}
