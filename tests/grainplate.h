/* grainplate - photographs of ../shared/data as plates to plant grain on.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAINPLATE_H
#define IN_GRAINPLATE_H

#include "grainplant.h"
#include "media.h"
#include "test.h"

struct plate { int w, h; float *rgb[3], *luma; };

/* soft: takes the photograph's own noise out. */
static bool load_plate(const char *name, struct plate *p, double soft)
{
	char path[512];
	struct media_opts o = MEDIA_OPTS_INIT;
	struct media *m;
	const struct planes *f;
	struct err e = ERR_INIT;
	snprintf(path, sizeof path, "%s/grain/%s", test_data(), name);
	if (media_open(path, &o, &m, &e) < 0) return false;
	if (media_frame(m, 0, &f, &e) != MEDIA_OK) { media_close(&m); return false; }
	p->w = f->d.w;
	p->h = f->d.h;
	for (int c = 0; c < 3; c++) {
		p->rgb[c] = plant_floats(p->w, p->h);
		for (int y = 0; y < p->h; y++)
			for (int x = 0; x < p->w; x++)
				p->rgb[c][y * p->w + x] = 0.02f + 0.96f * (float)f->p[c][y * f->stride[c] + x] / 255.0f;
		plant_soften(p->rgb[c], p->w, p->h, soft);
	}
	media_close(&m);
	p->luma = plant_floats(p->w, p->h);
	plant_luma(p->rgb, p->w, p->h, p->luma);
	return true;
}

static void free_plate(struct plate *p)
{
	for (int c = 0; c < 3; c++) free(p->rgb[c]);
	free(p->luma);
}

#endif
