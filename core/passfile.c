/* passfile - see passfile.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "passfile.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cache.h"
#include "colour.h"
#include "exr.h"
#include "seqname.h"

/* 1: this key is there already; 0: may be written; -1: somebody else's file. */
static int present(const char *path, const char *hex, bool overwrite, struct err *e)
{
	struct exr_info info;
	struct err ignore = ERR_INIT;
	if (access(path, F_OK) != 0) return 0;
	if (exr_probe(path, &info, &ignore) < 0)
		return overwrite ? 0 : err_set(e, E_OUTPUT, "%s exists and is not interneg's; --overwrite replaces it", path);
	const char *key = exr_attr(&info, "interneg.key");
	int rc = key ? strcmp(key, hex) == 0 : 0;
	if (!key && !overwrite)
		rc = err_set(e, E_OUTPUT, "%s exists and is not interneg's; --overwrite replaces it", path);
	exr_info_free(&info);
	return rc;
}

int passfile_write(const char *pattern, int frame, const struct key *k, const struct image *im, bool half,
                   bool overwrite, struct err *e)
{
	char *path = seq_path(pattern, frame), *dir = xstrdup(path), hex[65], pix[33];
	key_hex(k, hex);
	int rc = present(path, hex, overwrite, e);
	if (rc != 0) goto out;
	char *slash = strrchr(dir, '/');
	if (slash && slash > dir) {
		*slash = 0;
		if ((rc = make_dirs(dir, e)) < 0) goto out;
	}
	pixhash_hex(image_hash(im), pix);
	const char *attr[] = { "interneg.key", hex, "interneg.pixels", pix, NULL };
	struct exr_write w = { .compression = EXRC_ZIP, .half = half, .attr = attr, .frame = frame,
		.fps = im->fmt.fps, .has_chroma = true };
	colour_primaries(im->fmt.space, w.chroma);
	rc = exr_write(path, &im->fmt, &im->view, &w, e);
out:
	free(path);
	free(dir);
	return rc < 0 ? -1 : 0;
}
