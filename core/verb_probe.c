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

/* All frames of s, along the motion of those of g where there is one. NULL with e. */
static struct flicker *look(struct scan *s, struct scan *g, const char *path, const char *along,
                            struct err *e)
{
	const struct media_info *in = media_scan_about(s);
	const struct scan_frame *f = NULL, *a = NULL;
	struct flicker *k = NULL;
	int rc, both = 1;
	while ((rc = media_scan_next(s, &f, e)) > 0) {
		if (!k) k = flicker_new(f->w, f->h, in->fps.num > 0 ? (double)in->fps.num / in->fps.den : 0);
		if (g && (both = media_scan_next(g, &a, e)) < 0) { rc = -1; break; }
		if (!both || (g && (a->w != f->w || a->h != f->h))) {
			rc = err_set(e, E_INPUT, "%s has %s: --along wants another version of the same frames, at "
			             "least as long",
			             along, both ? "another size than its version" : "fewer frames");
			break;
		}
		rc = g ? flicker_add_along(k, a->rgb, f->rgb, e) : flicker_add(k, f->rgb, e);
		if (rc < 0) break;
	}
	if (rc == 0 && !k) rc = err_set(e, E_INPUT, "%s: no frames", path);
	if (rc < 0) flicker_free(&k);
	return k;
}

static int tell_flicker(const char *path, const char *along, const char *raw, bool json,
                        struct err *e)
{
	struct flicker_report r;
	char name[4096];
	struct scan *s = media_scan_open(path, raw, e), *g = s && along ? media_scan_open(along, raw, e)
		: NULL;
	struct flicker *k = s && (g || !along) ? look(s, g, path, along, e) : NULL;
	media_scan_close(&s);
	media_scan_close(&g);
	if (!k) return -1;
	flicker_end(k, &r);
	flicker_free(&k);
	json_escape(name, sizeof name, path);
	if (json)
		printf("{\"file\":\"%s\",\"flicker\":{\"frames\":%d,\"pairs\":%d,\"brightness\":%.4f,\"fast\":%.4f,\"edges\":%.4f,"
		       "\"flat\":%.4f,\"crawl\":%.4f,\"warp\":%.4f}}\n", name, r.frames, r.pairs, r.brightness,
			r.fast, r.edges, r.flat,
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
	if (c->along && !c->flicker) return err_set(e, E_USAGE, "--along is for --flicker");
	for (int i = 0; i < c->narg; i++) {
		struct media_info info;
		if (media_probe(c->arg[i], c->raw, &info, e) < 0) return -1;
		media_probe_print(stdout, c->arg[i], &info, c->json);
		if (c->cuts && tell_shots(c->arg[i], c->raw, c->json, e) < 0) return -1;
		if (c->flicker && tell_flicker(c->arg[i], c->along, c->raw, c->json, e) < 0) return -1;
	}
	if (c->picture) {
		if (media_probe_picture(c->arg[0], c->raw, c->picture, e) < 0) return -1;
		printf("%s\n", c->picture);
	}
	return 0;
}
