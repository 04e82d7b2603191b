/* media_scan - see media_scan.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_scan.h"

#include <stdlib.h>

#include "px_yuv.h"

struct scan { struct media *m; const struct media_info *in; float *mem, *tmp; struct scan_frame f; };

static int open_planes(struct scan *s, const char *path, struct err *e)
{
	const struct plane_desc *d = &s->in->desc;
	size_t n = (size_t)d->w * (size_t)d->h;
	if (s->in->exr) return err_set(e, E_INPUT, "%s: EXR pictures are not looked at frame by frame here", path);
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

int media_scan(const char *path, const char *raw, scan_take *take, void *user, struct err *e)
{
	struct media_opts o = MEDIA_OPTS_INIT;
	struct scan s = { 0 };
	int rc = -1, last = -1;
	o.raw = raw;
	if (media_open(path, &o, &s.m, e) < 0) return -1;
	s.in = media_about(s.m);
	if (open_planes(&s, path, e) < 0) goto out;
	for (int i = 0; i < s.in->frames; i++) {
		const struct planes *p;
		struct err missed = ERR_INIT;
		int slot = media_slot(s.m, i);
		s.f.number = s.in->first + i;
		if (i == 0 || slot != last) {
			enum media_status st = media_frame(s.m, i, &p, &missed);
			if (st == MEDIA_FAIL) { *e = missed; goto out; }
			s.f.missing = st != MEDIA_OK;
			if (st == MEDIA_OK) convert(&s, p);
		}
		last = slot;
		if (take(user, s.in, &s.f, e) < 0) goto out;
	}
	rc = 0;
out:
	free(s.mem);
	media_close(&s.m);
	return rc;
}
