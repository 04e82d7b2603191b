/* media_read - the frame asked for, exactly, however frames were asked before.
 *
 * Decoding runs forward from a keyframe and frames are recognised by their time stamps. A frame
 * that a run from a keyframe does not deliver is looked for once more from the very start: only
 * that verdict counts. A damaged picture makes all ones of its group that were decoded later
 * missing too, as they may be predicted from it; so a frame is handed out only when everything
 * decoded before it has come out sound.
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
		/* decoded, not judged */
		bool waiting = c->next > slot && c->verified <= slot && cache_find(m, slot);
		if (!c->dec || (c->next > slot && !waiting) || slot < c->first_slot) continue;
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

/* Slot s of this run is damaged (hard) or did not come out. Only a run from the start says so
 * for good. */
static void note_bad(struct media *m, struct cursor *c, int s, bool hard)
{
	const struct slot_ref *r = &m->x.slot[s];
	if (!c->from_start) {
		c->has_bad = c->has_bad || hard;
		if (hard) c->bad_gop = r->gop;
		return;
	}
	m->state[s] = SLOT_MISSING;
	if (hard && !m->x.by_order && r->packet >= 0 && r->packet < m->gop_bad[r->gop])
		m->gop_bad[r->gop] = r->packet;
}

static bool spoilt(const struct media *m, const struct cursor *c, int s)
{
	const struct slot_ref *r = &m->x.slot[s];
	if (m->state[s] == SLOT_MISSING) return true;
	if (m->x.by_order || r->packet < 0) return false;
	if (c->has_bad && c->bad_gop == r->gop) return true;
	return m->gop_bad[r->gop] <= r->packet || m->gop_bad[m->x.pkt[r->packet].key_at] <= r->packet;
}

/* Judges the slots of which all they were predicted from has come out. */
static void verify(struct media *m, struct cursor *c)
{
	for (; c->verified < c->next; c->verified++) {
		int s = c->verified;
		if (m->x.slot[s].until >= c->next) return;
		bool bad = spoilt(m, c, s);
		if (bad && c->from_start) m->state[s] = SLOT_MISSING;
		else if (!bad && m->state[s] == SLOT_SEEN) m->state[s] = SLOT_GOOD;
	}
}

/* Slots that a run passed over without output; after a decoding error they damage their group. */
static void pass_over(struct media *m, struct cursor *c, int upto)
{
	for (int s = c->next; s < upto; s++) {
		if (s < c->first_slot) continue;
		note_bad(m, c, s, c->fault || m->x.slot[s].bad);
		c->fault = false;
	}
	if (upto > c->next) c->next = upto;
}

/* Runs a cursor until slot is judged: 1 it is in the cache, 0 it is not to be had from this run,
 * -1 error. */
static int run_to(struct media *m, struct cursor *c, int slot, struct cached **out, struct err *e)
{
	int until = m->x.slot[slot].until;
	c->used = ++m->clock;
	while (c->next <= until) {
		int at;
		bool damaged;
		int r = cursor_next(m, c, &at, &damaged, e);
		if (r < 0) { cursor_close(c); return -1; }
		if (r > 0 && (at < c->next || at < c->first_slot)) continue;
		pass_over(m, c, r > 0 ? at : m->x.nslot);
		if (r == 0) break;
		c->next = at + 1;
		if (damaged) note_bad(m, c, at, true);
		else if (m->state[at] == SLOT_UNKNOWN) m->state[at] = SLOT_SEEN;
		if (!damaged && slot - at < m->ncache && at - slot <= m->ncache - 2
		    && !keep(m, c->frame, at, e)) return -1;
		verify(m, c);
	}
	verify(m, c);
	if (m->state[slot] == SLOT_GOOD && (*out = cache_find(m, slot))) return 1;
	return 0;
}

/* 1 found, 0 missing, -1 error. */
static int fetch(struct media *m, int slot, struct cached **out, struct err *e)
{
	if (m->state[slot] == SLOT_MISSING) return 0;
	if (m->state[slot] == SLOT_GOOD && (*out = cache_find(m, slot))) return 1;
	for (int pass = 0; pass < 2; pass++) {
		bool move;
		struct cursor *c = choose(m, slot, pass > 0, &move);
		if (move && cursor_seek(m, c, pass > 0 ? -1 : m->x.slot[slot].gop, e) < 0) return -1;
		bool definitive = c->from_start;
		int r = run_to(m, c, slot, out, e);
		if (r != 0) return r;
		if (definitive) break;
	}
	m->state[slot] = SLOT_MISSING;
	return 0;
}

enum media_status media_frame(struct media *m, int n, const struct planes **out, struct err *e)
{
	*out = NULL;
	if (n < 0 || n >= m->info.frames)
		return (enum media_status)err_set(e, E_INPUT, "%s: has no frame %d, only %d frames", m->path,
		                                  n + 1, m->info.frames);
	int slot = rate_slot(m, n);
	struct cached *c = m->info.kind != MEDIA_CLIP ? cache_find(m, slot) : NULL;
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
