/* media_read - the frame asked for, exactly, however frames were asked before.
 *
 * Decoding runs forward from a keyframe and frames are recognised by their time stamps. A frame that a run from
 * a keyframe does not deliver is looked for once more from the very start: only that verdict counts. A damaged
 * picture makes all later ones of its group missing too, as they were predicted from it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <limits.h>
#include <string.h>

#include "mem.h"

enum { SEEK_COST = 12 };   /* frames worth decoding through rather than seeking */

static struct cached *cache_find(struct media *m, int slot)
{
	for (int i = 0; i < m->ncache; i++)
		if (m->cache[i].p.mem && m->cache[i].slot == slot) {
			m->cache[i].used = ++m->clock;
			return &m->cache[i];
		}
	return NULL;
}

/* The oldest place in the cache, with memory for a picture. */
static struct cached *cache_place(struct media *m, struct err *e)
{
	struct cached *c = &m->cache[0];
	for (int i = 0; i < m->ncache; i++) {
		if (!m->cache[i].p.mem) { c = &m->cache[i]; break; }
		if (m->cache[i].used < c->used) c = &m->cache[i];
	}
	c->slot = -1;
	if (!c->p.mem && planes_new(&c->p, &m->info.desc, e) < 0) return NULL;
	c->used = ++m->clock;
	return c;
}

static struct cached *keep(struct media *m, const AVFrame *f, int slot, struct err *e)
{
	struct cached *c = cache_find(m, slot);
	if (c) return c;
	c = cache_place(m, e);
	if (!c || planes_unpack(f, &c->p, e) < 0) return NULL;
	c->slot = slot;
	return c;
}

/* The cursor to go on with towards slot, or the one to move. */
static struct cursor *choose(struct media *m, int slot, bool from_start, bool *move)
{
	struct cursor *best = NULL, *oldest = &m->cur[0];
	for (int i = 0; i < MEDIA_CURSORS; i++) {
		struct cursor *c = &m->cur[i];
		if (c->used < oldest->used) oldest = c;
		if (!c->dec || c->next > slot || slot < c->first_slot) continue;
		if (from_start && !c->from_start) continue;
		if (!best || c->next > best->next) best = c;
	}
	*move = false;
	if (best && (from_start || m->x.by_order)) return best;
	int gop = m->x.slot[slot].gop, first = m->x.npkt && !m->x.by_order ? m->x.pkt[gop].slot : 0;
	if (best && (best->next >= first || slot - best->next <= slot - first + SEEK_COST)) return best;
	*move = true;
	return oldest;
}

/* Slots that a run passed over without output are missing; after a decoding error they damage their group. */
static void judge(struct media *m, struct cursor *c, int upto)
{
	for (int s = c->next; s < upto; s++) {
		if (s < c->first_slot) continue;
		if (c->fault || m->x.slot[s].bad) {
			c->bad_gop = m->x.slot[s].gop;
			c->has_bad = true;
			c->fault = false;
		}
		if (c->from_start) m->state[s] = 2;
	}
	if (upto > c->next) c->next = upto;
}

static bool tainted(const struct media *m, const struct cursor *c, int slot)
{
	return c->has_bad && !m->x.by_order && m->x.slot[slot].gop == c->bad_gop;
}

/* Runs a cursor to slot. 1: *out holds it; 0: not there in this run; -1: error. */
static int run_to(struct media *m, struct cursor *c, int slot, struct cached **out, struct err *e)
{
	c->used = ++m->clock;
	while (c->next <= slot) {
		int at;
		bool damaged;
		int r = cursor_next(m, c, &at, &damaged, e);
		if (r < 0) { cursor_close(c); return -1; }
		if (r == 0) {
			judge(m, c, m->x.nslot);
			return 0;
		}
		if (at < c->next || at < c->first_slot) continue;
		judge(m, c, at);
		if (damaged || tainted(m, c, at)) {
			c->has_bad = true;
			c->bad_gop = m->x.slot[at].gop;
			if (c->from_start) m->state[at] = 2;
			c->next = at + 1;
			continue;
		}
		c->next = at + 1;
		if (at > slot || slot - at >= m->ncache) continue;
		struct cached *k = keep(m, c->frame, at, e);
		if (!k) return -1;
		if (at == slot) { *out = k; return 1; }
	}
	return 0;
}

/* 1 found, 0 missing, -1 error. */
static int fetch(struct media *m, int slot, struct cached **out, struct err *e)
{
	if (m->state[slot] == 2) return 0;
	if ((*out = cache_find(m, slot))) return 1;
	for (int pass = 0; pass < 2; pass++) {
		bool move, from_start = pass > 0;
		struct cursor *c = choose(m, slot, from_start, &move);
		if (move || (from_start && !c->from_start)) {
			int key = from_start ? -1 : m->x.slot[slot].gop;
			if (cursor_seek(m, c, key, e) < 0) return -1;
		}
		bool definitive = c->from_start;
		int r = run_to(m, c, slot, out, e);
		if (r != 0) return r;
		if (definitive) break;
	}
	m->state[slot] = 2;
	return 0;
}

enum media_status media_frame(struct media *m, int n, const struct planes **out, struct err *e)
{
	*out = NULL;
	if (n < 0 || n >= m->info.frames)
		return (enum media_status)err_set(e, E_INPUT, "%s: has no frame %d, only %d frames", m->path, n + 1, m->info.frames);
	int slot = rate_slot(m, n);
	struct cached *c = cache_find(m, slot);
	if (!c && m->info.kind != MEDIA_CLIP) {
		c = cache_place(m, e);
		if (!c) return MEDIA_FAIL;
		enum media_status st = files_frame(m, slot, c, e);
		if (st != MEDIA_OK) return st;
		c->slot = slot;
	} else if (!c) {
		int r = fetch(m, slot, &c, e);
		if (r < 0) return MEDIA_FAIL;
		if (r == 0) {
			err_set(e, E_INPUT, "%s: frame %d of the stream is %s", m->path, slot + 1,
			        m->x.slot[slot].bad && !m->x.scanned ? "cut off" : "damaged or missing");
			return MEDIA_MISSING;
		}
	}
	*out = &c->p;
	return MEDIA_OK;
}
