/* passfile - see passfile.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "passfile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache.h"
#include "cache_sum.h"
#include "colour.h"
#include "exr.h"
#include "seqname.h"

struct passfile { struct exr_writer *x; struct cache_sum sum; };

/* 1: this key is there already; 0: may be written; -1: somebody else's file. */
static int present(const char *path, const char *hex, bool overwrite, struct err *e)
{
	struct exr_info info;
	struct err ignore = ERR_INIT;
	if (access(path, F_OK) != 0) return 0;
	if (exr_probe(path, &info, &ignore) < 0)
		return overwrite ? 0
			: err_set(e, E_OUTPUT, "%s exists and is not interneg's; --overwrite replaces it", path);
	const char *key = exr_attr(&info, "interneg.key");
	int rc = key ? strcmp(key, hex) == 0 : 0;
	if (!key && !overwrite)
		rc = err_set(e, E_OUTPUT, "%s exists and is not interneg's; --overwrite replaces it", path);
	exr_info_free(&info);
	return rc;
}

static int start(struct passfile **out, const char *path, int frame, const char *hex, const struct image *im,
                 bool half, const char *const *meta, struct err *e)
{
	const char *attr[PASSFILE_META + 5] = { "interneg.key", hex, "interneg.strips",
		"00000000000000000000000000000000" };
	for (int i = 0; meta && meta[i] && i < PASSFILE_META; i++) attr[i + 4] = meta[i];
	/* Float pictures hardly shrink (tests/bench/exr.sh), halves do. */
	struct exr_write w = { .compression = half ? EXRC_ZIP : EXRC_NONE, .half = half, .attr = attr,
		.frame = frame,
		.fps = im->fmt.fps, .has_chroma = true };
	struct exr_writer *x;
	colour_primaries(im->fmt.space, w.chroma);
	if (exr_write_open(&x, path, &im->fmt, &im->view, &w, e) < 0) return -1;
	*out = xalloc(1, sizeof **out);
	(*out)->x = x;
	(*out)->sum = cache_sum_new(im);
	return 0;
}

int passfile_open(struct passfile **out, const char *pattern, int frame, const struct key *k,
                  const struct image *im, bool half, bool overwrite,
                  const char *const *meta, struct err *e)
{
	char *path = seq_path(pattern, frame), *dir = xstrdup(path), hex[65];
	*out = NULL;
	key_hex(k, hex);
	int rc = present(path, hex, overwrite, e);
	if (rc != 0) goto out;
	char *slash = strrchr(dir, '/');
	if (slash && slash > dir) {
		*slash = 0;
		if ((rc = make_dirs(dir, e)) < 0) goto out;
	}
	rc = start(out, path, frame, hex, im, half, meta, e);
out:
	free(path);
	free(dir);
	return rc < 0 ? -1 : 0;
}

int passfile_parts(const struct passfile *p) { return exr_write_parts(p->x); }

int passfile_part(struct passfile *p, int i, struct err *e)
{
	cache_sum_rows(&p->sum, exr_write_rows(p->x, i));
	return exr_write_part(p->x, i, e);
}

static void pass_free(struct passfile **p)
{
	cache_sum_free(&(*p)->sum);
	free(*p);
	*p = NULL;
}

int passfile_finish(struct passfile **p, struct err *e)
{
	char pix[33];
	pixhash_hex(cache_sum_end(&(*p)->sum), pix);
	(void)exr_write_attr((*p)->x, "interneg.strips", pix);
	int rc = exr_write_finish(&(*p)->x, e);
	pass_free(p);
	return rc;
}

void passfile_abort(struct passfile **p)
{
	if (!*p) return;
	exr_write_abort(&(*p)->x);
	pass_free(p);
}

int passfile_write(const char *pattern, int frame, const struct key *k, const struct image *im, bool half,
                   bool overwrite, const char *const *meta, struct err *e)
{
	struct passfile *p;
	if (passfile_open(&p, pattern, frame, k, im, half, overwrite, meta, e) < 0) return -1;
	for (int i = 0; p && i < passfile_parts(p); i++)
		if (passfile_part(p, i, e) < 0) {
			passfile_abort(&p);
			return -1;
		}
	return p ? passfile_finish(&p, e) : 0;
}
