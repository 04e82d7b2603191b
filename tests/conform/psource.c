/* psource - a source of soft shapes that move, noise on them, and values that upset kernels.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "conform.h"

#include <string.h>

#include "mathx.h"
#include "rng.h"

static float sample(const struct csource *v, int c, int x, int y, int frame)
{
	static const uint32_t odd[] = { 0x7fc00000, 0x7f800000, 0xff800000, 0x7f7fffff, 0x00000001, 0x80000000,
		0xc0000000, 0xffc12345, 0x80000003, 0x3f800001, 0x00800000 };
	struct philox p = philox4x32((uint32_t)x, (uint32_t)y, (uint32_t)c, (uint32_t)frame, (uint32_t)v->seed, 77);
	double u = (p.c[0] >> 8) * 0x1p-24, a = x - 1.3 * frame, b = y + 0.7 * frame;
	float f;
	if (v->odd && p.c[1] % 23 == 0) {
		memcpy(&f, &odd[p.c[2] % IN_COUNT(odd)], sizeof f);
		return f;
	}
	if (c == 3) return p.c[1] % 5 == 0 ? 0.0f : p.c[1] % 5 == 1 ? 1.0f : (float)u;
	if (v->odd || p.c[3] % 97 == 0) return (float)(u * 6 - 2);
	return (float)(0.45 + 0.35 * mx_sin(a * 0.31 + c + v->seed) * mx_cos(b * 0.27) + 0.12 * u);
}

static int psource_tile(const struct call *c, struct rect r)
{
	for (int k = 0; k < c->out->nch; k++)
		for (int y = r.y0; y < r.y1; y++)
			for (int x = r.x0; x < r.x1; x++) *view_at(c->out, k, x, y) = sample(c->n->v, k, x, y, c->frame);
	return 0;
}
const struct node_type psource_type = { .name = "psource", .doc = "Test pixels.", .category = "source",
	.version = 1, .size = sizeof(struct csource), .params = csource_params, .inputs = "", .traits = TR_SOURCE,
	.flags = NF_TIME, .format = csource_format, .tile = psource_tile };
