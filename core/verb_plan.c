/* verb_plan - `interneg plan` and `interneg graph`: what would be done, and the picture of it.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "session.h"
#include "sysinfo.h"

static const char *const row_words[] = { "compute", "load", "write", "up to date" };

static void range_text(const struct plan_row *r, char *out, size_t n)
{
	if (r->first == r->last) snprintf(out, n, "%d", r->first);
	else if (r->step == 1) snprintf(out, n, "%d-%d", r->first, r->last);
	else snprintf(out, n, "%d-%dx%d", r->first, r->last, r->step);
}

/* One line a stage that the asked frames need; bytes moved are those read from other stages' pictures
 * and written to its own. */
static void print_stages(const struct plan *p, const struct plan_report *r)
{
	double moved = 0, flops = 0;
	bool *runs = xalloc((size_t)p->nstage + 1, sizeof *runs);
	for (int i = 0; i < r->nrow; i++) runs[p->stage_of[r->row[i].node->index]] = true;
	printf("\nstage kind   tile      moves MiB   Mflop  border  nodes\n");
	for (int i = 0; i < p->nstage; i++) {
		const struct stage *s = &p->stage[i];
		if (!runs[i]) continue;
		char tile[32] = "-";
		double bytes = (double)(s->read + s->bytes) / 1048576.0;
		if (s->kind == ST_TILES) snprintf(tile, sizeof tile, "%dx%d", s->tile_w, s->tile_h);
		printf("%5d %-6s %-9s %9.1f %7.0f %6.1f%% ", i,
		       s->kind == ST_TILES ? "tiles" : s->kind == ST_FRAME ? "frame" : "sink", tile, bytes,
		       s->flops / 1e6, 100 * s->border);
		for (int k = 0; k < s->n; k++) printf(" %s", s->node[k]->id);
		printf("%s%s\n", s->keep ? " (kept)" : "", s->temporal ? " (held)" : "");
		moved += bytes;
		flops += s->flops / 1e6;
	}
	printf("a frame moves %.1f MiB and computes %.0f Mflop\n", moved, flops);
	free(runs);
}

static void print_json(const struct plan_report *r)
{
	printf("{\"peak_bytes\":%llu,\"codec_bytes\":%llu,\"least_bytes\":%llu,\"cache_bytes\":%llu,\"journal_bytes\":%llu,\"rows\":[",
	       (unsigned long long)r->peak, (unsigned long long)r->fixed,
	       (unsigned long long)r->least, (unsigned long long)r->cache_bytes,
	       (unsigned long long)r->journal_bytes);
	for (int i = 0; i < r->nrow; i++) {
		char range[64];
		range_text(&r->row[i], range, sizeof range);
		printf("%s{\"node\":\"%s\",\"type\":\"%s\",\"frames\":\"%s\",\"do\":\"%s\"}", i ? "," : "",
		       r->row[i].node->id, r->row[i].node->type->name, range, row_words[r->row[i].what]);
	}
	printf("]}\n");
}

static void print_plan(const struct session *s, const struct plan_report *r)
{
	size_t all = s->c->memory ? s->c->memory : sys_memory();
	printf("%-28s %-16s %-12s %-11s %s\n", "node", "type", "frames", "do", "size, space");
	for (int i = 0; i < r->nrow; i++) {
		const struct net_node *nn = r->row[i].node;
		const struct format *f = nn->nconn && nn->conn[0] && (nn->type->flags & NF_SINK)
			? &nn->conn[0]->fmt : &nn->fmt;
		char range[64];
		range_text(&r->row[i], range, sizeof range);
		printf("%-28s %-16s %-12s %-11s %dx%d %s%s\n", nn->id, nn->type->name, range, row_words[r->row[i].what],
		       rect_w(f->display), rect_h(f->display), colour_name(f->space), nn->keep ? ", kept" : "");
	}
	printf("\npictures of one frame: %.1f MiB; codecs: %.1f MiB; least --memory: %zuM, now %.0f "
	       "MiB; to the cache: %.1f MiB; journal of clips: %.1f MiB\n", (double)r->peak / 1048576.0,
	       (double)r->fixed / 1048576.0, (size_t)(r->least >> 20) + 1, (double)all / 1048576.0,
	       (double)r->cache_bytes / 1048576.0, (double)r->journal_bytes / 1048576.0);
	for (int i = 0; i < s->net->nwrite; i++) {
		const struct elem *el = s->net->write[i]->elem;
		for (int k = 0; k < el->nattr; k++)
			if (strcmp(el->attr[k].name, "file") == 0) printf("writes %s: %s\n", el->id, el->attr[k].value);
	}
}

int verb_plan(struct cli *c, struct err *e)
{
	struct session s;
	int rc = -1;
	if (c->narg != 1) return err_set(e, E_USAGE, "plan wants one SCENE");
	if (session_open(&s, c, c->arg[0], WANT_RENDER, e) == 0) {
		struct render_opts o = session_opts(&s);
		struct plan_opts po = { o.tile, o.no_fuse, o.threads };
		struct plan *p = plan_new(s.net, &po);
		struct plan_report r = { 0 };
		rc = render_plan(s.net, p, &o, &r, e);
		if (rc == 0 && c->json) print_json(&r);
		else if (rc == 0) {
			print_plan(&s, &r);
			if (c->verbose) print_stages(p, &r);
		}
		plan_report_free(&r);
		plan_free(&p);
	}
	session_close(&s);
	return rc;
}

static void dot_node(const struct net_node *nn)
{
	bool sink = nn->type->flags & NF_SINK;
	printf("    n%d [label=\"%s\\n%s\\n%dx%d%s%s\" shape=%s%s];\n", nn->index, nn->id,
	       nn->type->name, rect_w(nn->fmt.display), rect_h(nn->fmt.display), sink ? "" : " ",
	       sink ? "" : colour_name(nn->fmt.space), sink ? "note" : nn->nconn ? "box" : "ellipse",
	       nn->keep ? " style=bold" : "");
}

static void dot_stages(const struct plan *p)
{
	for (int g = 0; g < p->nstage; g++) {
		const struct stage *s = &p->stage[g];
		char tile[32] = "";
		if (s->kind == ST_TILES) snprintf(tile, sizeof tile, "%dx%d, ", s->tile_w, s->tile_h);
		printf("  subgraph cluster_%d { label=\"stage %d: %s%.1f MiB, %.0f Mflop%s%s\";\n", g, g,
		       tile, (double)(s->read + s->bytes) / 1048576.0, s->flops / 1e6,
		       s->keep ? ", kept" : "", s->temporal ? ", held" : "");
		for (int i = 0; i < s->n; i++) dot_node(s->node[i]);
		printf("  }\n");
	}
}

/* Nodes by pass, in their order; those outside passes last. */
static void dot_passes(const struct net *n)
{
	int *at = xalloc((size_t)n->npass + 2, sizeof *at);
	const struct net_node **by = xalloc((size_t)n->nnode + 1, sizeof *by);
	for (int i = 0; i < n->nnode; i++) at[(n->node[i]->pass ? n->node[i]->pass->index : n->npass) + 1]++;
	for (int g = 0; g < n->npass; g++) at[g + 1] += at[g];
	for (int i = 0; i < n->nnode; i++)
		by[at[n->node[i]->pass ? n->node[i]->pass->index : n->npass]++] = n->node[i];
	for (int g = 0, i = 0; g <= n->npass; g++) {
		const struct net_pass *np = g < n->npass ? n->pass[g] : NULL;
		if (np)
			printf("  subgraph cluster_%d { label=\"%s (%s)%s\";\n", g, np->id,
			       np->pass->kind ? np->pass->kind : "", np->kept ? ", kept" : "");
		while (i < at[g]) dot_node(by[i++]);
		if (np) printf("  }\n");
	}
	free(at);
	free(by);
}

static void dot_edges(const struct net *n)
{
	for (int i = 0; i < n->nnode; i++)
		for (int k = 0; k < n->node[i]->nconn; k++) {
			const struct net_node *nn = n->node[i];
			if (!nn->conn[k]) continue;
			printf("  n%d -> n%d", nn->conn[k]->index, i);
			if (k) printf(" [label=\"%s\"]", nn->slot[nn->conn_slot[k]].name);
			printf(";\n");
		}
}

int verb_graph(struct cli *c, struct err *e)
{
	struct session s;
	if (c->narg != 1) return err_set(e, E_USAGE, "graph wants one SCENE");
	if (session_open(&s, c, c->arg[0], WANT_NET, e) < 0) { session_close(&s); return -1; }
	struct plan_opts po = { c->tile, c->no_fuse, c->threads };
	struct plan *p = plan_new(s.net, &po);
	printf("digraph \"%s\" {\n  rankdir=LR; node [fontname=\"Helvetica\" fontsize=10];\n",
	       s.scene->name ? s.scene->name : "graph");
	if (c->stages) dot_stages(p);
	else dot_passes(s.net);
	dot_edges(s.net);
	printf("}\n");
	plan_free(&p);
	session_close(&s);
	return 0;
}
