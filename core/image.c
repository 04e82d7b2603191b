/* image - formats, interned names, and counted planar pictures.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image.h"

#include <assert.h>
#include <immintrin.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "colour.h"

/* Interned strings; open addressing, never freed. Threads: any, under its mutex. */
static struct {
	pthread_mutex_t lock;
	char **v;
	size_t n, cap;
} names = { .lock = PTHREAD_MUTEX_INITIALIZER };

static char **name_slot(char **v, size_t cap, const char *s)
{
	size_t i = (size_t)XXH3_64bits(s, strlen(s)) & (cap - 1);
	while (v[i] && strcmp(v[i], s))
		i = (i + 1) & (cap - 1);
	return &v[i];
}

const char *intern(const char *s)
{
	pthread_mutex_lock(&names.lock);
	if (names.n * 2 >= names.cap) {
		size_t cap = names.cap ? names.cap * 2 : 256;
		char **v = xalloc(cap, sizeof *v);
		for (size_t i = 0; i < names.cap; i++)
			if (names.v[i])
				*name_slot(v, cap, names.v[i]) = names.v[i];
		free(names.v);
		names.v = v;
		names.cap = cap;
	}
	char **slot = name_slot(names.v, names.cap, s);
	if (!*slot) {
		*slot = xstrdup(s);
		names.n++;
	}
	const char *out = *slot;
	pthread_mutex_unlock(&names.lock);
	return out;
}

int format_channel(const struct format *f, const char *name)
{
	for (int i = 0; i < f->nch; i++)
		if (f->ch[i] == name || !strcmp(f->ch[i], name))
			return i;
	return -1;
}

void format_channels(struct format *f, const char *list)
{
	char *copy = xstrdup(list), *rest = NULL;
	f->nch = 0;
	for (char *s = strtok_r(copy, " ", &rest); s; s = strtok_r(NULL, " ", &rest)) {
		assert(f->nch < IN_MAX_CH);
		f->ch[f->nch++] = intern(s);
	}
	free(copy);
}

/* Windows stay far from the ends of int, so that growing one cannot overflow. */
static int window_check(const char *what, struct rect r, struct err *e)
{
	enum { FAR = 1 << 28 };
	if (r.x0 < -FAR || r.y0 < -FAR || r.x1 > FAR || r.y1 > FAR)
		return err_set(e, E_INPUT, "%s window (%d,%d)-(%d,%d) lies too far out", what,
		               r.x0, r.y0, r.x1, r.y1);
	if (rect_w(r) > IN_MAX_SIDE || rect_h(r) > IN_MAX_SIDE)
		return err_set(e, E_MEMORY, "%s window of %d x %d: a side may have %d pixels", what,
		               rect_w(r), rect_h(r), (int)IN_MAX_SIDE);
	if (rect_area(r) > IN_MAX_PIXELS)
		return err_set(e, E_MEMORY, "%s window of %d x %d: a picture may have %zu pixels", what,
		               rect_w(r), rect_h(r), IN_MAX_PIXELS);
	return 0;
}

int format_check(const struct format *f, struct err *e)
{
	if (window_check("data", f->data, e) || window_check("display", f->display, e))
		return -1;
	if (rect_empty(f->display))
		return err_set(e, E_INPUT, "the display window is empty");
	if (f->nch < 0 || f->nch > IN_MAX_CH)
		return err_set(e, E_INPUT, "%d channels: a picture may have %d", f->nch, (int)IN_MAX_CH);
	for (int i = 0; i < f->nch; i++)
		for (int j = 0; j < i; j++)
			if (!strcmp(f->ch[i], f->ch[j]))
				return err_set(e, E_INPUT, "channel '%s' twice", f->ch[i]);
	if (f->par.num <= 0 || f->par.den <= 0)
		return err_set(e, E_INPUT, "pixel aspect %d/%d is not a ratio above 0",
		               f->par.num, f->par.den);
	if (f->fps.num < 0 || f->fps.den <= 0)
		return err_set(e, E_INPUT, "frame rate %d/%d is not a rate", f->fps.num, f->fps.den);
	if (f->last < f->first)
		return err_set(e, E_INPUT, "frame range %d to %d is empty", f->first, f->last);
	return 0;
}

static void hash_i32(struct sha *s, int v)
{
	sha_u64(s, (uint64_t)(int64_t)v);
}

static void hash_rect(struct sha *s, struct rect r)
{
	hash_i32(s, r.x0);
	hash_i32(s, r.y0);
	hash_i32(s, r.x1);
	hash_i32(s, r.y1);
}

/* Spaces enter by name: ids may move when the table grows. */
static void hash_space(struct sha *s, int id)
{
	sha_str(s, id >= 0 ? colour_name(id) : NULL);
}

void format_hash(struct sha *s, const struct format *f)
{
	hash_rect(s, f->data);
	hash_rect(s, f->display);
	hash_i32(s, f->par.num);
	hash_i32(s, f->par.den);
	hash_i32(s, f->fps.num);
	hash_i32(s, f->fps.den);
	hash_i32(s, f->first);
	hash_i32(s, f->last);
	hash_space(s, f->space);
	hash_space(s, f->encoded);
	hash_i32(s, f->nch);
	for (int i = 0; i < f->nch; i++)
		sha_str(s, f->ch[i]);
}

struct view view_sub(const struct view *v, struct rect r)
{
	struct view out = *v;
	assert(rect_holds(v->r, r));
	out.r = r;
	if (rect_empty(r))
		return out;
	for (int c = 0; c < v->nch; c++)
		out.plane[c] = view_at(v, c, r.x0, r.y0);
	return out;
}

/* Rows start on 64 bytes; a stride that is a multiple of a page is avoided, since columns of such
 * a picture would fall into few cache sets. */
static size_t row_floats(const struct format *f)
{
	size_t n = ((size_t)rect_w(f->data) + 15) / 16 * 16;
	return n && n % 1024 == 0 ? n + 16 : n;
}

/* Planes are no whole number of pages apart: the same pixel of all of them would fall into one cache set. */
static size_t plane_floats(const struct format *f)
{
	size_t n = row_floats(f) * (size_t)rect_h(f->data);
	return n % 1024 < 64 ? n + 80 : n;
}

size_t image_bytes(const struct format *f)
{
	return plane_floats(f) * (size_t)f->nch * sizeof(float);
}

struct image *image_new(struct pool *p, const struct format *f, const char *owner, struct err *e)
{
	if (format_check(f, e)) {
		err_in(e, "%s", owner);
		return NULL;
	}
	size_t bytes = image_bytes(f), plane = plane_floats(f);
	float *pixels = pool_alloc(p, bytes, owner, e);
	if (!pixels)
		return NULL;
	struct image *im = xalloc(1, sizeof *im);
	im->refs = 1;
	im->pool = p;
	im->fmt = *f;
	im->bytes = bytes;
	im->view = (struct view){ .r = f->data, .stride = (ptrdiff_t)row_floats(f), .nch = f->nch };
	for (int c = 0; c < f->nch; c++)
		im->view.plane[c] = pixels + plane * (size_t)c;
	if (f->nch == 0)
		im->view.plane[0] = pixels;
	return im;
}

struct image *image_ref(struct image *im)
{
	if (im)
		atomic_fetch_add(&im->refs, 1);
	return im;
}

void image_unref(struct image **im)
{
	struct image *i = *im;
	*im = NULL;
	if (!i || atomic_fetch_sub(&i->refs, 1) > 1)
		return;
	pool_release(i->pool, i->view.plane[0]);
	free(i);
}

/* Rows without a NaN, that is nearly all, are only read: one comparison looks at two vectors. */
static bool has_nan(const float *row, int n)
{
	__m128 any = _mm_setzero_ps(), more = any;
	int x = 0;
	for (; x + 32 <= n; x += 32)
		for (int k = 0; k < 32; k += 16) {
			const float *p = row + x + k;
			any = _mm_or_ps(any, _mm_cmpunord_ps(_mm_loadu_ps(p), _mm_loadu_ps(p + 4)));
			more = _mm_or_ps(more, _mm_cmpunord_ps(_mm_loadu_ps(p + 8), _mm_loadu_ps(p + 12)));
		}
	bool found = _mm_movemask_ps(_mm_or_ps(any, more)) != 0;
	for (; x < n; x++) found |= row[x] != row[x];
	return found;
}

static void canon_row(float *row, int n)
{
	if (!has_nan(row, n)) return;
	for (int x = 0; x < n; x++) {
		uint32_t u;
		memcpy(&u, &row[x], sizeof u);
		u = (u & 0x7fffffffu) > 0x7f800000u ? 0x7fc00000u : u;
		memcpy(&row[x], &u, sizeof u);
	}
}

void view_canon_nan(const struct view *v, struct rect r)
{
	r = rect_and(r, v->r);
	for (int c = 0; c < v->nch; c++)
		for (int y = r.y0; y < r.y1; y++)
			canon_row(view_at(v, c, r.x0, y), rect_w(r));
}

void view_clear(const struct view *v, struct rect r)
{
	r = rect_and(r, v->r);
	for (int c = 0; c < v->nch; c++)
		for (int y = r.y0; y < r.y1; y++)
			memset(view_at(v, c, r.x0, y), 0, (size_t)rect_w(r) * sizeof(float));
}

struct pixhash image_hash(const struct image *im)
{
	const struct view *v = &im->view;
	const struct format *f = &im->fmt;
	XXH3_state_t *st = XXH3_createState();
	assert(st);
	XXH3_128bits_reset(st);

	const int32_t head[9] = { f->data.x0, f->data.y0, f->data.x1, f->data.y1, f->display.x0,
	                          f->display.y0, f->display.x1, f->display.y1, f->nch };
	XXH3_128bits_update(st, head, sizeof head);
	for (int c = 0; c < f->nch; c++)
		XXH3_128bits_update(st, f->ch[c], strlen(f->ch[c]) + 1);
	for (int c = 0; c < f->nch; c++)
		for (int y = f->data.y0; y < f->data.y1; y++)
			XXH3_128bits_update(st, view_at(v, c, f->data.x0, y),
			                    (size_t)rect_w(f->data) * sizeof(float));
	XXH128_hash_t h = XXH3_128bits_digest(st);
	XXH3_freeState(st);
	return (struct pixhash){ .lo = h.low64, .hi = h.high64 };
}
