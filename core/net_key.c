/* net_key - the SHA-256 of everything that determines one node's one frame (DESIGN section 3).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "net_int.h"

#include <stdlib.h>
#include <string.h>

struct memo { int node, frame; struct key key; };
struct keymemo { struct net *n; struct memo *slot; size_t used, cap; struct needs needs; decoder_of *as; const void *user; };

struct keymemo *keymemo_new(struct net *n)
{
	struct keymemo *m = xalloc(1, sizeof *m);
	m->n = n;
	m->cap = 1024;
	m->slot = xalloc(m->cap, sizeof *m->slot);
	for (size_t i = 0; i < m->cap; i++) m->slot[i].node = -1;
	return m;
}

void keymemo_decoders(struct keymemo *m, decoder_of *as, const void *user)
{
	m->as = as;
	m->user = user;
}

void keymemo_free(struct keymemo **m)
{
	if (!*m) return;
	free((*m)->slot);
	free(*m);
	*m = NULL;
}

static size_t memo_at(const struct keymemo *m, int node, int frame)
{
	uint64_t h = ((uint64_t)(uint32_t)node << 32 | (uint32_t)frame) * 0x9E3779B97F4A7C15u;
	size_t i = (size_t)(h >> 20) & (m->cap - 1);
	while (m->slot[i].node >= 0 && (m->slot[i].node != node || m->slot[i].frame != frame))
		i = (i + 1) & (m->cap - 1);
	return i;
}

static const struct key *memo_get(const struct keymemo *m, int node, int frame)
{
	size_t i = memo_at(m, node, frame);
	return m->slot[i].node >= 0 ? &m->slot[i].key : NULL;
}

static void memo_resize(struct keymemo *m, size_t cap, int from_frame)
{
	struct memo *old = m->slot;
	size_t n = m->cap;
	m->cap = cap;
	m->used = 0;
	m->slot = xalloc(cap, sizeof *m->slot);
	for (size_t i = 0; i < cap; i++) m->slot[i].node = -1;
	for (size_t i = 0; i < n; i++)
		if (old[i].node >= 0 && old[i].frame >= from_frame) {
			m->slot[memo_at(m, old[i].node, old[i].frame)] = old[i];
			m->used++;
		}
	free(old);
}

static void memo_put(struct keymemo *m, int node, int frame, const struct key *k)
{
	if (m->used * 2 >= m->cap) memo_resize(m, m->cap * 2, -0x7fffffff);
	size_t i = memo_at(m, node, frame);
	m->slot[i] = (struct memo){ node, frame, *k };
	m->used++;
}

void keymemo_drop_before(struct keymemo *m, int frame)
{
	if (m->used > 1 << 16) memo_resize(m, m->cap, frame);
}

static int clamp_frame(const struct net_node *nn, int frame)
{
	if (frame < nn->fmt.first) return nn->fmt.first;
	return frame > nn->fmt.last ? nn->fmt.last : frame;
}

/* Type, version, static surroundings: the part that no frame changes. */
static void hash_type(const struct net_node *nn, struct sha *s)
{
	sha_str(s, "interneg key 1");
	sha_u64(s, CORE_PIXELS);
	sha_str(s, nn->type->name);
	sha_str(s, nn->type->source_hash);
	sha_u64(s, (uint64_t)nn->type->version);
	format_hash(s, &nn->fmt);
	sha_str(s, colour_name(nn->ctx.working));
	uint64_t scale;
	memcpy(&scale, &nn->ctx.scale, sizeof scale);
	sha_u64(s, scale);
	sha_u64(s, nn->type->flags & NF_TIME ? nn->ctx.instance : 0);
}

static int hash_params(const struct net_node *nn, const void *v, const struct node_common *c, struct sha *s, struct err *e)
{
	if (params_hash(s, nn->type->params, v, e) < 0) return err_in(e, "node '%s'", nn->id);
	if (nn->type->flags & NF_MASKED) return params_hash(s, node_common_params, c, e);
	return 0;
}

static int static_key(struct net_node *nn, struct err *e)
{
	struct sha s;
	sha_init(&s);
	hash_type(nn, &s);
	if (!nn->animated && hash_params(nn, nn->ctx.v, &nn->common, &s, e) < 0) return -1;
	nn->static_key = sha_end(&s);
	nn->has_static_key = true;
	return 0;
}

/* What one frame of an animated node needs for its key: parameters, without opening. */
struct moment { struct node_ctx ctx; struct node_common common; struct arena *a; };

static int moment_at(struct net *n, const struct net_node *nn, int frame, struct moment *m, struct err *e)
{
	m->ctx = nn->ctx;
	m->common = nn->common;
	m->a = NULL;
	if (!nn->animated) return 0;
	m->a = arena_new();
	void *v = arena_alloc(m->a, 1, nn->type->size + 1);
	m->ctx.v = v;
	return bind_fill(n, nn, frame, v, &m->common, m->a, e);
}

struct todo { struct net_node *nn; int frame; };

/* Adds missing inputs to the stack; when none is missing works out the key. 1: waits, 0: done. */
static int key_step(struct keymemo *m, struct todo t, struct todo **stack, int *n, size_t *cap, struct err *e)
{
	struct net_node *nn = t.nn;
	struct moment mo;
	int before = *n, rc = -1;
	if (!nn->has_static_key && static_key(nn, e) < 0) return -1;
	if (moment_at(m->n, nn, t.frame, &mo, e) < 0) goto out;
	bool same = net_identity(nn, &mo.ctx);
	struct needs *nd = &m->needs;
	if (same) { nd->n = nd->ncore = 0; need_add(nd, 0, clamp_frame(nn->conn[0], t.frame), nn->fmt.data); }
	else net_needs(nn, &mo.ctx, t.frame, nn->fmt.data, nd);
	struct sha s;
	sha_init(&s);
	sha_key(&s, &nn->static_key);
	if (nn->animated && hash_params(nn, mo.ctx.v, &mo.common, &s, e) < 0) goto out;
	if (nn->type->flags & NF_TIME) sha_u64(&s, (uint64_t)(int64_t)t.frame);
	for (int i = 0; i < nd->n; i++) {
		struct net_node *src = nn->conn[nd->v[i].conn];
		if (!src) continue;
		int f = clamp_frame(src, nd->v[i].frame);
		const struct key *k = memo_get(m, src->index, f);
		if (!k) {
			*stack = grow(*stack, (size_t)*n, cap, sizeof **stack);
			(*stack)[(*n)++] = (struct todo){ src, f };
			continue;
		}
		if (same) {
			struct key copy = *k;
			memo_put(m, nn->index, t.frame, &copy);
			rc = 0;
			goto out;
		}
		sha_str(&s, nn->slot[nn->conn_slot[nd->v[i].conn]].name);
		sha_u64(&s, (uint64_t)nd->v[i].conn);
		sha_key(&s, k);
	}
	if (*n != before) { rc = 1; goto out; }
	const char *as = m->as ? m->as(m->user, nn) : NULL;
	if (nn->type->decoder) sha_str(&s, as ? as : nn->type->decoder(&mo.ctx));
	if (nn->type->content && nn->type->content(&mo.ctx, t.frame, &s, e) < 0) {
		err_in(e, "node '%s' frame %d", nn->id, t.frame);
		goto out;
	}
	struct key k = sha_end(&s);
	memo_put(m, nn->index, t.frame, &k);
	rc = 0;
out:
	if (mo.a) arena_free(&mo.a);
	return rc;
}

int net_key(struct keymemo *m, const struct net_node *nn, int frame, struct key *out, struct err *e)
{
	struct todo *stack = NULL;
	size_t cap = 0;
	int n = 0, rc = 0;
	frame = clamp_frame(nn, frame);
	const struct key *k = memo_get(m, nn->index, frame);
	if (!k) {
		stack = grow(NULL, 0, &cap, sizeof *stack);
		stack[n++] = (struct todo){ m->n->node[nn->index], frame };
	}
	while (n > 0 && rc >= 0) {
		struct todo t = stack[n - 1];
		if (memo_get(m, t.nn->index, t.frame)) { n--; continue; }
		rc = key_step(m, t, &stack, &n, &cap, e);
		if (rc == 0) n--;
	}
	free(stack);
	if (rc < 0) return -1;
	*out = *memo_get(m, nn->index, frame);
	return 0;
}
