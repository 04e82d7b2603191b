/* exr_luma - the last step of reading: subsampled channels to full size, luminance-chroma to colour.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "exr_int.h"

/* The part of the output that the file has pixels for. */
static struct rect shared_rect(const struct exr_part *p)
{
	return rect_and(p->out->r, p->data);
}

static void interpolate(const struct exr_part *p, float *line)
{
	struct rect r = shared_rect(p);
	for (int c = 0; c < p->nch; c++) {
		const struct exr_dest *d = &p->dest[c];
		if (!d->sampled || d->nto == 0)
			continue;
		for (int y = r.y0; y < r.y1; y++) {
			float *row = view_at(p->out, d->to[0], r.x0, y);
			exr_samples_row(&d->s, false, y, r.x0, r.x1, line, row);
			for (int i = 1; i < d->nto; i++)
				memcpy(view_at(p->out, d->to[i], r.x0, y), row, (size_t)rect_w(r) * sizeof *row);
		}
	}
}

static const struct exr_dest *dest_of(const struct exr_part *p, const char *name)
{
	for (int c = 0; c < p->nch; c++)
		if (!strcmp(p->list->entries[c].name.str, name))
			return &p->dest[c];
	return NULL;
}

/* Luminance-chroma rows on their way to RGB. rows: the last three rows, by y modulo 3. */
struct luma_job {
	const struct exr_part *p;
	double w[3];
	float *line, *yc[3], *rows[3][3];
	int have;                  /* rows up to this one are made */
};

static void luma_row(struct luma_job *j, int y)
{
	static const char *const names[3] = { "Y", "RY", "BY" };
	const struct rect *d = &j->p->data;
	float **out = j->rows[(y - d->y0) % 3];
	for (int i = 0; i < 3; i++)
		exr_samples_row(&dest_of(j->p, names[i])->s, i > 0, y, d->x0, d->x1, j->line, j->yc[i]);
	exr_yc_row(j->yc[0], j->yc[1], j->yc[2], j->w, rect_w(*d), out[0], out[1], out[2]);
}

/* Row y, for which the rows above and below are needed too. */
static float **luma_want(struct luma_job *j, int y)
{
	const struct rect *d = &j->p->data;
	y = y < d->y0 ? d->y0 : y >= d->y1 ? d->y1 - 1 : y;
	while (j->have < y)
		luma_row(j, ++j->have);
	return j->rows[(y - d->y0) % 3];
}

static void luma_to_rgb(struct luma_job *j, const struct format *fmt)
{
	static const char *const rgb[3] = { "R", "G", "B" };
	const struct exr_part *p = j->p;
	struct rect r = shared_rect(p);
	int at[3];
	for (int c = 0; c < 3; c++)
		at[c] = format_channel(fmt, rgb[c]);
	j->have = (r.y0 > p->data.y0 ? r.y0 - 1 : p->data.y0) - 1;
	for (int y = r.y0; y < r.y1; y++) {
		float **up = luma_want(j, y - 1), **mid = luma_want(j, y), **down = luma_want(j, y + 1);
		for (int x = r.x0; x < r.x1; x++) {
			float v[3];
			exr_yc_fix(up, mid, down, j->w, rect_w(p->data), x - p->data.x0, v);
			for (int c = 0; c < 3; c++)
				if (at[c] >= 0)
					*view_at(p->out, at[c], x, y) = v[c];
		}
	}
}

int exr_finish_samples(const struct exr_part *p, const struct format *fmt,
                       const struct exr_info *info, struct err *e)
{
	static const double rec709[8] = { 0.64, 0.33, 0.30, 0.60, 0.15, 0.06, 0.3127, 0.3290 };
	struct luma_job j = { .p = p };
	size_t n = (size_t)rect_w(p->data);
	if (!p->interpolates || rect_empty(shared_rect(p)))
		return 0;
	if (p->luma == LUMA_CHROMA && exr_luma_weights(info->has_chroma ? info->chroma : rec709, j.w))
		return err_set(e, E_INPUT, "its chromaticities make no colour space");
	float *work = calloc(n * 13, sizeof *work);
	if (!work)
		return err_set(e, E_MEMORY, "no memory for rows of %zu pixels", n);
	j.line = work;
	for (size_t i = 0; i < 3; i++) {
		j.yc[i] = work + n * (1 + i);
		for (size_t c = 0; c < 3; c++)
			j.rows[i][c] = work + n * (4 + 3 * i + c);
	}
	interpolate(p, j.line);
	if (p->luma == LUMA_CHROMA)
		luma_to_rgb(&j, fmt);
	free(work);
	view_canon_nan(p->out, p->out->r);
	return 0;
}

