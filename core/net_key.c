/* net_key - the SHA-256 of everything that determines one node's one frame (DESIGN section 3).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "net_int.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "skin.h"

/* Keys of one frame: those of all nodes, and which of them are known. */
struct slab { int frame; struct slab *next; uint8_t *known; struct key key[]; };

/* How a node's key is made. FIXED: the message differs between frames in the keys of its inputs and in
 * the frame number only, so its other bytes are written once. */
enum fact_kind { FACT_NEW, FACT_GENERAL, FACT_IDENTITY, FACT_FIXED };
struct fact_in { int node, first, last; size_t at; };   /* an input, its range, and where in text its key goes */
struct fact {
	enum fact_kind kind;
	int n; struct fact_in *in;
	struct sha start; uint8_t *text; size_t len;   /* the state after the static part, and what follows */
	bool numbered;                       /* text begins with the frame number */
};

/* Keys of intermediates outlive the slabs: whoever asks for them again need not go up the graph again. */
struct kept { int node, frame; struct key key; };

struct keymemo {
	struct net *n;
	struct fact *fact; struct arena *a;
	struct slab **slot; size_t cap;      /* by frame, open addressing */
	struct slab *last;                   /* the one that was asked for last */
	/* what the node `swept` needs at its own frame, in order; -1: none yet */
	int swept, *sweep, nsweep;
	struct kept *kept; size_t nkept, ckept;        /* open addressing, node -1: free */
	struct slab *spare;
	size_t live, check;                  /* slabs; how many make it worth looking for old ones */
	struct needs needs;
	decoder_of *as; const void *user;    /* other decoders than those at hand */
};

enum { MEMO_KEYS = 1 << 19 };         /* kept at least: 16 MiB; of intermediates at most */

static size_t check_at(const struct keymemo *m)
{
	size_t least = MEMO_KEYS / ((size_t)m->n->nnode + 1) + 1;
	return m->live * 2 > least ? m->live * 2 : least;
}

struct keymemo *keymemo_new(struct net *n)
{
	struct keymemo *m = xalloc(1, sizeof *m);
	m->n = n;
	m->a = arena_new();
	m->fact = xalloc((size_t)n->nnode + 1, sizeof *m->fact);
	m->cap = 64;
	m->slot = xalloc(m->cap, sizeof *m->slot);
	m->check = check_at(m);
	m->swept = -1;
	return m;
}

void keymemo_decoders(struct keymemo *m, decoder_of *as, const void *user)
{
	m->as = as;
	m->user = user;
}

void keymemo_free(struct keymemo **mp)
{
	struct keymemo *m = *mp;
	if (!m) return;
	for (size_t i = 0; i < m->cap; i++) free(m->slot[i]);
	for (struct slab *s = m->spare, *next; s; s = next) {
		next = s->next;
		free(s);
	}
	free(m->slot);
	free(m->kept);
	free(m->sweep);
	free(m->fact);
	arena_free(&m->a);
	free(m);
	*mp = NULL;
}

static size_t slab_at(const struct keymemo *m, int frame)
{
	uint64_t h = (uint64_t)(uint32_t)frame * 0x9E3779B97F4A7C15u;
	size_t i = (size_t)(h >> 32) & (m->cap - 1);
	while (m->slot[i] && m->slot[i]->frame != frame) i = (i + 1) & (m->cap - 1);
	return i;
}

/* Only slabs of frames from first on stay. */
static void slabs_rehash(struct keymemo *m, size_t cap, int first)
{
	struct slab **old = m->slot;
	size_t n = m->cap;
	m->cap = cap;
	m->live = 0;
	m->last = NULL;
	m->slot = xalloc(cap, sizeof *m->slot);
	for (size_t i = 0; i < n; i++) {
		struct slab *s = old[i];
		if (!s) continue;
		if (s->frame < first) {
			s->next = m->spare;
			m->spare = s;
			continue;
		}
		m->slot[slab_at(m, s->frame)] = s;
		m->live++;
	}
	free(old);
}

static struct slab *slab_of(struct keymemo *m, int frame)
{
	if (m->last && m->last->frame == frame) return m->last;
	size_t i = slab_at(m, frame), n = (size_t)m->n->nnode;
	if (m->slot[i]) return m->last = m->slot[i];
	if (m->live * 2 >= m->cap) {
		slabs_rehash(m, m->cap * 2, INT_MIN);
		i = slab_at(m, frame);
	}
	struct slab *s = m->spare;
	if (s) m->spare = s->next;
	else s = xalloc(1, sizeof *s + n * (sizeof *s->key + 1));
	s->frame = frame;
	s->known = (uint8_t *)(s->key + n);
	memset(s->known, 0, n);
	m->slot[i] = s;
	m->live++;
	return m->last = s;
}

static struct kept *kept_at(const struct keymemo *m, int node, int frame)
{
	uint64_t h = ((uint64_t)(uint32_t)node << 32 | (uint32_t)frame) * 0x9E3779B97F4A7C15u;
	size_t i = (size_t)(h >> 20) & (m->ckept - 1);
	while (m->kept[i].node >= 0 && (m->kept[i].node != node || m->kept[i].frame != frame))
		i = (i + 1) & (m->ckept - 1);
	return &m->kept[i];
}

static void kept_put(struct keymemo *m, int node, int frame, const struct key *k)
{
	if (m->nkept >= MEMO_KEYS) return;
	if (m->nkept * 2 >= m->ckept) {
		struct kept *old = m->kept;
		size_t n = m->ckept;
		m->ckept = n ? n * 2 : 256;
		m->kept = xalloc(m->ckept, sizeof *m->kept);
		for (size_t i = 0; i < m->ckept; i++) m->kept[i].node = -1;
		for (size_t i = 0; i < n; i++)
			if (old[i].node >= 0) *kept_at(m, old[i].node, old[i].frame) = old[i];
		free(old);
	}
	struct kept *at = kept_at(m, node, frame);
	m->nkept += at->node < 0;
	*at = (struct kept){ node, frame, *k };
}

static const struct key *memo_get(struct keymemo *m, int node, int frame)
{
	struct slab *s = m->last && m->last->frame == frame ? m->last : m->slot[slab_at(m, frame)];
	if (s) m->last = s;
	if (s && s->known[node]) return &s->key[node];
	if (!m->nkept || !m->n->node[node]->keep) return NULL;
	const struct kept *k = kept_at(m, node, frame);
	return k->node >= 0 ? &k->key : NULL;
}

static void memo_put(struct keymemo *m, int node, int frame, const struct key *k)
{
	struct slab *s = slab_of(m, frame);
	s->key[node] = *k;
	s->known[node] = 1;
	if (m->n->node[node]->keep) kept_put(m, node, frame, k);
}

void keymemo_drop_before(struct keymemo *m, int frame)
{
	if (m->live < m->check) return;
	slabs_rehash(m, m->cap, frame);
	m->check = check_at(m);
}

static int clamp_frame(const struct net_node *nn, int frame)
{
	if (frame < nn->fmt.first) return nn->fmt.first;
	return frame > nn->fmt.last ? nn->fmt.last : frame;
}

/* A declared skin is read by its numbers alone. */
static void hash_skin(const struct skin_ref *k, struct sha *s)
{
	if (!k || !(k->spread > 0)) return;
	const double v[] = { k->hue, k->spread, k->chroma, k->luma, k->drift, k->soft };
	sha_str(s, "skin");
	for (size_t i = 0; i < IN_COUNT(v); i++) {
		char text[40];
		mx_print(v[i], text);
		sha_str(s, text);
	}
}

/* Type, version, static surroundings: the part that no frame changes. */
static void hash_type(const struct net_node *nn, struct sha *s)
{
	sha_str(s, "interneg key 2");
	sha_u64(s, CORE_PIXELS);
	sha_str(s, nn->type->name);
	sha_str(s, nn->type->source_hash);
	sha_u64(s, (uint64_t)nn->type->version);
	int revision = nn->type->revision ? nn->type->revision(&nn->ctx) : 0;
	if (revision) {
		sha_str(s, "revision");
		sha_u64(s, (uint64_t)revision);
	}
	format_hash(s, &nn->fmt);
	sha_str(s, colour_name(nn->ctx.working));
	uint64_t scale;
	memcpy(&scale, &nn->ctx.scale, sizeof scale);
	sha_u64(s, scale);
	sha_u64(s, nn->type->flags & NF_TIME ? nn->ctx.instance : 0);
	hash_skin(nn->ctx.skin, s);
}

static int hash_params(const struct net_node *nn, const void *v, const struct node_common *c,
                       struct sha *s, struct err *e)
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

/* --- what no frame changes, once a node --- */

static void text_add(struct fact *f, const void *p, size_t n)
{
	memcpy(f->text + f->len, p, n);
	f->len += n;
}

static void text_u64(struct fact *f, uint64_t v)
{
	uint8_t b[8];
	for (int i = 0; i < 8; i++) b[i] = (uint8_t)(v >> 8 * i);
	text_add(f, b, sizeof b);
}

/* Every key begins with the static part, filled up to a whole block of SHA-256:
 * its state is worked out once. */
static void key_start(struct sha *s, const struct net_node *nn)
{
	static const struct key fill;
	sha_init(s);
	sha_key(s, &nn->static_key);
	sha_key(s, &fill);
}

/* The core may ask for an input's frame beside the node: it counts once. */
static bool told_before(const struct net_node *nn, const struct needs *nd, int i)
{
	const struct net_node *src = nn->conn[nd->v[i].conn];
	for (int k = 0; k < i; k++)
		if (nd->v[k].conn == nd->v[i].conn &&
		    clamp_frame(src, nd->v[k].frame) == clamp_frame(src, nd->v[i].frame))
			return true;
	return false;
}

/* The same bytes in the same order as key_general adds them. */
static void fact_text(struct keymemo *m, struct fact *f, const struct net_node *nn, const struct needs *nd)
{
	static const struct key hole;
	size_t room = sizeof hole + 8 + (size_t)nd->n * (16 + sizeof nn->slot[0].name + sizeof hole);
	f->text = arena_alloc(m->a, room, 1);
	f->in = arena_alloc(m->a, (size_t)nd->n + 1, sizeof *f->in);
	key_start(&f->start, nn);
	if (nn->type->flags & NF_TIME) {
		f->numbered = true;
		text_u64(f, 0);
	}
	for (int i = 0; i < nd->n; i++) {
		int c = nd->v[i].conn;
		const struct net_node *src = nn->conn[c];
		if (!src || told_before(nn, nd, i)) continue;
		const char *slot = nn->slot[nn->conn_slot[c]].name;
		text_u64(f, strlen(slot));
		text_add(f, slot, strlen(slot));
		text_u64(f, (uint64_t)c);
		f->in[f->n++] = (struct fact_in){ src->index, src->fmt.first, src->fmt.last, f->len };
		text_add(f, &hole, sizeof hole);
	}
}

static int fact_learn(struct keymemo *m, struct fact *f, struct net_node *nn, struct err *e)
{
	if (!nn->has_static_key && static_key(nn, e) < 0) return -1;
	f->kind = FACT_GENERAL;
	if (nn->animated) return 0;
	if (net_identity(nn, &nn->ctx)) f->kind = FACT_IDENTITY;
	else if (!nn->type->needs && !nn->type->content && !nn->type->decoder) {
		f->kind = FACT_FIXED;
		net_needs(nn, &nn->ctx, nn->fmt.first, nn->fmt.data, &m->needs);
		fact_text(m, f, nn, &m->needs);
	}
	return 0;
}

struct todo { struct net_node *nn; int frame; };
struct todos { struct todo *v; int n; size_t cap; };

/* The key of an input, or NULL once it was put down as something to do first. */
static const struct key *key_input(struct keymemo *m, struct todos *l, struct net_node *src, int frame)
{
	int f = clamp_frame(src, frame);
	const struct key *k = memo_get(m, src->index, f);
	if (k) return k;
	l->v = grow(l->v, (size_t)l->n, &l->cap, sizeof *l->v);
	l->v[l->n++] = (struct todo){ src, f };
	return NULL;
}

static int key_identity(struct keymemo *m, struct todo t, struct todos *l)
{
	const struct key *k = key_input(m, l, t.nn->conn[0], t.frame);
	if (!k) return 1;
	struct key copy = *k;
	memo_put(m, t.nn->index, t.frame, &copy);
	return 0;
}

static int key_fixed(struct keymemo *m, struct todo t, struct todos *l, struct fact *f)
{
	int before = l->n;
	for (int i = 0; i < f->n; i++) {
		const struct fact_in *in = &f->in[i];
		int frame = t.frame < in->first ? in->first : t.frame > in->last ? in->last : t.frame;
		const struct key *k = memo_get(m, in->node, frame);
		if (!k) k = key_input(m, l, m->n->node[in->node], frame);
		if (k) memcpy(f->text + in->at, k->b, sizeof k->b);
	}
	if (l->n != before) return 1;
	for (int i = 0; f->numbered && i < 8; i++)
		f->text[i] = (uint8_t)((uint64_t)(int64_t)t.frame >> 8 * i);
	struct sha s = f->start;
	sha_add(&s, f->text, f->len);
	struct key k = sha_end(&s);
	memo_put(m, t.nn->index, t.frame, &k);
	return 0;
}

static int key_general(struct keymemo *m, struct todo t, struct todos *l,
                       const struct moment *mo, struct err *e)
{
	struct net_node *nn = t.nn;
	struct needs *nd = &m->needs;
	int before = l->n;
	struct sha s;
	if (net_identity(nn, &mo->ctx)) return key_identity(m, t, l);
	net_needs(nn, &mo->ctx, t.frame, nn->fmt.data, nd);
	key_start(&s, nn);
	if (nn->animated && hash_params(nn, mo->ctx.v, &mo->common, &s, e) < 0) return -1;
	if (nn->type->flags & NF_TIME) sha_u64(&s, (uint64_t)(int64_t)t.frame);
	for (int i = 0; i < nd->n; i++) {
		struct net_node *src = nn->conn[nd->v[i].conn];
		if (src && told_before(nn, nd, i)) continue;
		const struct key *k = src ? key_input(m, l, src, nd->v[i].frame) : NULL;
		if (!k) continue;
		sha_str(&s, nn->slot[nn->conn_slot[nd->v[i].conn]].name);
		sha_u64(&s, (uint64_t)nd->v[i].conn);
		sha_key(&s, k);
	}
	if (l->n != before) return 1;
	const char *as = m->as ? m->as(m->user, nn) : NULL;
	if (nn->type->decoder) sha_str(&s, as ? as : nn->type->decoder(&mo->ctx));
	if (nn->type->content && nn->type->content(&mo->ctx, t.frame, &s, e) < 0)
		return err_in(e, "node '%s' frame %d", nn->id, t.frame);
	struct key k = sha_end(&s);
	memo_put(m, nn->index, t.frame, &k);
	return 0;
}

/* Puts down missing inputs; when none is missing works out the key. 1: waits, 0: done. */
static int key_step(struct keymemo *m, struct todo t, struct todos *l, struct err *e)
{
	struct fact *f = &m->fact[t.nn->index];
	struct moment mo;
	if (f->kind == FACT_NEW && fact_learn(m, f, t.nn, e) < 0) return -1;
	if (f->kind == FACT_FIXED) return key_fixed(m, t, l, f);
	if (f->kind == FACT_IDENTITY) return key_identity(m, t, l);
	int rc = moment_at(m->n, t.nn, t.frame, &mo, e);
	if (rc == 0) rc = key_general(m, t, l, &mo, e);
	if (mo.a) arena_free(&mo.a);
	return rc;
}

static int learn(struct keymemo *m, int node, struct err *e)
{
	struct fact *f = &m->fact[node];
	return f->kind == FACT_NEW ? fact_learn(m, f, m->n->node[node], e) : 0;
}

/* Lists what a node's key needs at the same frame, however far up: inputs of
 * fixed nodes, in topological order. */
static int list_sweep(struct keymemo *m, int top, struct err *e)
{
	bool *want = xalloc((size_t)top + 1, sizeof *want);
	int rc = 0;
	m->sweep = xrealloc(m->sweep, (size_t)top + 1, sizeof *m->sweep);
	m->nsweep = 0;
	want[top] = true;
	for (int i = top; i >= 0 && rc == 0; i--) {
		if (!want[i]) continue;
		const struct fact *f = &m->fact[i];
		rc = learn(m, i, e);
		for (int k = 0; k < f->n; k++) want[f->in[k].node] = true;
		if (f->kind == FACT_IDENTITY) want[m->n->node[i]->conn[0]->index] = true;
	}
	for (int i = 0; i <= top; i++)
		if (want[i]) m->sweep[m->nsweep++] = i;
	free(want);
	m->swept = rc == 0 ? top : -1;
	return rc;
}

/* Works out keys from the sources down, so that few are put down to be done first. */
static int sweep(struct keymemo *m, const struct net_node *nn, int frame, struct todos *l, struct err *e)
{
	int rc = 0;
	if (m->swept != nn->index && list_sweep(m, nn->index, e) < 0) return -1;
	for (int i = 0; i < m->nsweep && rc >= 0; i++) {
		struct net_node *at = m->n->node[m->sweep[i]];
		if (clamp_frame(at, frame) != frame || memo_get(m, at->index, frame)) continue;
		rc = key_step(m, (struct todo){ at, frame }, l, e);
		l->n = 0;
	}
	return rc < 0 ? -1 : 0;
}

int net_key(struct keymemo *m, const struct net_node *nn, int frame, struct key *out, struct err *e)
{
	struct todos l = { 0 };
	int rc = 0;
	frame = clamp_frame(nn, frame);
	if (!memo_get(m, nn->index, frame)) {
		rc = sweep(m, nn, frame, &l, e);
		key_input(m, &l, m->n->node[nn->index], frame);
	}
	while (l.n > 0 && rc >= 0) {
		struct todo t = l.v[l.n - 1];
		if (memo_get(m, t.nn->index, t.frame)) { l.n--; continue; }
		rc = key_step(m, t, &l, e);
		if (rc == 0) l.n--;
	}
	free(l.v);
	if (rc < 0) return -1;
	*out = *memo_get(m, nn->index, frame);
	return 0;
}
