/* degrain_time - luma and two colour differences of a picture, averaged along its motion, for the stages after it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "degrain.h"
#include "px_bm3d_area.h"

struct degrain_time { int space; };

static const struct param params[] = {
	P_ENUM(degrain_time, space, "encoded", "encoded|linear|log", PF_STATIC, "As of degrain."),
	P_END
};

static enum want want_of(const struct node_ctx *n, int conn)
{
	const struct degrain_time *p = n->v;
	(void)conn;
	return p->space == 1 ? WANT_LINEAR : p->space == 2 ? WANT_LOG : WANT_ENCODED;
}

static int format(const struct node_ctx *n, struct format *out, struct err *e)
{
	(void)n;
	if (format_channel(out, "R") < 0 || format_channel(out, "G") < 0 || format_channel(out, "B") < 0)
		return err_set(e, E_SCENE, "degrain needs a picture with the channels R, G and B");
	format_channels(out, "d0 d1 d2 share");
	return 0;
}

static int tile(const struct call *c, struct rect r)
{
	const struct view *in = &c->in[0];
	const struct format *f = c->n->in[0];
	int ch[3] = { format_channel(f, "R"), format_channel(f, "G"), format_channel(f, "B") }, alpha = format_channel(f, "A");
	for (int y = r.y0; y < r.y1; y++) {
		const float *s[3], *a = alpha < 0 ? NULL : view_at(in, alpha, r.x0, y);
		float *d[4];
		for (int k = 0; k < 3; k++) s[k] = view_at(in, ch[k], r.x0, y);
		for (int k = 0; k < 4; k++) d[k] = view_at(c->out, k, r.x0, y);
		for (int x = 0; x < rect_w(r); x++) {
			float v[3];
			for (int k = 0; k < 3; k++) v[k] = a && a[x] != 0 ? s[k][x] / a[x] : s[k][x];
			bm_opponent(v, v + 1, v + 2);
			for (int k = 0; k < 3; k++) d[k][x] = v[k];
			d[3][x] = 1;
		}
	}
	return 0;
}

const struct node_type ISA(node_degrain_time) = {
	.name = "degrain_time", .doc = "Luma and colour differences, averaged along motion, for degrain.",
	.category = "image", .version = 1, .size = sizeof(struct degrain_time), .params = params,
	.inputs = "image", .flags = NF_HIDDEN, .want_of = want_of, .format = format, .tile = tile,
};
