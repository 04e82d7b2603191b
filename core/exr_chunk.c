/* exr_chunk - chunks of scanline files with NONE, RLE, ZIPS, ZIP and PIZ, read without OpenEXRCore:
 * samples go from the file to the planes with as few copies as the compression allows.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "exr_int.h"

enum { LEADER = 8, MAX_IOV = 1024 };

static uint64_t get_le(const uint8_t *p, int n)
{
	uint64_t v = 0;
	for (int i = n; i-- > 0;)
		v = v << 8 | p[i];
	return v;
}

/* What the file has at `at`, at most n bytes; -1 with errno. */
static ssize_t read_at(const struct exr_file *f, void *p, size_t n, uint64_t at)
{
	size_t got = 0;
	while (got < n) {
		ssize_t r = pread(f->fd, (char *)p + got, n - got, (off_t)(at + got));
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		if (r == 0)
			break;
		got += (size_t)r;
	}
	return (ssize_t)got;
}

/* The length of a text of at most 255 bytes with its end; 0: damage. */
static size_t text(const uint8_t *p, size_t n)
{
	size_t len = strnlen((const char *)p, n < 256 ? n : 256);
	return len < n && len < 256 ? len + 1 : 0;
}

/* Where the header of a single-part file ends: 0 when it does not. */
static uint64_t header_end(const struct exr_file *f)
{
	uint8_t b[520];
	uint64_t at = 8;
	for (;;) {
		ssize_t got = read_at(f, b, sizeof b, at);
		if (got < 1)
			return 0;
		if (b[0] == 0)
			return at + 1;
		size_t name = text(b, (size_t)got), type = name ? text(b + name, (size_t)got - name) : 0;
		size_t lead = name + type + 4;
		if (!type || lead > (size_t)got)
			return 0;
		uint64_t size = get_le(b + lead - 4, 4);
		if (size > f->size || at > f->size - size)
			return 0;
		at += lead + size;
	}
}

uint64_t *exr_chunk_table(const struct exr_file *f, int n)
{
	uint64_t at = header_end(f);
	size_t bytes = (size_t)n * sizeof(uint64_t);
	if (!at || at > f->size || bytes > f->size - at)
		return NULL;
	uint64_t *table = malloc(bytes);
	if (table && read_at(f, table, bytes, at) != (ssize_t)bytes) {
		free(table);
		return NULL;
	}
	for (int i = 0; table && i < n; i++)
		table[i] = get_le((const uint8_t *)&table[i], 8);
	return table;
}

static int damaged(struct exr_file *f, int y, const char *why, struct err *e)
{
	return err_set(e, E_INPUT, "%s: damaged or incomplete at line %d: %s", f->path, y, why);
}

static bool leader_is(const uint8_t *p, int y, size_t *packed, size_t raw)
{
	uint64_t n = get_le(p + 4, 4);
	*packed = (size_t)n;
	return (int32_t)(uint32_t)get_le(p, 4) == y && n > 0 && n <= raw;
}

/* How many chunks from i on, n at most, stand one behind the other with raw bytes each. */
static int in_a_row(const struct exr_part *p, int i, int n)
{
	size_t step = LEADER + p->row;
	int k = 1;
	while (k < n && p->table[i + k] - p->table[i + k - 1] == step)
		k++;
	return k;
}

/* preadv of exactly all pieces, which are changed on the way. */
static bool read_pieces(const struct exr_file *f, struct iovec *v, int n, uint64_t at)
{
	while (n > 0) {
		ssize_t r = preadv(f->fd, v, n, (off_t)at);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		at += (uint64_t)r;
		for (; n > 0 && (size_t)r >= v->iov_len; v++, n--)
			r -= (ssize_t)v->iov_len;
		if (n > 0) {
			v->iov_base = (char *)v->iov_base + r;
			v->iov_len -= (size_t)r;
		}
	}
	return true;
}

/* Uncompressed float rows straight into the planes; a channel that nobody wants goes to waste. */
static int direct(struct exr_part *p, struct exr_lane *l, int first, int n, struct err *e)
{
	struct iovec v[MAX_IOV];
	uint8_t lead[MAX_IOV / 2][LEADER];
	int k = 0, w = rect_w(p->data), x0 = p->data.x0, y0 = p->data.y0 + first;
	for (int i = 0; i < n; i++) {
		v[k++] = (struct iovec){ lead[i], LEADER };
		for (int c = 0; c < p->nch; c++) {
			const struct exr_dest *d = &p->dest[c];
			void *to = d->nto ? (void *)view_at(p->out, d->to[0], x0, y0 + i) : (void *)l->raw;
			v[k++] = (struct iovec){ to, (size_t)w * sizeof(float) };
		}
	}
	if (!read_pieces(p->f, v, k, p->table[first]))
		return damaged(p->f, y0, "the file ends too early", e);
	for (int i = 0; i < n; i++) {
		size_t packed;
		if (!leader_is(lead[i], y0 + i, &packed, p->row) || packed != p->row)
			return damaged(p->f, y0 + i, "a wrong line or size", e);
		for (int c = 0; c < p->nch; c++) {
			const struct exr_dest *d = &p->dest[c];
			if (d->nto == 0)
				continue;
			float *row = view_at(p->out, d->to[0], x0, y0 + i);
			exr_row_canon(row, w);
			for (int j = 1; j < d->nto; j++)
				memcpy(view_at(p->out, d->to[j], x0, y0 + i), row, (size_t)w * sizeof *row);
		}
	}
	return 0;
}

static void put_rows(const struct exr_part *p, const uint8_t *src, int y, int rows)
{
	int w = rect_w(p->data);
	for (int i = 0; i < rows; i++)
		for (int c = 0; c < p->nch; c++) {
			int type = (int)p->list->entries[c].pixel_type;
			exr_put_row(p, &p->dest[c], p->data.x0, y + i, src, w, type);
			src += (size_t)w * (type == EXR_PIXEL_HALF ? 2 : 4);
		}
}

/* The bytes of a chunk with its leader, as far as the file has them. */
static ssize_t fetch(struct exr_part *p, struct exr_lane *l, int i, size_t raw)
{
	uint64_t at = p->table[i];
	size_t n = LEADER + raw;
	if (i + 1 < p->nchunk && p->table[i + 1] > at && p->table[i + 1] - at < n)
		n = (size_t)(p->table[i + 1] - at);
	return at < p->f->size ? read_at(p->f, l->packed, n, at) : 0;
}

static int unpiz(const struct exr_part *p, struct exr_lane *l, int y, int rows, size_t packed)
{
	for (int c = 0; c < p->nch; c++) {
		int words = p->list->entries[c].pixel_type == EXR_PIXEL_HALF ? 1 : 2;
		l->ch[c] = (struct exr_piz_channel){ rect_w(p->data), rows, words, 1, NULL };
	}
	return exr_unpiz(l->piz, l->ch, p->nch, y, rows, (uint16_t *)(void *)l->tmp, l->raw,
	                 l->packed + LEADER, packed);
}

static int one_chunk(struct exr_part *p, struct exr_lane *l, int i, struct err *e)
{
	int y = p->data.y0 + i * p->lines, rows = p->data.y1 - y < p->lines ? p->data.y1 - y : p->lines;
	size_t raw = (size_t)rows * p->row, packed;
	ssize_t got = fetch(p, l, i, raw);
	if (got < 0)
		return damaged(p->f, y, strerror(errno), e);
	if (got < LEADER)
		return damaged(p->f, y, "the file ends too early", e);
	if (!leader_is(l->packed, y, &packed, raw))
		return damaged(p->f, y, "a wrong line or size", e);
	if (packed > (size_t)got - LEADER)
		return damaged(p->f, y, "the chunk is cut off", e);
	const uint8_t *src = l->packed + LEADER;
	if (packed < raw) {
		if (p->comp == EXR_COMPRESSION_PIZ ? unpiz(p, l, y, rows, packed)
		    : p->comp == EXR_COMPRESSION_NONE || exr_unsqueeze(l->zip, l->raw, raw, l->tmp, src, packed))
			return damaged(p->f, y, "the samples cannot be unpacked", e);
		src = l->raw;
	}
	put_rows(p, src, y, rows);
	return 0;
}

static bool lane_room(struct exr_part *p, struct exr_lane *l)
{
	size_t n = (size_t)p->lines * p->row;
	bool zip = p->comp == EXR_COMPRESSION_ZIP || p->comp == EXR_COMPRESSION_ZIPS;
	bool piz = p->comp == EXR_COMPRESSION_PIZ;
	if (l->packed)
		return true;
	l->packed = malloc(n + LEADER);
	l->raw = malloc(n);
	l->tmp = p->comp == EXR_COMPRESSION_NONE ? NULL : malloc(n);
	l->zip = zip ? libdeflate_alloc_decompressor() : NULL;
	l->piz = piz ? exr_unpiz_new() : NULL;
	l->ch = piz ? xalloc((size_t)p->nch, sizeof *l->ch) : NULL;
	return l->packed && l->raw && (l->tmp || p->comp == EXR_COMPRESSION_NONE) && (l->zip || !zip)
	       && (l->piz || !piz);
}

int exr_chunks_read(struct exr_part *p, struct exr_lane *l, int first, int n, struct err *e)
{
	if (!lane_room(p, l))
		return err_set(e, E_MEMORY, "%s: no memory for a chunk", p->f->path);
	for (int i = first; i < first + n;) {
		int y = p->data.y0 + i * p->lines, most = (MAX_IOV - 1) / (1 + p->nch);
		if (y >= p->out->r.y1 || y + p->lines <= p->out->r.y0) {
			i++;
			continue;
		}
		int left = first + n - i, run = p->direct ? in_a_row(p, i, left < most ? left : most) : 1;
		if (p->direct ? direct(p, l, i, run, e) : one_chunk(p, l, i, e))
			return -1;
		i += run;
	}
	return 0;
}
