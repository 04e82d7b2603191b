/* verb_probe - `interneg probe`: what a clip is, and why we think so.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>

#include "cli.h"
#include "media.h"

int verb_probe(struct cli *c, struct err *e)
{
	if (c->narg < 1) return err_set(e, E_USAGE, "probe wants at least one CLIP");
	if (c->picture && c->narg != 1) return err_set(e, E_USAGE, "--picture wants exactly one CLIP");
	for (int i = 0; i < c->narg; i++) {
		struct media_info info;
		if (media_probe(c->arg[i], c->raw, &info, e) < 0) return -1;
		media_probe_print(stdout, c->arg[i], &info, c->json);
	}
	if (c->picture) {
		if (media_probe_picture(c->arg[0], c->raw, c->picture, e) < 0) return -1;
		printf("%s\n", c->picture);
	}
	return 0;
}
