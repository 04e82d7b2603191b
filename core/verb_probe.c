/* verb_probe - `interneg probe`: what a clip is, and why we think so.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>

#include "cli.h"
#include "flicker.h"
#include "log.h"
#include "media.h"
#include "media_scan.h"
#include "mem.h"
#include "shots.h"

static int tell_shots(const char *path, const char *raw, bool json, struct err *e)
{
	struct shot *v = NULL;
	int n = 0;
	char name[4096];
	if (shots_find(path, raw, &v, &n, e) < 0) return -1;
	json_escape(name, sizeof name, path);
	if (json) printf("{\"file\":\"%s\",\"shots\":[", name);
	else printf("  %-9s %d\n", "shots", n);
	for (int i = 0; i < n; i++) {
		if (json)
			printf("%s{\"first\":%d,\"last\":%d,\"cut\":%.3f}", i ? "," : "", v[i].first, v[i].last,
			       (double)v[i].score);
		else if (i) printf("  %-9s %d-%d, cut %.2f\n", "", v[i].first, v[i].last, (double)v[i].score);
		else printf("  %-9s %d-%d\n", "", v[i].first, v[i].last);
	}
	if (json) printf("]}\n");
	free(v);
	return 0;
}

static int look(void *user, const struct media_info *info, const struct scan_frame *f, struct err *e)
{
	struct flicker **k = user;
	if (!*k) *k = flicker_new(f->w, f->h, info->fps.num > 0 ? (double)info->fps.num / info->fps.den : 0);
	return flicker_add(*k, f->rgb, e);
}

static int tell_flicker(const char *path, const char *raw, bool json, struct err *e)
{
	struct flicker *k = NULL;
	struct flicker_report r;
	char name[4096];
	if (media_scan(path, raw, look, &k, e) < 0 || !k) { flicker_free(&k); return -1; }
	flicker_end(k, &r);
	flicker_free(&k);
	json_escape(name, sizeof name, path);
	if (json)
		printf("{\"file\":\"%s\",\"flicker\":{\"frames\":%d,\"pairs\":%d,\"brightness\":%.4f,\"fast\":%.4f,\"edges\":%.4f,"
		       "\"flat\":%.4f,\"crawl\":%.4f,\"warp\":%.4f}}\n", name, r.frames, r.pairs, r.brightness, r.fast, r.edges, r.flat,
		       r.crawl, r.warp);
	else
		printf("  %-9s brightness of blocks %.3f codes, %.0f %% of it above 3 Hz; along motion "
		       "edges differ by %.2f codes, flat parts by %.2f (ratio %.2f), all by %.2f rms; %d "
		       "of %d neighbours\n", "flicker", r.brightness, 100 * r.fast, r.edges, r.flat,
		       r.crawl, r.warp, r.pairs, r.frames - 1);
	return 0;
}

int verb_probe(struct cli *c, struct err *e)
{
	if (c->narg < 1) return err_set(e, E_USAGE, "probe wants at least one CLIP");
	if (c->picture && c->narg != 1) return err_set(e, E_USAGE, "--picture wants exactly one CLIP");
	for (int i = 0; i < c->narg; i++) {
		struct media_info info;
		if (media_probe(c->arg[i], c->raw, &info, e) < 0) return -1;
		media_probe_print(stdout, c->arg[i], &info, c->json);
		if (c->cuts && tell_shots(c->arg[i], c->raw, c->json, e) < 0) return -1;
		if (c->flicker && tell_flicker(c->arg[i], c->raw, c->json, e) < 0) return -1;
	}
	if (c->picture) {
		if (media_probe_picture(c->arg[0], c->raw, c->picture, e) < 0) return -1;
		printf("%s\n", c->picture);
	}
	return 0;
}
