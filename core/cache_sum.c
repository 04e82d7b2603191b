/* cache_sum - see cache_sum.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cache_sum.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

struct cache_sum cache_sum_new(const struct image *im)
{
	struct cache_sum s = { .im = im, .n = (rect_h(im->fmt.data) + CACHE_STRIP - 1) / CACHE_STRIP };
	s.strip = xalloc((size_t)s.n + 1, sizeof *s.strip);
	return s;
}

void cache_sum_free(struct cache_sum *s)
{
	free(s->strip);
	s->strip = NULL;
}

static struct pixhash rows_hash(const struct image *im, int y0, int y1)
{
	struct rect d = im->fmt.data;
	XXH3_state_t *st = XXH3_createState();
	assert(st);
	XXH3_128bits_reset(st);
	for (int c = 0; c < im->fmt.nch; c++)
		for (int y = y0; y < y1; y++)
			XXH3_128bits_update(st, view_at(&im->view, c, d.x0, y), (size_t)rect_w(d) * sizeof(float));
	XXH128_hash_t h = XXH3_128bits_digest(st);
	XXH3_freeState(st);
	return (struct pixhash){ .lo = h.low64, .hi = h.high64 };
}

void cache_sum_rows(struct cache_sum *s, struct rect rows)
{
	struct rect d = s->im->fmt.data;
	for (int y = rows.y0; y < rows.y1; y += CACHE_STRIP) {
		int end = y + CACHE_STRIP < d.y1 ? y + CACHE_STRIP : d.y1;
		assert((y - d.y0) % CACHE_STRIP == 0 && end <= rows.y1);
		s->strip[(y - d.y0) / CACHE_STRIP] = rows_hash(s->im, y, end);
	}
}

struct pixhash cache_sum_end(const struct cache_sum *s)
{
	const struct format *f = &s->im->fmt;
	struct sha head;
	sha_init(&head);
	const int v[9] = { f->data.x0, f->data.y0, f->data.x1, f->data.y1, f->display.x0, f->display.y0,
		f->display.x1, f->display.y1, f->nch };
	for (size_t i = 0; i < IN_COUNT(v); i++) sha_u64(&head, (uint64_t)(int64_t)v[i]);
	for (int c = 0; c < f->nch; c++) sha_str(&head, f->ch[c]);
	struct key k = sha_end(&head);
	s->strip[s->n] = pixhash_bytes(k.b, sizeof k.b);
	return pixhash_join(s->strip, (size_t)s->n + 1);
}
