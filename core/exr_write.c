/* exr_write - scanline EXR files in independent parts, the same bytes in whatever order they are packed.
 *
 * Uncompressed parts have known places and go straight from the planes to the file. A compressed part is
 * placed when all parts before it have their sizes; until then it is held in memory, and when several are
 * held already, in the file itself, where it would stand if nothing had become smaller.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "exr_int.h"
#include "outfile.h"

enum { HELD_MAX = 8, PART_BYTES = 1 << 20, PART_ROWS = 16, LEADER = 8, ZIP_LEVEL = 1 };

/* A packed part that waits for its place: data, or, without it, n bytes at its widest place in the file. */
struct held { uint8_t *data; size_t n; bool ready; };

/* Threads: frozen after opening, except what lock guards; lanes belong to the thread that took one. */
struct exr_writer {
	struct outfile out;
	struct exr_head head;
	struct exr_write w;
	struct format fmt;
	struct view v;
	size_t row, part_room;     /* bytes of a row of samples; the most that a part takes in the file */
	int nchunk, nparts, part_chunks;
	uint64_t first;            /* offset of the first chunk */
	uint64_t *table;           /* chunk sizes with leader, then offsets; each part writes its own */
	pthread_mutex_t lock;
	struct exr_packer *free;
	struct held *held;
	int next, nheld;           /* the first part without a place; how many data are held */
	uint64_t end;              /* where it goes */
};

static bool compressed(const struct exr_writer *x)
{
	return x->w.compression != EXRC_NONE;
}

static int rows_of(const struct exr_writer *x, int chunk)
{
	int y = chunk * x->head.lines, h = rect_h(x->fmt.data);
	return h - y < x->head.lines ? h - y : x->head.lines;
}

static void put_le(uint8_t *p, uint64_t v, int n)
{
	for (int i = 0; i < n; i++)
		p[i] = (uint8_t)(v >> (8 * i));
}

static void leader(uint8_t *p, int y, size_t n)
{
	put_le(p, (uint32_t)y, 4);
	put_le(p + 4, n, 4);
}

static size_t part_chunks(const struct format *f, int lines)
{
	size_t rows = PART_BYTES / ((size_t)f->nch * (size_t)rect_w(f->data) * sizeof(float));
	rows -= rows % PART_ROWS;
	if (rows < PART_ROWS)
		rows = PART_ROWS;
	return rows > (size_t)lines ? rows / (size_t)lines : 1;
}

static int lines_of(enum exr_compression c)
{
	return c == EXRC_ZIP ? 16 : c == EXRC_PIZ ? 32 : 1;
}

static size_t row_bytes(const struct format *f, bool half)
{
	return (size_t)f->nch * (size_t)rect_w(f->data) * (half ? 2 : 4);
}

size_t exr_writer_bytes(const struct format *f, const struct exr_write *w, int threads)
{
	enum { COMPRESSOR = 1 << 21 };
	size_t lines = (size_t)lines_of(w->compression), chunk = lines * row_bytes(f, w->half);
	size_t part = part_chunks(f, (int)lines) * (chunk + LEADER), n = (size_t)threads;
	size_t table = ((size_t)rect_h(f->data) + 1) * (sizeof(uint64_t) + sizeof(struct held)) + 65536;
	if (w->compression == EXRC_NONE)
		return table + (w->half ? n * part : n * PART_BYTES / 4);
	return table + n * (COMPRESSOR + part + (w->compression == EXRC_PIZ ? 7 : 2) * chunk) + HELD_MAX * part;
}

static void set_up(struct exr_writer *x)
{
	size_t h = (size_t)rect_h(x->fmt.data), lines = (size_t)x->head.lines;
	x->row = row_bytes(&x->fmt, x->w.half);
	x->part_chunks = (int)part_chunks(&x->fmt, x->head.lines);
	x->nchunk = (int)((h + lines - 1) / lines);
	x->nparts = (x->nchunk + x->part_chunks - 1) / x->part_chunks;
	x->part_room = (size_t)x->part_chunks * (LEADER + lines * x->row);
	x->table = xalloc((size_t)x->nchunk, sizeof *x->table);
	x->held = xalloc((size_t)x->nparts, sizeof *x->held);
	x->first = x->end = x->head.size + (uint64_t)x->nchunk * sizeof *x->table;
}

int exr_write_open(struct exr_writer **out, const char *path, const struct format *fmt,
                   const struct view *v, const struct exr_write *w, struct err *e)
{
	*out = NULL;
	assert(v->nch == fmt->nch && rect_holds(v->r, fmt->data));
	if (format_check(fmt, e))
		return err_in(e, "write %s", path);
	if (rect_empty(fmt->data) || fmt->nch < 1)
		return err_set(e, E_OUTPUT, "write %s: an EXR file cannot hold an empty picture (%d channels, "
		               "data window %d x %d)", path, fmt->nch, rect_w(fmt->data), rect_h(fmt->data));
	struct exr_writer *x = xalloc(1, sizeof *x);
	x->out = (struct outfile)OUTFILE_INIT;
	x->fmt = *fmt;
	x->v = *v;
	x->w = *w;
	x->head = (struct exr_head){ .fmt = &x->fmt, .w = w };
	pthread_mutex_init(&x->lock, NULL);
	if (exr_head_make(&x->head, path, e) || outfile_open(&x->out, path, e)) {
		exr_write_abort(&x);
		return -1;
	}
	x->head.w = &x->w;
	x->w.attr = NULL;
	set_up(x);
	*out = x;
	return 0;
}

int exr_write_parts(const struct exr_writer *x)
{
	return x->nparts;
}

struct rect exr_write_rows(const struct exr_writer *x, int i)
{
	struct rect r = x->fmt.data;
	int rows = x->part_chunks * x->head.lines, y = r.y0 + i * rows;
	return rect_and(r, rect_of(r.x0, y, r.x1, y + rows));
}

void exr_packer_free(struct exr_packer *p)
{
	if (!p)
		return;
	exr_piz_free(p);
	libdeflate_free_compressor(p->zip);
	free(p->raw);
	free(p->tmp);
	free(p->part);
	free(p);
}

/* NULL when the system has no memory. */
static struct exr_packer *packer_new(const struct exr_writer *x)
{
	struct exr_packer *p = calloc(1, sizeof *p);
	size_t chunk = (size_t)x->head.lines * x->row;
	bool zip = x->w.compression == EXRC_ZIP || x->w.compression == EXRC_ZIPS;
	if (!p)
		return NULL;
	p->head = &x->head;
	p->v = &x->v;
	p->half = x->w.half;
	p->zip = zip ? libdeflate_alloc_compressor(x->w.level ? x->w.level : ZIP_LEVEL) : NULL;
	p->part = malloc(x->part_room);
	p->raw = compressed(x) ? malloc(chunk) : NULL;
	p->tmp = compressed(x) ? malloc(chunk) : NULL;
	if (p->part && (!zip || p->zip) && (!compressed(x) || (p->raw && p->tmp)))
		return p;
	exr_packer_free(p);
	return NULL;
}

static struct exr_packer *take(struct exr_writer *x, struct err *e)
{
	pthread_mutex_lock(&x->lock);
	struct exr_packer *p = x->free;
	if (p)
		x->free = p->next;
	pthread_mutex_unlock(&x->lock);
	if (!p)
		p = packer_new(x);
	if (!p)
		err_set(e, E_MEMORY, "write %s: no memory for the compressor", x->out.path);
	return p;
}

static void give(struct exr_writer *x, struct exr_packer *p)
{
	pthread_mutex_lock(&x->lock);
	p->next = x->free;
	x->free = p;
	pthread_mutex_unlock(&x->lock);
}

/* Rows y.. of the picture as a file has them: each channel after channel. */
static void pack_rows(const struct exr_writer *x, uint8_t *dst, int y, int rows)
{
	int w = rect_w(x->fmt.data), x0 = x->fmt.data.x0;
	size_t one = x->row / (size_t)x->fmt.nch;
	for (int i = 0; i < rows; i++)
		for (int c = 0; c < x->fmt.nch; c++, dst += one)
			exr_row_to(dst, view_at(&x->v, x->head.plane[c], x0, y + i), w, x->w.half);
}

static int write_rows_half(struct exr_writer *x, int chunk, int n, uint64_t at, struct err *e)
{
	struct exr_packer *p = take(x, e);
	if (!p)
		return -1;
	uint8_t *dst = p->part;
	for (int i = 0; i < n; i++, dst += LEADER + x->row) {
		int y = x->fmt.data.y0 + chunk + i;
		leader(dst, y, x->row);
		pack_rows(x, dst + LEADER, y, 1);
	}
	int rc = outfile_write(&x->out, p->part, (size_t)(dst - p->part), at, e);
	give(x, p);
	return rc;
}

static int write_rows_float(struct exr_writer *x, int chunk, int n, uint64_t at, struct err *e)
{
	enum { MAX = 1024 };
	struct iovec v[MAX];
	uint8_t lead[MAX / 2][LEADER];
	size_t one = x->row / (size_t)x->fmt.nch;
	for (int i = 0; i < n;) {
		int k = 0, first = i;
		for (; i < n && k + 1 + x->fmt.nch <= MAX; i++) {
			int y = x->fmt.data.y0 + chunk + i;
			leader(lead[i - first], y, x->row);
			v[k++] = (struct iovec){ lead[i - first], LEADER };
			for (int c = 0; c < x->fmt.nch; c++)
				v[k++] = (struct iovec){ view_at(&x->v, x->head.plane[c], x->fmt.data.x0, y), one };
		}
		uint64_t bytes = (uint64_t)(i - first) * (LEADER + x->row);
		if (outfile_writev(&x->out, v, k, at, e))
			return -1;
		at += bytes;
	}
	return 0;
}

/* Every part has its place beforehand. */
static int write_raw(struct exr_writer *x, int chunk, int n, struct err *e)
{
	uint64_t at = x->first + (uint64_t)chunk * (LEADER + x->row);
	for (int i = 0; i < n; i++)
		x->table[chunk + i] = LEADER + x->row;
	return x->w.half ? write_rows_half(x, chunk, n, at, e) : write_rows_float(x, chunk, n, at, e);
}

/* The chunks of a part one after the other in p->part. -1 without a message: the library failed. */
static int pack_part(struct exr_writer *x, struct exr_packer *p, int chunk, int n, size_t *size)
{
	uint8_t *dst = p->part;
	for (int i = chunk; i < chunk + n; i++) {
		int y = x->fmt.data.y0 + i * x->head.lines, rows = rows_of(x, i);
		size_t raw = (size_t)rows * x->row, got;
		pack_rows(x, p->raw, y, rows);
		got = x->w.compression == EXRC_PIZ ? exr_piz_pack(p, y, dst + LEADER, raw)
		      : exr_squeeze(p->zip, dst + LEADER, p->tmp, p->raw, raw);
		if (got == 0)
			return -1;
		leader(dst, y, got);
		x->table[i] = LEADER + got;
		dst += LEADER + got;
	}
	*size = (size_t)(dst - p->part);
	return 0;
}

/* Behind everything that the file can come to hold. */
static uint64_t spill_place(const struct exr_writer *x, int part)
{
	return x->first + ((uint64_t)x->nparts + (uint64_t)part) * x->part_room;
}

/* Keeps a part whose place is not known yet: in memory while few are held, else in the file. */
static int keep(struct exr_writer *x, struct exr_packer *p, int part, size_t n, struct err *e)
{
	uint8_t *data = NULL;
	pthread_mutex_lock(&x->lock);
	bool room = x->nheld < HELD_MAX;
	x->nheld += room;
	pthread_mutex_unlock(&x->lock);
	if (room && (data = malloc(n)))
		memcpy(data, p->part, n);
	int rc = data ? 0 : outfile_write(&x->out, p->part, n, spill_place(x, part), e);
	pthread_mutex_lock(&x->lock);
	x->nheld -= room && !data;
	x->held[part] = (struct held){ data, n, rc == 0 };
	pthread_mutex_unlock(&x->lock);
	return rc;
}

static int move(struct exr_writer *x, struct exr_packer *p, int part, uint64_t at, struct err *e)
{
	struct held *h = &x->held[part];
	if (!h->data)
		return outfile_read(&x->out, p->part, h->n, spill_place(x, part), e)
		       || outfile_write(&x->out, p->part, h->n, at, e) ? -1 : 0;
	int rc = outfile_write(&x->out, h->data, h->n, at, e);
	free(h->data);
	h->data = NULL;
	pthread_mutex_lock(&x->lock);
	x->nheld--;
	pthread_mutex_unlock(&x->lock);
	return rc;
}

/* Gives part its place if all before it have theirs. */
static bool claim(struct exr_writer *x, int part, size_t n, uint64_t *at)
{
	pthread_mutex_lock(&x->lock);
	bool turn = x->next == part;
	*at = x->end;
	x->next += turn;
	x->end += turn ? n : 0;
	pthread_mutex_unlock(&x->lock);
	return turn;
}

/* The same for the first part without a place, if it is held. -1: none. */
static int claim_held(struct exr_writer *x, uint64_t *at)
{
	int part = -1;
	pthread_mutex_lock(&x->lock);
	if (x->next < x->nparts && x->held[x->next].ready) {
		part = x->next++;
		x->held[part].ready = false;
		*at = x->end;
		x->end += x->held[part].n;
	}
	pthread_mutex_unlock(&x->lock);
	return part;
}

static int place(struct exr_writer *x, struct exr_packer *p, int part, size_t n, struct err *e)
{
	uint64_t at;
	int rc = claim(x, part, n, &at) ? outfile_write(&x->out, p->part, n, at, e) : keep(x, p, part, n, e);
	while (!rc && (part = claim_held(x, &at)) >= 0)
		rc = move(x, p, part, at, e);
	return rc;
}

int exr_write_part(struct exr_writer *x, int i, struct err *e)
{
	int chunk = i * x->part_chunks, n = x->nchunk - chunk, rc;
	size_t size = 0;
	if (n > x->part_chunks)
		n = x->part_chunks;
	if (!compressed(x))
		return write_raw(x, chunk, n, e);
	struct exr_packer *p = take(x, e);
	if (!p)
		return -1;
	rc = pack_part(x, p, chunk, n, &size);
	if (rc)
		err_set(e, E_OUTPUT, "write %s: lines from %d: the library cannot compress them", x->out.path,
		        x->fmt.data.y0 + chunk * x->head.lines);
	else
		rc = place(x, p, i, size, e);
	give(x, p);
	return rc;
}

int exr_write_attr(struct exr_writer *x, const char *name, const char *value)
{
	return exr_head_patch(&x->head, name, value);
}

/* Header and table; what was kept behind the file's end goes. */
static int seal(struct exr_writer *x, struct err *e)
{
	uint64_t at = x->first;
	uint8_t *b = xalloc((size_t)x->nchunk, 8);
	bool whole = !compressed(x) || x->next == x->nparts;
	for (int i = 0; i < x->nchunk; i++) {
		whole = whole && x->table[i];
		put_le(b + 8 * (size_t)i, at, 8);
		at += x->table[i];
	}
	int rc = whole ? outfile_write(&x->out, b, (size_t)x->nchunk * 8, x->head.size, e)
	         : err_set(e, E_OUTPUT, "write %s: the file did not get all its lines", x->out.path);
	free(b);
	if (!rc)
		rc = outfile_write(&x->out, x->head.bytes, x->head.size, 0, e);
	return rc ? rc : outfile_cut(&x->out, at, e);
}

static void writer_free(struct exr_writer **px)
{
	struct exr_writer *x = *px;
	*px = NULL;
	for (struct exr_packer *p = x->free; p; p = x->free) {
		x->free = p->next;
		exr_packer_free(p);
	}
	for (int i = 0; x->held && i < x->nparts; i++)
		free(x->held[i].data);
	exr_head_free(&x->head);
	pthread_mutex_destroy(&x->lock);
	free(x->held);
	free(x->table);
	free(x);
}

void exr_write_abort(struct exr_writer **x)
{
	if (!*x)
		return;
	outfile_abort(&(*x)->out);
	writer_free(x);
}

int exr_write_finish(struct exr_writer **x, struct err *e)
{
	int rc = seal(*x, e);
	if (rc)
		outfile_abort(&(*x)->out);
	else
		rc = (*x)->w.nosync ? outfile_publish(&(*x)->out, e) : outfile_commit(&(*x)->out, e);
	writer_free(x);
	return rc;
}

int exr_write(const char *path, const struct format *fmt, const struct view *v,
              const struct exr_write *w, struct err *e)
{
	struct exr_writer *x;
	if (exr_write_open(&x, path, fmt, v, w, e))
		return -1;
	for (int i = 0; i < x->nparts; i++)
		if (exr_write_part(x, i, e)) {
			exr_write_abort(&x);
			return -1;
		}
	return exr_write_finish(&x, e);
}
