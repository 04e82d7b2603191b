/* stage_run - see stage_run.h. A tile is computed in bands of rows that stay in the second-level
 * cache from the stage's first node to its last; rows that the next band reads again (a blur's
 * border) are kept, not computed twice.
 *
 * Scratch layout: what is known of the members, their planes packed by lifetime (a member's planes
 * lie where those of members nobody reads any more have lain; those that keep rows lie apart),
 * and the nodes' own scratch behind them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "stage_run.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "stream.h"

/* Of a band: r is what the others read of it, had what its planes hold of the band
 * before, fresh what is computed now. Of all bands: w and h the largest, keeps:
 * rows are kept from one to the next, apart: it cannot lie in its reader's planes. */
struct member {
	struct rect r, had, fresh;
	int w, h;
	bool keeps, apart;
	size_t at, bytes;
	struct view view;
	struct needs needs;
};

/* A band's output should leave room in the second-level cache for what it is made of; shorter ones
 * are more calls, and more of the border that nodes compute inside a call. */
enum { BAND_BYTES = 160 << 10, BAND_ROWS = 32, ALONE_BYTES = 512 << 10 };
/* Where it goes past the caches it takes no room in them. */
enum { PAST_BYTES = 1500 << 10, PAST_ROWS = 64 };

/* Pictures from this size on have left the caches when somebody reads them: bands of them are made
 * in scratch and go to memory once, past the caches. */
#define STREAM_FROM ((size_t)16 << 20)

static bool large(const struct stage_job *j)
{ return j->s->kind == ST_TILES && j->s->bytes >= STREAM_FROM; }

/* The last node does that itself. */
static bool past(const struct stage_job *j)
{
	const struct net_node *last = j->s->node[j->s->n - 1];
	return large(j) && (last->type->flags & NF_PAST) && net_alone(last) && !j->same[j->s->n - 1];
}

/* A node that stands alone has no bands: its whole tile must be near. */
static bool streams(const struct stage_job *j, struct rect r)
{
	size_t bytes = rect_area(r) * (size_t)j->s->out->fmt.nch * sizeof(float);
	return large(j) && !past(j) && (j->s->n > 1 || bytes <= ALONE_BYTES);
}

static int band_rows(const struct stage_job *j, struct rect r)
{
	int h = rect_h(r), w = rect_w(r);
	if (j->s->n < 2 || w < 1) return h;
	size_t row = sizeof(float) * (size_t)w * (size_t)j->s->out->fmt.nch;
	int rows = (int)((past(j) ? PAST_BYTES : BAND_BYTES) / row) & ~7, least = past(j) ? PAST_ROWS : BAND_ROWS;
	if (rows < least) rows = least;
	return rows < h ? rows : h;
}

static struct rect band_at(struct rect r, int y, int rows)
{ return rect_of(r.x0, y, r.x1, r.y1 - y < rows ? r.y1 : y + rows); }

static size_t align64(size_t n) { return (n + 63) & ~(size_t)63; }

/* Which members' planes each member reads in the end, and for how long they are wanted. */
static void lifetimes(struct stage_job *j)
{
	for (int i = 0; i < j->s->n; i++) {
		const struct net_node *nn = j->s->node[i];
		j->buf[i] = j->last[i] = i;
		for (int c = 0; c < nn->nconn; c++) {
			const struct net_node *src = nn->conn[c];
			if (!src || j->p->stage_of[src->index] != j->s->index) continue;
			int at = j->buf[j->p->slot_of[src->index]];
			if (at < 0) continue;
			j->last[at] = i;
			if (c == 0 && j->same[i]) j->buf[i] = at;
		}
		if (j->same[i] && j->buf[i] == i) j->buf[i] = -1;      /* reads another stage's picture */
	}
}

/* Where member i may work in place: one of the pictures that nobody reads after it lies in its planes. */
static void share_planes(struct stage_job *j, int i)
{
	const struct net_node *nn = j->s->node[i];
	for (int c = 0; c < nn->nconn && !j->same[i]; c++) {
		const struct net_node *src = nn->conn[c];
		if (!src || j->p->stage_of[src->index] != j->s->index) continue;
		int at = j->buf[j->p->slot_of[src->index]];
		if (at < 0 || j->last[at] != i || !net_in_place(nn, &j->ctx[i], c)) continue;
		j->into[at] = i;
		return;
	}
}

int stage_job_open(struct stage_job *j, struct plan *p, const struct stage *s, int frame, struct err *e)
{
	size_t n = (size_t)s->n;
	*j = (struct stage_job){ .p = p, .s = s, .frame = frame };
	j->ctx = xalloc(n, sizeof *j->ctx);
	j->common = xalloc(n, sizeof *j->common);
	j->same = xalloc(n, sizeof *j->same);
	j->buf = xalloc(n, sizeof *j->buf);
	j->last = xalloc(n, sizeof *j->last);
	j->into = xalloc(n, sizeof *j->into);
	for (int i = 0; i < s->n; i++) {
		j->into[i] = -1;
		if (net_ctx_at(p->net, s->node[i], frame, &j->ctx[i], &j->common[i], e) < 0) {
			stage_job_close(j);
			return -1;
		}
		j->opened++;
		j->same[i] = net_passes(s->node[i], &j->ctx[i]);
	}
	lifetimes(j);
	for (int i = 0; i < s->n - past(j); i++) share_planes(j, i);
	return 0;
}

void stage_job_close(struct stage_job *j)
{
	for (int i = 0; i < j->opened; i++) net_ctx_free(j->s->node[i], &j->ctx[i]);
	free(j->ctx);
	free(j->common);
	free(j->same);
	free(j->buf);
	free(j->last);
	free(j->into);
	free(j->in);
	*j = (struct stage_job){ 0 };
}

enum { HUGE_PAGE = 2 << 20 };

void *stage_mem_get(struct stage_mem *m, size_t bytes, struct err *e)
{
	if (bytes <= m->size) return m->p;
	size_t size = align64(bytes + bytes / 8);
	void *p = NULL;
	free(m->p);
	if (posix_memalign(&p, size < HUGE_PAGE ? 64 : HUGE_PAGE, size)) p = NULL;
	if (p && size >= HUGE_PAGE) madvise(p, size / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE);
	m->p = p;
	m->size = p ? size : 0;
	if (!m->p) err_set(e, E_MEMORY, "no %zu bytes of scratch for a tile", size);
	return m->p;
}

void stage_mem_free(struct stage_mem *m)
{
	free(m->p);
	*m = (struct stage_mem){ 0 };
}

/* Does the band before end where r begins, or inside? */
static bool follows(struct rect had, struct rect r)
{
	return !rect_empty(had) && had.x0 == r.x0 && had.x1 == r.x1 && had.y0 <= r.y0 && had.y1 >= r.y0;
}

static struct rect rest_of(struct rect had, struct rect r)
{
	if (follows(had, r)) r.y0 = had.y1 < r.y1 ? had.y1 : r.y1;
	return r;
}

/* Regions of all members for output rect r; m[] has j->s->n places. */
static void regions(const struct stage_job *j, struct rect r, struct member *m)
{
	int n = j->s->n;
	for (int i = 0; i < n; i++) m[i].r = rect_of(0, 0, 0, 0);
	m[n - 1].r = r;
	for (int i = n - 1; i >= 0; i--) {
		const struct net_node *nn = j->s->node[i];
		struct needs *nd = &m[i].needs;
		nd->n = nd->ncore = 0;
		m[i].fresh = i == n - 1 || j->same[i] ? m[i].r : rest_of(m[i].had, m[i].r);
		if (rect_empty(m[i].fresh)) continue;
		if (j->same[i]) need_add(nd, 0, j->frame, m[i].r);
		else net_needs(nn, &j->ctx[i], j->frame, m[i].fresh, nd);
		for (int k = 0; k < nd->n; k++) {
			const struct net_node *src = nn->conn[nd->v[k].conn];
			if (!src || j->p->stage_of[src->index] != j->s->index) continue;
			struct rect *at = &m[j->p->slot_of[src->index]].r;
			*at = rect_or(*at, nd->v[k].rect);
		}
	}
}

static void first_band(const struct stage_job *j, struct member *m)
{
	for (int i = 0; i < j->s->n; i++) {
		m[i].had = rect_of(0, 0, 0, 0);
		m[i].w = m[i].h = 0;
		m[i].keeps = m[i].apart = false;
	}
}

/* What a band takes of planes and of the nodes' own scratch. */
static void note_band(const struct stage_job *j, struct member *m, size_t *own)
{
	for (int i = 0; i < j->s->n; i++) {
		struct rect r = m[i].r, fresh = m[i].fresh;
		if (!rect_empty(r)) {
			m[i].keeps |= !rect_eq(r, fresh);
			if (rect_w(r) > m[i].w) m[i].w = rect_w(r);
			if (rect_h(r) > m[i].h) m[i].h = rect_h(r);
		}
		m[i].had = r;
		int to = j->into[i];
		m[i].apart |= to < 0 || !rect_eq(r, fresh) || !rect_eq(r, m[to].fresh);
		if (rect_empty(fresh) || j->same[i]) continue;
		size_t bytes = net_scratch(j->s->node[i], &j->ctx[i], fresh);
		if (bytes > *own) *own = bytes;
	}
}

static ptrdiff_t row_floats(int w) { return (w + 15) & ~15; }

/* Not a whole number of pages: what lies a page apart waits for one another's stores. */
static size_t plane_bytes(const struct member *m)
{
	size_t n = (size_t)row_floats(m->w) * (size_t)m->h * sizeof(float);
	return n % 4096 < 256 ? n + 320 : n;
}

/* A band of the stage's result in scratch, at mem. Returns the bytes that it takes. */
static size_t result_planes(const struct stage_job *j, struct rect r, char *mem, struct view *v)
{
	const struct member m = { .w = rect_w(r), .h = band_rows(j, r) };
	size_t plane = plane_bytes(&m);
	int nch = j->s->out->fmt.nch;
	*v = (struct view){ .stride = row_floats(m.w), .nch = nch };
	for (int c = 0; c < nch && mem; c++) v->plane[c] = (float *)(void *)(mem + (size_t)c * plane);
	return (size_t)nch * plane;
}

struct hole { size_t at, end; };
struct holes { struct hole v[64]; int n; size_t top, live, peak; };

/* The lowest hole that is wide enough, else new ground. */
static size_t take(struct holes *h, size_t bytes)
{
	h->live += bytes;
	if (h->live > h->peak) h->peak = h->live;
	for (int i = 0; i < h->n; i++) {
		size_t at = h->v[i].at;
		if (h->v[i].end - at < bytes) continue;
		h->v[i].at += bytes;
		if (h->v[i].at == h->v[i].end) memmove(&h->v[i], &h->v[i + 1], (size_t)(--h->n - i) * sizeof *h->v);
		return at;
	}
	h->top += bytes;
	return h->top - bytes;
}

/* A full table of holes only costs ground. */
static void give(struct holes *h, size_t at, size_t bytes)
{
	int i = 0;
	h->live -= bytes;
	while (i < h->n && h->v[i].at < at) i++;
	bool left = i > 0 && h->v[i - 1].end == at, right = i < h->n && h->v[i].at == at + bytes;
	if (left && right) {
		h->v[i - 1].end = h->v[i].end;
		memmove(&h->v[i], &h->v[i + 1], (size_t)(--h->n - i) * sizeof *h->v);
	} else if (left) h->v[i - 1].end = at + bytes;
	else if (right) h->v[i].at = at;
	else if (h->n < (int)IN_COUNT(h->v)) {
		memmove(&h->v[i + 1], &h->v[i], (size_t)(h->n++ - i) * sizeof *h->v);
		h->v[i] = (struct hole){ at, at + bytes };
	}
}

/* Gives back what member i was the last to read. */
static void release(const struct stage_job *j, struct member *m, int i, struct holes *h)
{
	const struct net_node *nn = j->s->node[i];
	for (int c = -1; c < nn->nconn; c++) {
		const struct net_node *src = c < 0 ? nn : nn->conn[c];
		if (!src || j->p->stage_of[src->index] != j->s->index) continue;
		int at = j->buf[j->p->slot_of[src->index]];
		if (at < 0 || j->last[at] != i || !m[at].bytes || m[at].keeps) continue;
		give(h, m[at].at, m[at].bytes);
		m[at].bytes = 0;
	}
}

/* The member in whose planes member i lies. */
static int planes_of(const struct stage_job *j, const struct member *m, int i)
{
	while (!m[i].apart) i = j->into[i];
	return i;
}

static bool has_planes(const struct stage_job *j, const struct member *m, int i)
{ return m[i].w > 0 && i < j->s->n - 1 && !j->same[i]; }

/* Where the members' planes lie behind `base`; returns the end of them all. */
static size_t lay_out(const struct stage_job *j, struct member *m, size_t base, size_t *live)
{
	struct holes h = { .top = base };
	int n = j->s->n;
	for (int i = 0; i < n; i++) m[i].bytes = 0;
	for (int keeps = 1; keeps >= 0; keeps--)
		for (int i = 0; i < n; i++) {
			int of = planes_of(j, m, i);
			if (has_planes(j, m, of) && m[of].keeps == keeps && !m[of].bytes) {
				m[of].bytes = (size_t)j->s->node[of]->fmt.nch * plane_bytes(&m[of]);
				m[of].at = take(&h, m[of].bytes);
			}
			if (!keeps) release(j, m, i, &h);
		}
	if (live) *live = h.peak;
	return h.top;
}

/* Walks the bands of r without computing them; returns the bytes of scratch, planes
 * from *tail on are the nodes' own. */
static size_t survey(const struct stage_job *j, struct rect r, struct member *m, size_t head, size_t *tail)
{
	size_t own = 0;
	int rows = band_rows(j, r);
	first_band(j, m);
	for (int y = r.y0; y < r.y1; y += rows) {
		regions(j, band_at(r, y, rows), m);
		note_band(j, m, &own);
	}
	*tail = lay_out(j, m, head, NULL);
	for (int i = 0; i < j->s->n; i++) m[i].had = rect_of(0, 0, 0, 0);
	return *tail + align64(own) + 128;
}

/* Adds what the members compute and move for a band. */
static void add_cost(const struct stage_job *j, const struct member *m, struct stage_cost *out)
{
	for (int i = 0; i < j->s->n; i++) {
		const struct net_node *nn = j->s->node[i];
		if (rect_empty(m[i].fresh) || j->same[i]) continue;
		double area = (double)rect_area(m[i].fresh);
		out->flops += nn->type->work ? nn->type->work(&j->ctx[i], m[i].fresh)
		              : area * (nn->type->flops ? nn->type->flops(&j->ctx[i]) : 20);
		out->traffic += 4 * area * nn->fmt.nch;
		for (int k = 0; k < m[i].needs.n; k++) {
			const struct net_node *src = nn->conn[m[i].needs.v[k].conn];
			if (!src) continue;
			size_t bytes = rect_area(m[i].needs.v[k].rect) * (size_t)src->fmt.nch * sizeof(float);
			out->traffic += (double)bytes;
			if (j->p->stage_of[src->index] == j->s->index) continue;
			out->read += bytes;
			bool whole = rect_w(m[i].needs.v[k].rect) == rect_w(src->fmt.data);
			if (!whole && image_bytes(&src->fmt) >= STREAM_FROM) out->broken += bytes;
		}
	}
}

void stage_job_cost(const struct stage_job *j, struct rect r, struct stage_cost *out)
{
	size_t n = (size_t)j->s->n, own = 0;
	struct member *m = xalloc(n, sizeof *m);
	int rows = band_rows(j, r), bands = (rect_h(r) + rows - 1) / rows;
	*out = (struct stage_cost){ .bands = bands,
		.band = rect_area(band_at(r, r.y0, rows)) * (size_t)j->s->out->fmt.nch * sizeof(float) };
	first_band(j, m);
	for (int k = 0, times; k < bands; k += times) {
		struct stage_cost one = { 0 };
		times = k == 2 && bands > 4 ? bands - 3 : 1;     /* those in the middle are alike */
		regions(j, band_at(r, r.y0 + k * rows, rows), m);
		add_cost(j, m, &one);
		note_band(j, m, &own);
		if (times > 1) {                                 /* as if the members had been through them all */
			regions(j, band_at(r, r.y0 + (k + times - 1) * rows, rows), m);
			note_band(j, m, &own);
		}
		out->flops += times * one.flops;
		out->traffic += times * one.traffic;
		out->read += (size_t)times * one.read;
		out->broken += (size_t)times * one.broken;
	}
	out->scratch = lay_out(j, m, align64(n * sizeof *m), &out->live) + align64(own) + 128;
	if (streams(j, r)) {
		struct view v;
		out->scratch += result_planes(j, r, NULL, &v);
	}
	free(m);
}

static const struct view *input_view(const struct stage_job *j, const struct net_node *src, int frame)
{
	for (int i = 0; i < j->nin; i++)
		if (j->in[i].src == src && j->in[i].frame == frame) return j->in[i].view;
	return NULL;
}

/* The views that belong to a member's needs. */
static int gather(const struct stage_job *j, int i, struct member *m, struct view *in, struct err *e)
{
	const struct net_node *nn = j->s->node[i];
	const struct needs *nd = &m[i].needs;
	for (int k = 0; k < nd->n; k++) {
		const struct net_node *src = nn->conn[nd->v[k].conn];
		in[k].nch = 0;
		in[k].r = rect_of(0, 0, 0, 0);
		if (!src || rect_empty(nd->v[k].rect)) continue;
		const struct view *from;
		if (j->p->stage_of[src->index] == j->s->index) {
			if (nd->v[k].frame != j->frame)
				return err_set(e, E_INTERNAL, "node '%s' reads another frame inside a stage", nn->id);
			from = &m[j->p->slot_of[src->index]].view;
		} else from = input_view(j, src, nd->v[k].frame);
		if (!from || !rect_holds(from->r, nd->v[k].rect))
			return err_set(e, E_INTERNAL, "node '%s': what it needs of '%s' was not planned", nn->id, src->id);
		in[k] = view_sub(from, nd->v[k].rect);
	}
	return 0;
}

static void copy_view(const struct view *from, const struct view *to)
{
	size_t n = (size_t)rect_w(to->r) * sizeof(float);
	for (int c = 0; c < to->nch; c++)
		for (int y = to->r.y0; y < to->r.y1; y++)
			memcpy(view_at(to, c, to->r.x0, y), view_at(from, c, to->r.x0, y), n);
}

static void place_planes(const struct net_node *nn, struct member *m, char *base)
{
	m->view.stride = row_floats(m->w);
	m->view.nch = nn->fmt.nch;
	for (int c = 0; c < nn->fmt.nch; c++)
		m->view.plane[c] = (float *)(void *)(base + m->at + (size_t)c * plane_bytes(m));
}

/* The planes come to hold r: what they have of it moves up to where it begins. */
static void keep_rows(struct member *m)
{
	struct rect had = m->had, r = m->r;
	m->view.r = r;
	if (!follows(had, r) || had.y0 == r.y0) return;
	int n = (had.y1 < r.y1 ? had.y1 : r.y1) - r.y0;
	size_t bytes = (size_t)n * (size_t)m->view.stride * sizeof(float);
	for (int c = 0; c < m->view.nch; c++)
		memmove(m->view.plane[c], m->view.plane[c] + (r.y0 - had.y0) * m->view.stride, bytes);
}

/* Regions and places of all members, in scratch that holds the tile; *tail, *end: where
 * the nodes' own begins, and the result's. */
static struct member *prepare(const struct stage_job *j, struct rect r, struct stage_mem *mem, size_t *tail,
                              size_t *end, struct err *e)
{
	size_t head = align64((size_t)j->s->n * sizeof(struct member));
	struct view v;
	struct member *m = stage_mem_get(mem, head, e);
	if (!m) return NULL;
	*end = align64(survey(j, r, m, head, tail));
	size_t all = *end + (streams(j, r) ? result_planes(j, r, NULL, &v) : 0);
	if (all > mem->size) {
		if (!(m = stage_mem_get(mem, all, e))) return NULL;
		survey(j, r, m, head, tail);
	}
	for (int i = 0; i < j->s->n - 1; i++)
		if (has_planes(j, m, i) && m[i].apart) place_planes(j->s->node[i], &m[i], mem->p);
	return m;
}

/* The planes of all members come to hold what a band reads of them. */
static void begin_band(const struct stage_job *j, struct member *m)
{
	for (int i = j->s->n - 2; i >= 0; i--) {
		if (rect_empty(m[i].r) || j->same[i]) continue;
		if (m[i].apart) keep_rows(&m[i]);
		else m[i].view = view_sub(&m[j->into[i]].view, m[i].r);
	}
}

/* One band, whose regions are known. */
static int run_band(const struct stage_job *j, struct member *m, void *scratch,
                    const atomic_int *cancel, struct err *e)
{
	struct view in[NODE_MAX_NEEDS];
	int n = j->s->n;
	begin_band(j, m);
	for (int i = 0; i < n; i++) {
		m[i].had = m[i].r;
		if (rect_empty(m[i].r)) continue;
		if (rect_empty(m[i].fresh)) continue;
		if (gather(j, i, m, in, e) < 0) return -1;
		if (j->same[i] && i < n - 1) { m[i].view = in[0]; continue; }
		if (j->same[i]) { copy_view(&in[0], &m[i].view); continue; }
		struct view out = view_sub(&m[i].view, m[i].fresh);
		bool last = i == n - 1 && past(j);
		if ((last ? net_run_past : net_run)(j->s->node[i], &j->ctx[i], &j->common[i], j->frame, &m[i].needs, in,
		                                    &out, scratch, cancel, e) < 0)
			return err_in(e, "node '%s' frame %d", j->s->node[i]->id, j->frame);
	}
	return 0;
}

int stage_tile(const struct stage_job *j, struct rect r, const struct view *out, struct stage_mem *mem,
               const atomic_int *cancel, struct err *e)
{
	int n = j->s->n, rows = band_rows(j, r);
	bool direct = past(j), stream = streams(j, r);
	size_t tail, end;
	struct view result;
	struct member *m = prepare(j, r, mem, &tail, &end, e);
	if (!m) return -1;
	if (stream) result_planes(j, r, mem->p + end, &result);
	for (int y = r.y0; y < r.y1; y += rows) {
		struct rect band = band_at(r, y, rows);
		regions(j, band, m);
		result.r = band;
		m[n - 1].view = stream ? result : view_sub(out, band);
		if (run_band(j, m, mem->p + tail, cancel, e) < 0) return -1;
		if (stream) view_stream(&result, out, band);
		else if (!direct) view_canon_nan(out, band);
	}
	return 0;
}
