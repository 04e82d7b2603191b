/* exr_read - EXR files read in independent parts: plain scanline files by exr_chunk, all others through
 * OpenEXRCore by exr_decode.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "exr_int.h"

enum { PART_BYTES = 1 << 20, PART_ROWS = 16 };

/* Threads: frozen after opening, except the parts' idle lanes, which lock guards. */
struct exr_reader {
	struct exr_file f;
	struct exr_info info;
	struct format fmt;
	struct view out;
	struct exr_part *part;
	int npart, ntask;
	pthread_mutex_t lock;
};

static void send(struct exr_dest *d, const struct format *fmt, const char *name)
{
	int c = format_channel(fmt, name);
	if (c >= 0)
		d->to[d->nto++] = c;
}

static void send_grey(struct exr_dest *d, const struct format *fmt)
{
	send(d, fmt, "R");
	send(d, fmt, "G");
	send(d, fmt, "B");
}

/* Decides for each channel of the part where it goes. */
static int route(struct exr_part *p, const struct format *fmt, struct err *e)
{
	const char *part = NULL;
	if (p->index > 0)
		exr_get_name(p->f->ctx, p->index, &part);
	p->luma = p->index ? LUMA_NONE : exr_luma(p->list);
	for (int c = 0; c < p->nch; c++) {
		const exr_attr_chlist_entry_t *ch = &p->list->entries[c];
		const char *name = ch->name.str;
		struct exr_dest *d = &p->dest[c];
		bool yc = p->luma == LUMA_CHROMA
		          && (!strcmp(name, "Y") || !strcmp(name, "RY") || !strcmp(name, "BY"));
		if (part) {
			char *full = xasprintf("%s.%s", part, name);
			send(d, fmt, full);
			free(full);
		} else if (p->luma == LUMA_GREY && !strcmp(name, "Y")) {
			send_grey(d, fmt);
		} else if (!yc) {
			send(d, fmt, name);
		}
		d->sampled = yc || (d->nto && (ch->x_sampling > 1 || ch->y_sampling > 1));
		if (d->sampled && p->tiled && (ch->x_sampling > 1 || ch->y_sampling > 1))
			return err_set(e, E_INPUT, "tiled with subsampled channel '%s'", name);
		p->interpolates = p->interpolates || d->sampled;
		if (d->sampled && exr_samples_init(&d->s, p->data, ch->x_sampling, ch->y_sampling, e))
			return -1;
	}
	return 0;
}

/* How many chunks there are and how many make a task: whole rows of tiles, whole lots of PART_ROWS lines. */
static int count_chunks(struct exr_part *p, struct err *e)
{
	int w = rect_w(p->data), h = rect_h(p->data), step = p->tiled ? p->tile_h : p->lines;
	size_t bytes = (size_t)w * (size_t)p->nch * sizeof(float), rows = PART_BYTES / bytes;
	p->across = p->tiled ? (w - 1) / p->tile_w + 1 : 1;
	p->nchunk = ((h - 1) / step + 1) * p->across;
	rows -= rows % PART_ROWS;
	if (rows < PART_ROWS)
		rows = PART_ROWS;
	p->task_rows = rows > (size_t)step ? (int)(rows / (size_t)step) * step : step;
	p->task_chunks = p->task_rows / step * p->across;
	p->ntask = (p->nchunk - 1) / p->task_chunks + 1;
	for (int c = 0; c < p->nch; c++) {
		const exr_attr_chlist_entry_t *ch = &p->list->entries[c];
		p->row += (size_t)w * (ch->pixel_type == EXR_PIXEL_HALF ? 2 : 4);
	}
	return p->nchunk < 1 ? err_set(e, E_INPUT, "%s: no chunks", p->f->path) : 0;
}

static int part_open(struct exr_part *p, struct err *e)
{
	exr_context_t ctx = p->f->ctx;
	exr_storage_t kind;
	exr_attr_box2i_t box;
	int32_t lines = 1, tw = 0, th = 0;
	exr_result_t rc = exr_get_storage(ctx, p->index, &kind);
	if (!rc)
		rc = exr_get_compression(ctx, p->index, &p->comp);
	if (!rc)
		rc = exr_get_data_window(ctx, p->index, &box);
	if (!rc)
		rc = exr_get_channels(ctx, p->index, &p->list);
	p->tiled = kind == EXR_STORAGE_TILED;
	if (!rc && p->tiled)
		rc = exr_get_tile_sizes(ctx, p->index, 0, 0, &tw, &th);
	else if (!rc)
		rc = exr_get_scanlines_per_chunk(ctx, p->index, &lines);
	if (rc || exr_rect(&box, &p->data) || lines < 1 || (p->tiled && (tw < 1 || th < 1)))
		return exr_file_fail(p->f, rc ? rc : EXR_ERR_INVALID_ATTR, "unusable header", e);
	p->tile_w = tw;
	p->tile_h = th;
	p->lines = lines;
	p->nch = p->list->num_channels;
	p->dest = xalloc((size_t)p->nch, sizeof *p->dest);
	return count_chunks(p, e);
}

static void part_close(struct exr_part *p)
{
	for (struct exr_lane *l = p->idle; l; l = p->idle) {
		p->idle = l->next;
		exr_lane_free(p, l);
	}
	for (int c = 0; p->dest && c < p->nch; c++)
		free(p->dest[c].s.v);
	free(p->dest);
	free(p->table);
}

/* Whether exr_chunk can read it: a part alone in its file, plain compression, no subsampling. */
static void choose_way(struct exr_part *p, int nparts)
{
	bool plain = nparts == 1 && !p->tiled && p->comp <= EXR_COMPRESSION_PIZ, floats = true;
	for (int c = 0; c < p->nch; c++) {
		const exr_attr_chlist_entry_t *ch = &p->list->entries[c];
		plain = plain && ch->x_sampling == 1 && ch->y_sampling == 1 && !p->dest[c].sampled;
		floats = floats && ch->pixel_type == EXR_PIXEL_FLOAT;
	}
	if (plain)
		p->table = exr_chunk_table(p->f, p->nchunk);
	p->direct = p->table && floats && p->comp == EXR_COMPRESSION_NONE && rect_holds(p->out->r, p->data);
}

static int add_part(struct exr_reader *r, int index, int nparts, struct err *e)
{
	struct exr_part *p = &r->part[r->npart];
	bool wanted;
	*p = (struct exr_part){ .f = &r->f, .index = index, .out = &r->out };
	r->npart++;
	if (part_open(p, e))
		return -1;
	if (route(p, &r->fmt, e))
		return err_in(e, "%s", r->f.path);
	wanted = p->interpolates;
	for (int c = 0; c < p->nch; c++)
		wanted = wanted || p->dest[c].nto;
	if (!wanted)
		p->ntask = 0;
	choose_way(p, nparts);
	r->ntask += p->ntask;
	return 0;
}

/* Planes and places that the file may not fill. */
static void clear_rest(const struct exr_info *info, const struct format *fmt,
                       const struct view *out)
{
	if (!rect_holds(info->fmt.data, out->r)) {
		view_clear(out, out->r);
		return;
	}
	for (int c = 0; c < fmt->nch; c++) {
		if (format_channel(&info->fmt, fmt->ch[c]) >= 0)
			continue;
		struct view one = { .r = out->r, .stride = out->stride, .nch = 1,
		                    .plane = { out->plane[c] } };
		view_clear(&one, one.r);
	}
}

int exr_read_open(struct exr_reader **out, const char *path, const struct format *fmt,
                  const struct view *v, struct err *e)
{
	struct exr_reader *r = xalloc(1, sizeof *r);
	int nparts = 1;
	assert(v->nch == fmt->nch);
	*out = NULL;
	pthread_mutex_init(&r->lock, NULL);
	r->fmt = *fmt;
	r->out = *v;
	if (exr_file_open(&r->f, path, e))
		goto fail;
	if (exr_info_fill(&r->f, &r->info, e) || exr_readable(path, &r->info, e))
		goto fail;
	clear_rest(&r->info, fmt, v);
	exr_get_count(r->f.ctx, &nparts);
	r->part = xalloc((size_t)nparts, sizeof *r->part);
	for (int p = 0; p < nparts; p++)
		if ((p == 0 || exr_part_joins(&r->f, p, &r->info.fmt.data)) && add_part(r, p, nparts, e))
			goto fail;
	(void)posix_fadvise(r->f.fd, 0, 0, POSIX_FADV_SEQUENTIAL);
	*out = r;
	return 0;
fail:
	exr_read_abort(&r);
	return -1;
}

/* OpenEXRCore holds a chunk packed, unpacked and, for PIZ, twice more; its tables are the rest. */
size_t exr_reader_bytes(const struct exr_info *info, int threads)
{
	enum { TABLES = 1 << 21 };
	size_t w = (size_t)rect_w(info->fmt.data), h = (size_t)rect_h(info->fmt.data);
	size_t lane = 5 * (size_t)info->chunk + TABLES, table = h * sizeof(uint64_t) + 65536;
	size_t samples = info->luma_chroma ? (w * h * 3 + w * 13) * sizeof(float) : 0;
	return table + samples + (size_t)threads * lane;
}

const struct exr_info *exr_read_info(const struct exr_reader *r)
{
	return &r->info;
}

int exr_read_parts(const struct exr_reader *r)
{
	return r->ntask > 0 ? r->ntask : 1;
}

struct rect exr_read_rows(const struct exr_reader *r, int i)
{
	const struct exr_part *p = &r->part[0];
	int y = p->data.y0 + i * p->task_rows;
	if (r->npart > 1 || p->interpolates || i >= p->ntask)
		return rect_of(0, 0, 0, 0);
	return rect_and(r->out.r, rect_of(r->out.r.x0, y, r->out.r.x1, y + p->task_rows));
}

static struct exr_lane *take(struct exr_reader *r, struct exr_part *p)
{
	pthread_mutex_lock(&r->lock);
	struct exr_lane *l = p->idle;
	if (l)
		p->idle = l->next;
	pthread_mutex_unlock(&r->lock);
	return l ? l : xalloc(1, sizeof *l);
}

int exr_read_part(struct exr_reader *r, int i, struct err *e)
{
	struct exr_part *p = r->part;
	for (; p < r->part + r->npart && i >= p->ntask; p++)
		i -= p->ntask;
	if (p == r->part + r->npart)
		return 0;
	int first = i * p->task_chunks, n = p->nchunk - first;
	if (n > p->task_chunks)
		n = p->task_chunks;
	struct exr_lane *l = take(r, p);
	int rc = p->table ? exr_chunks_read(p, l, first, n, e) : exr_decode(p, l, first, n, e);
	pthread_mutex_lock(&r->lock);
	l->next = p->idle;
	p->idle = l;
	pthread_mutex_unlock(&r->lock);
	return rc;
}

void exr_read_abort(struct exr_reader **pr)
{
	struct exr_reader *r = *pr;
	if (!r)
		return;
	*pr = NULL;
	for (int i = 0; i < r->npart; i++)
		part_close(&r->part[i]);
	free(r->part);
	exr_info_free(&r->info);
	exr_file_close(&r->f);
	pthread_mutex_destroy(&r->lock);
	free(r);
}

int exr_read_finish(struct exr_reader **pr, struct err *e)
{
	struct exr_reader *r = *pr;
	int rc = 0;
	for (int i = 0; !rc && i < r->npart; i++)
		if (r->part[i].ntask && exr_finish_samples(&r->part[i], &r->fmt, &r->info, e))
			rc = err_in(e, "%s", r->f.path);
	exr_read_abort(pr);
	return rc;
}

int exr_read(const char *path, const struct format *fmt, const struct view *out, struct err *e)
{
	struct exr_reader *r;
	if (exr_read_open(&r, path, fmt, out, e))
		return -1;
	for (int i = 0; i < exr_read_parts(r); i++)
		if (exr_read_part(r, i, e)) {
			exr_read_abort(&r);
			return -1;
		}
	return exr_read_finish(&r, e);
}
