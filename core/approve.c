/* approve - see approve.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "approve.h"

#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"

enum { CLASS_FINAL = 2 };

void approvals_open(struct approvals *a, struct session *s)
{
	struct err none = ERR_INIT;
	char *path = lockfile_path(s->file);
	*a = (struct approvals){ .s = s, .decoders = -1 };
	a->has_lock = lock_read(path, &a->lock, &none) == 0;
	free(path);
}

void approvals_close(struct approvals *a)
{
	lock_facts_free(&a->lock);
	lock_facts_free(&a->now);
}

const struct net_pass *approvals_pass(const struct net *n, const char *shot, const char *pass)
{
	char *id = xasprintf("%s%s%s", shot, *shot ? "." : "", pass);
	const struct net_pass *found = NULL;
	for (int i = 0; i < n->npass && !found; i++)
		if (n->pass[i]->result && strcmp(n->pass[i]->id, id) == 0) found = n->pass[i];
	free(id);
	return found;
}

static const char *as_locked(const void *lock, const struct net_node *nn)
{
	return lock_decoder(lock, nn->id);
}

/* All frames of the result; of an endless one those that the writes cover. */
static int pass_hash(struct approvals *a, const struct net_pass *p, bool locked,
                     struct sha *sha, struct err *e)
{
	struct net *n = a->s->net;
	struct keymemo *km = keymemo_new(n);
	int first = p->result->fmt.first, last = p->result->fmt.last, rc = 0;
	if (locked) keymemo_decoders(km, as_locked, &a->lock);
	if (last == INT_MAX) lock_span(n, &first, &last);
	for (int f = first; f <= last && rc == 0; f++) {
		struct key k;
		rc = net_key(km, p->result, f, &k, e);
		sha_key(sha, &k);
	}
	keymemo_free(&km);
	return rc;
}

static int hash_as(struct approvals *a, const char *shot, const char *pass, bool locked,
                   char hex[APPROVE_DIGITS + 1], struct err *e)
{
	char whole[65];
	struct sha sha;
	sha_init(&sha);
	sha_str(&sha, "interneg approval 1");
	if (strcmp(pass, APPROVE_PICTURE) == 0) {
		struct picture pic;
		if (*shot) return err_set(e, E_USAGE, "the picture is that of the whole scene: it has no shot");
		if (picture_collect(a->s->net, &pic, e) < 0) return -1;
		struct key k = picture_hash(&pic);
		sha_key(&sha, &k);
		picture_free(&pic);
	} else {
		const struct net_pass *p = approvals_pass(a->s->net, shot, pass);
		if (!p)
			return err_set(e, E_USAGE, "%s: there is no pass '%s%s%s'", a->s->file, shot,
			               *shot ? "." : "", pass);
		if (pass_hash(a, p, locked, &sha, e) < 0) return -1;
	}
	struct key k = sha_end(&sha);
	key_hex(&k, whole);
	snprintf(hex, APPROVE_DIGITS + 1, "%.*s", APPROVE_DIGITS, whole);
	return 0;
}

int approvals_hash(struct approvals *a, const char *shot, const char *pass,
                   char hex[APPROVE_DIGITS + 1], struct err *e)
{
	return hash_as(a, shot, pass, false, hex, e);
}

static size_t pixels_part(const char *v)
{
	const char *at = strstr(v, " decoder ");
	return at ? (size_t)(at - v) : strlen(v);
}

/* Whether the lock's sources are decoded by something else here, and to the same frames. */
static int look_at_decoders(struct approvals *a, struct err *e)
{
	const struct net *n = a->s->net;
	if (a->decoders >= 0) return 0;
	a->decoders = 0;
	for (int i = 0; i < n->nnode && a->has_lock; i++) {
		const struct net_node *nn = n->node[i];
		const char *as = nn->type->decoder ? lock_decoder(&a->lock, nn->id) : NULL;
		if (!as || strcmp(as, nn->type->decoder(&nn->ctx)) == 0) continue;
		if (lock_decoded(a->s, nn->id, &a->now, e) < 0) return -1;
		const char *was = lock_get(&a->lock, "decoded", nn->id), *is = lock_get(&a->now, "decoded", nn->id);
		size_t len = pixels_part(was);
		bool same = is && len == pixels_part(is) && strncmp(was, is, len) == 0;
		if (!same) a->decoders = 2;
		else if (a->decoders == 0) a->decoders = 1;
	}
	return 0;
}

/* The nearest thing to a reason that the lock can give: the first node on
 * the way up that is not as locked. */
static void blame(struct approvals *a, const struct net_pass *p, char *why, size_t n)
{
	struct lock_facts now = { 0 };
	struct err e = ERR_INIT;
	const struct net *net = a->s->net;
	bool *up = xalloc((size_t)net->nnode + 1, sizeof *up);
	if (!a->has_lock || lock_collect(a->s, &a->lock, &now, &e) < 0) goto out;
	up[p->result->index] = true;
	for (int i = p->result->index; i >= 0; i--)
		for (int k = 0; up[i] && k < net->node[i]->nconn; k++)
			if (net->node[i]->conn[k]) up[net->node[i]->conn[k]->index] = true;
	for (int i = 0; i <= p->result->index; i++) {
		const struct net_node *nn = net->node[i];
		const char *was = lock_get(&a->lock, "node", nn->id), *is = lock_get(&now, "node", nn->id);
		if (!up[i] || (was && is && strcmp(was, is) == 0)) continue;
		size_t len = strlen(why);
		snprintf(why + len, n - len, "; since the lock '%s' changed, line %d", nn->id,
		         nn->elem ? nn->elem->line : 0);
		break;
	}
out:
	lock_facts_free(&now);
	free(up);
}

int approvals_valid(struct approvals *a, const struct approve *v, char *why, size_t n, struct err *e)
{
	char now[APPROVE_DIGITS + 1], then[APPROVE_DIGITS + 1];
	bool picture = strcmp(v->pass, APPROVE_PICTURE) == 0;
	const struct net_pass *p = picture ? NULL : approvals_pass(a->s->net, v->shot, v->pass);
	why[0] = 0;
	if (picture ? *v->shot != 0 : !p) {
		snprintf(why, n, "%s", picture ? "the picture has no shot" : "there is no such pass");
		return 0;
	}
	if (approvals_hash(a, v->shot, v->pass, now, e) < 0) return -1;
	if (strcmp(now, v->hash) == 0) return 1;
	if (!picture && a->has_lock) {
		if (hash_as(a, v->shot, v->pass, true, then, e) < 0) return -1;
		bool as = strcmp(then, v->hash) == 0;
		if (as && look_at_decoders(a, e) < 0) return -1;
		if (as && a->decoders < 2) {
			snprintf(why, n, "another decoder than the lock's, the same frames");
			return 1;
		}
		if (as) {
			snprintf(why, n, "another decoder than the lock's, and other frames");
			return 0;
		}
	}
	snprintf(why, n, "%s changed: its hash is %s now", picture ? "sources or edit" : "the pixels", now);
	if (p) blame(a, p, why, n);
	return 0;
}

/* --- what a final wants --- */

static bool is_solved(const struct net_node *nn)
{
	const struct param *p = (nn->type->flags & NF_SOLVE) ? param_find(nn->type->params, "solved") : NULL;
	const char *text = NULL;
	if (p) memcpy(&text, (const char *)nn->ctx.v + p->off, sizeof text);
	return text && *text;
}

/* A pass's id as shot and pass. */
static void split(const char *id, char *shot, size_t n, const char **pass)
{
	const char *dot = strrchr(id, '.');
	snprintf(shot, n, "%.*s", dot ? (int)(dot - id) : 0, id);
	*pass = dot ? dot + 1 : id;
}

struct asking {
	struct approvals *a; const struct net_node *write; enum diag_level level;
	struct diags *d; int n;
};

static void lack(struct asking *q, const char *hint, const char *fmt, ...) IN_PRINTF(3, 4);
static void lack(struct asking *q, const char *hint, const char *fmt, ...)
{
	char where[300], msg[900];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(msg, sizeof msg, fmt, ap);
	va_end(ap);
	diag_add(q->d, q->level, q->level == DIAG_ERROR ? E_RULE : E_OK, q->write->scene->file, q->write->elem->line,
	         elem_where(q->write->elem, where, sizeof where), hint, "%s", msg);
	q->n++;
}

/* One approval, of any role, must hold; what: "the look", "the solved values of 'base'". */
static int want(struct asking *q, const char *shot, const char *pass, const char *what, struct err *e)
{
	const struct scene *s = q->a->s->scene;
	const struct approve *stale = NULL;
	char why[600] = "", said[600] = "";
	for (int i = 0; i < s->napprove; i++) {
		const struct approve *v = &s->approve[i];
		if (strcmp(v->shot, shot) != 0 || strcmp(v->pass, pass) != 0) continue;
		int ok = approvals_valid(q->a, v, why, sizeof why, e);
		if (ok < 0) return -1;
		if (ok) return 0;
		stale = v;
		snprintf(said, sizeof said, "%s", why);
	}
	char *hint = xasprintf("look at it, then: interneg approve %s%s%s --pass %s --by NAME --role "
	                       "ROLE", q->a->s->file, *shot ? " --shot " : "", shot, pass);
	char *of = *shot ? xasprintf(" of shot '%s'", shot) : xstrdup("");
	if (stale)
		lack(q, hint, "class final: %s%s: the approval of line %d (%s, %s) is void: %s", what, of,
		     stale->line, stale->by, stale->role, said);
	else lack(q, hint, "class final: %s%s: not approved", what, of);
	free(hint);
	free(of);
	return 0;
}

/* Looks and solved values above one write. */
static int demand_passes(struct asking *q, struct err *e)
{
	const struct net *n = q->a->s->net;
	bool *up = xalloc((size_t)n->nnode + 1, sizeof *up), *above = xalloc((size_t)n->npass + 1, sizeof *above);
	const struct net_node **solved = xalloc((size_t)n->npass + 1, sizeof *solved);
	int rc = 0;
	up[q->write->index] = true;
	for (int i = q->write->index; i >= 0; i--) {
		const struct net_node *nn = n->node[i];
		for (int k = 0; up[i] && k < nn->nconn; k++)
			if (nn->conn[k]) up[nn->conn[k]->index] = true;
		if (!up[i]) continue;
		for (int k = 0; k < n->npass; k++) {
			if (n->pass[k] != nn->pass) continue;
			above[k] = true;
			if (is_solved(nn)) solved[k] = nn;
		}
		if (!nn->pass && is_solved(nn))
			lack(q, "put it into a pass", "class final: the solved values of '%s' stand in no pass "
			     "that could be approved", nn->id);
	}
	for (int k = 0; k < n->npass && rc == 0; k++) {
		char shot[300], *what = NULL;
		const char *pass;
		bool look = n->pass[k]->pass->kind && strcmp(n->pass[k]->pass->kind, "look") == 0;
		if (!above[k] || !(look || solved[k])) continue;
		split(n->pass[k]->id, shot, sizeof shot, &pass);
		what = look ? xasprintf("the look, pass '%s'", pass)
			: xasprintf("the solved values of '%s', pass '%s'", solved[k]->id, pass);
		rc = want(q, shot, pass, what, e);
		free(what);
	}
	free(up);
	free(above);
	free(solved);
	return rc;
}

static bool is_final(const struct net_node *nn)
{
	const struct param *p = param_find(nn->type->params, "class");
	int v = 0;
	if (p && (nn->type->flags & NF_SINK)) memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	return v == CLASS_FINAL;
}

int approvals_demand(struct approvals *a, enum diag_level level, struct diags *d, struct err *e)
{
	const struct net *n = a->s->net;
	int count = 0;
	for (int i = 0; i < n->nwrite; i++) {
		struct asking q = { a, n->write[i], level, d, 0 };
		if (!is_final(n->write[i])) continue;
		if (a->s->c->proxy > 1) lack(&q, "leave --proxy out", "class final: a final is rendered at full size");
		else if (want(&q, "", APPROVE_PICTURE, "the picture", e) < 0 || demand_passes(&q, e) < 0) return -1;
		count += q.n;
	}
	return count;
}
