/* shots - see shots.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "shots.h"

#include <stdlib.h>

#include "cuts.h"
#include "media_scan.h"
#include "mem.h"

struct looking { struct cuts *c; int first, last; };

static int look(void *user, const struct media_info *info, const struct scan_frame *f, struct err *e)
{
	struct looking *l = user;
	(void)info;
	if (!l->c) {
		l->c = cuts_new(f->w, f->h);
		l->first = f->number;
	}
	l->last = f->number;
	return cuts_add(l->c, f->number, f->rgb, e);
}

int shots_find(const char *path, const char *raw, struct shot **v, int *n, struct err *e)
{
	struct looking l = { 0 };
	int rc = -1, ncut = 0;
	if (media_scan(path, raw, look, &l, e) < 0) goto out;
	const struct cut *cut = l.c ? cuts_end(l.c, &ncut) : NULL;
	*v = xalloc((size_t)ncut + 1, sizeof **v);
	*n = ncut + 1;
	(*v)[0] = (struct shot){ l.first, l.last, 0 };
	for (int i = 0; i < ncut; i++) {
		(*v)[i].last = cut[i].frame - 1;
		(*v)[i + 1] = (struct shot){ cut[i].frame, l.last, cut[i].score };
	}
	rc = 0;
out:
	cuts_free(&l.c);
	return rc;
}

const struct shot *shots_at(const struct shot *v, int n, int frame)
{
	while (n > 1 && frame > v->last) v++, n--;
	return v;
}
