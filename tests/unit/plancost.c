/* plancost - what the planner says a tile costs: bands in the middle of a tile cost alike however many there are, and
 * rows of a picture that has left the caches are read whole.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>

#include "graph.h"
#include "plan.h"
#include "stage_run.h"
#include "test.h"
#include "xml.h"

static const char text[] =
	"<graph version=\"1\" fps=\"24\"><pattern id=\"src\" kind=\"ramp\" width=\"1920\" height=\"1080\" frames=\"4\"/>"
	"<pass id=\"look\" kind=\"look\"><blur id=\"soft\" in=\"src\" sigma=\"0.6\"/><blur id=\"glow\" in=\"soft\" sigma=\"15\"/>"
	"<merge id=\"end\" in=\"glow\" over=\"soft\" operation=\"screen\"/></pass></graph>";

/* The first stage of several members whose output is smaller than the picture. */
static const struct stage *scaled(const struct plan *p)
{
	for (int i = 0; i < p->nstage; i++) {
		const struct stage *s = &p->stage[i];
		if (s->n > 1 && s->kind == ST_TILES && rect_w(s->out->fmt.data) < 1000) return s;
	}
	return NULL;
}

/* Tiles of 3, 4 and 8 bands: every band more costs the same. */
static void middles(struct plan *p, const struct stage *s)
{
	struct stage_job j;
	struct stage_cost c[3];
	struct err e = ERR_INIT;
	static const int bands[3] = { 3, 4, 8 };
	struct rect d = s->out->fmt.data;
	int rows = 0;
	if (stage_job_open(&j, p, s, 1, &e) < 0) { test_ok(0, "stage opens: %s", e.msg); return; }
	do {                                             /* a band's rows are the planner's: one more makes two bands */
		stage_job_cost(&j, rect_of(d.x0, d.y0, d.x1, d.y0 + ++rows), &c[0]);
	} while (c[0].bands == 1 && rows < 100);
	rows--;
	for (int i = 0; i < 3; i++) stage_job_cost(&j, rect_of(d.x0, d.y0, d.x1, d.y0 + rows * bands[i]), &c[i]);
	double few = c[1].flops - c[0].flops, many = (c[2].flops - c[1].flops) / 4;
	test_ok(few > 0 && fabs(few - many) < 1e-6 * few,
	        "%s: a fourth band costs %.0f operations, the fifth to eighth %.0f each", s->out->id, few, many);
	test_ok((double)(c[1].read - c[0].read) == (double)(c[2].read - c[1].read) / 4, "%s: and reads as much more", s->out->id);
	stage_job_close(&j);
}

/* Of a chain of halvings that is too long for one stage, those of the larger pictures stand together. */
static void largest_together(const struct plan *p)
{
	const struct stage *s = NULL;
	for (int i = 0; i < p->nstage; i++)
		for (int k = 0; k < p->stage[i].n; k++)
			if (strstr(p->stage[i].node[k]->id, "halve1")) s = &p->stage[i];
	test_ok(s && s->n == 2 && strstr(s->out->id, "halve2"), "halve1 stands in one stage with halve2 (of %d nodes, ends with %s)",
	        s ? s->n : 0, s ? s->out->id : "none");
}

int main(void)
{
	struct diags d = { 0 };
	struct load_opts lo = { NULL, NULL, 0 };
	struct net_opts o = { .proxy = 1 };
	struct scene *sc = scene_load("plancost.xml", text, strlen(text), &lo, &d);
	struct net *n = sc ? net_build(sc, &o, &d) : NULL;
	if (!n) { diags_print(&d, false); return 1; }
	struct plan_opts po = { .threads = 1 };
	struct plan *p = plan_new(n, &po);
	const struct stage *s = scaled(p);
	largest_together(p);
	test_ok(s != NULL, "a large blur has a stage that halves");
	if (s) {
		middles(p, s);
		test_ok(s->tile_w >= rect_w(s->out->fmt.data), "%s: tiles of whole rows (%d of %d)", s->out->id, s->tile_w,
		        rect_w(s->out->fmt.data));
	}
	plan_free(&p);
	net_free(&n);
	scene_free(&sc);
	diags_free(&d);
	return test_failed;
}
