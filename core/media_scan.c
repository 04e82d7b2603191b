/* media_scan - see media_scan.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_scan.h"

#include <stdlib.h>

#include "mem.h"

#include "px_yuv.h"

/* next: the frame to come; last: the slot of the one before. */
struct scan { struct media *m; const struct media_info *in; float *mem, *tmp; struct scan_frame f;
	int next, last; };

static int open_planes(struct scan *s, const char *path, struct err *e)
{
	const struct plane_desc *d = &s->in->desc;
	size_t n = (size_t)d->w * (size_t)d->h;
	if (s->in->exr) return err_set(e, E_INPUT,
	                               "%s: EXR pictures are not looked at frame by frame here", path);
	s->mem = calloc(3 * n + yuv_row_scratch(d->w) + 64, sizeof *s->mem);
	if (!s->mem) return err_set(e, E_MEMORY, "%s: no memory for a frame", path);
	s->f = (struct scan_frame){ .w = d->w, .h = d->h, .rgb = { s->mem, s->mem + n, s->mem + 2 * n } };
	s->tmp = s->mem + 3 * n;
	return 0;
}

static void convert(struct scan *s, const struct planes *p)
{
	for (int y = 0; y < s->f.h; y++) {
		float *r = s->mem + (size_t)y * (size_t)s->f.w;
		size_t n = (size_t)s->f.w * (size_t)s->f.h;
		yuv_row_rgb(p, media_coef(s->m), y, s->tmp, r, r + n, r + 2 * n, NULL);
	}
}

struct scan *media_scan_open(const char *path, const char *raw, struct err *e)
{
	struct media_opts o = MEDIA_OPTS_INIT;
	struct scan *s = xalloc(1, sizeof *s);
	o.raw = raw;
	s->last = -1;
	if (media_open(path, &o, &s->m, e) == 0) {
		s->in = media_about(s->m);
		if (open_planes(s, path, e) == 0) return s;
	}
	media_scan_close(&s);
	return NULL;
}

const struct media_info *media_scan_about(const struct scan *s) { return s->in; }

int media_scan_next(struct scan *s, const struct scan_frame **f, struct err *e)
{
	const struct planes *p;
	struct err missed = ERR_INIT;
	if (s->next >= s->in->frames) return 0;
	int slot = media_slot(s->m, s->next);
	s->f.number = s->in->first + s->next;
	if (s->next == 0 || slot != s->last) {
		enum media_status st = media_frame(s->m, s->next, &p, &missed);
		if (st == MEDIA_FAIL) { *e = missed; return -1; }
		s->f.missing = st != MEDIA_OK;
		if (st == MEDIA_OK) convert(s, p);
	}
	s->last = slot;
	s->next++;
	*f = &s->f;
	return 1;
}

void media_scan_close(struct scan **ps)
{
	struct scan *s = *ps;
	if (!s) return;
	free(s->mem);
	if (s->m) media_close(&s->m);
	free(s);
	*ps = NULL;
}

int media_scan(const char *path, const char *raw, scan_take *take, void *user, struct err *e)
{
	struct scan *s = media_scan_open(path, raw, e);
	const struct scan_frame *f;
	int rc = s ? 1 : -1;
	while (rc > 0 && (rc = media_scan_next(s, &f, e)) > 0)
		if (take(user, s->in, f, e) < 0) rc = -1;
	media_scan_close(&s);
	return rc;
}
