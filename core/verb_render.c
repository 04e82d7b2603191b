/* verb_render - `interneg render`: progress for people and machines, summary, exit status; and `solve`.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "session.h"
#include "skin.h"
#include "textfile.h"


struct shown { enum progress how; double start; int last_done; double last; bool bar; };

static double seconds(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static void eta_text(char *out, size_t n, double s)
{
	if (s < 0) snprintf(out, n, "--:--");
	else if (s < 3600) snprintf(out, n, "%02d:%02d", (int)s / 60, (int)s % 60);
	else snprintf(out, n, "%d:%02d:%02d", (int)s / 3600, (int)s / 60 % 60, (int)s % 60);
}

static void on_tick(void *user, int done, int total)
{
	struct shown *p = user;
	double now = seconds(), spent = now - p->start;
	double rate = spent > 0 ? done / spent : 0, eta = rate > 0 ? (total - done) / rate : -1;
	char when[32], bar[33];
	if (p->how == PROGRESS_NONE || p->how == PROGRESS_JSON || !total) return;
	if (p->how == PROGRESS_PLAIN) {
		if (done == p->last_done || now - p->last < 2) return;
		eta_text(when, sizeof when, eta);
		fprintf(stderr, "%d/%d frames, %.2f frames/s, ETA %s\n", done, total, rate, when);
	} else {
		int full = (int)(32.0 * done / total);
		for (int i = 0; i < 32; i++) bar[i] = i < full ? '#' : '.';
		bar[32] = 0;
		eta_text(when, sizeof when, eta);
		fprintf(stderr, "\r[%s] %d/%d  %.2f frames/s  ETA %s ", bar, done, total, rate, when);
		p->bar = true;
	}
	p->last = now;
	p->last_done = done;
}

static void on_event(void *user, const struct render_event *ev)
{
	struct shown *p = user;
	char hex[33];
	if (p->how != PROGRESS_JSON) return;
	double spent = seconds() - p->start;
	pixhash_hex(ev->hash, hex);
	printf("{\"event\":\"frame\",\"node\":\"%s\",\"frame\":%d,\"hash\":\"%s\",\"done\":%d,\"total\":%d,"
	       "\"eta_s\":%.1f}\n", ev->node->id, ev->frame, hex, ev->done, ev->total,
	       spent / ev->done * (ev->total - ev->done));
	fflush(stdout);
}

static void summary(const struct shown *p, const struct render_stats *st, const struct net *n)
{
	double spent = seconds() - p->start;
	if (p->bar) fprintf(stderr, "\r%80s\r", "");
	if (p->how == PROGRESS_JSON) {
		printf("{\"event\":\"end\",\"frames\":%d,\"failed\":%d,\"up_to_date\":%d,\"computed\":%ld,\"loaded\":%ld,"
		       "\"stored\":%ld,\"peak_bytes\":%zu,\"seconds\":%.3f}\n", st->frames, st->failed, st->fresh_sinks,
		       st->computed, st->loaded, st->stored, st->peak_bytes, spent);
		return;
	}
	if (p->how == PROGRESS_NONE) return;
	if (st->fresh_sinks) fprintf(stderr, "%d of %d writes up to date\n", st->fresh_sinks, n->nwrite);
	fprintf(stderr, "%d frames in %.1f s; %ld results computed, %ld taken from the cache, %ld "
	        "kept; peak %zu MiB\n", st->frames, spent, st->computed, st->loaded, st->stored,
	        st->peak_bytes >> 20);
}

/* What the kept passes will take on disk must fit before the render starts; a clip that is
 * written whole can do without its journal. */
static int check_space(struct session *s, struct render_opts *o, struct err *e)
{
	struct plan_opts po = { o->tile, o->no_fuse, o->threads };
	struct plan *p = plan_new(s->net, &po);
	struct plan_report r = { 0 };
	int rc = render_plan(s->net, p, o, &r, e);
	uint64_t room = s->cache ? disk_free(cache_dir(s->cache)) : UINT64_MAX;
	bool fits = r.cache_bytes + r.journal_bytes <= room;
	if (rc == 0 && (r.cache_bytes > room || (!fits && o->frames)))
		rc = err_set(e, E_OUTPUT, "intermediates need %llu MiB, %s has %llu MiB free",
		             (unsigned long long)((r.cache_bytes + r.journal_bytes) >> 20), cache_dir(s->cache),
		             (unsigned long long)(room >> 20));
	else if (rc == 0 && !fits) {
		log_warn("%s has no room for a journal of %llu MiB: a clip that is interrupted starts anew",
		         cache_dir(s->cache), (unsigned long long)(r.journal_bytes >> 20));
		o->no_journal = true;
	}
	plan_report_free(&r);
	plan_free(&p);
	return rc;
}

int verb_render(struct cli *c, struct err *e)
{
	struct session s;
	struct render_stats st = { 0 };
	int rc = -1;
	if (c->narg != 1) return err_set(e, E_USAGE, "render wants one SCENE");
	struct shown p = { .how = c->progress, .start = seconds() };
	if (p.how == PROGRESS_AUTO) p.how = isatty(2) ? PROGRESS_AUTO : PROGRESS_PLAIN;
	if (session_open(&s, c, c->arg[0], WANT_RENDER, e) < 0) goto out;
	struct render_opts o = session_opts(&s);
	if (!s.net->nwrite && !s.net->ntarget) { err_set(e, E_SCENE, "%s: nothing to write", s.file); goto out; }
	if (o.outpath && s.net->nwrite != 1) {
		err_set(e, E_USAGE, "-o wants exactly one write; choose it with --only");
		goto out;
	}
	o.event = p.how == PROGRESS_JSON ? on_event : NULL;      /* nobody else wants the hashes */
	o.tick = on_tick;
	o.user = &p;
	if (check_space(&s, &o, e) < 0) goto out;
	rc = c->oracle ? oracle_run(s.net, &o, &st, e) : render_run(s.net, &o, &st, e);
	summary(&p, &st, s.net);
	if (st.problems.n > 1) diags_print(&st.problems, c->log_json);
	if (rc == 0 && st.frames) rc = session_lut_share(&s, e);
out:
	diags_free(&st.problems);
	session_close(&s);
	return rc;
}

static int apply(struct session *s, struct err *e)
{
	size_t len;
	char *text = text_read(s->file, &len, e);
	if (!text) return -1;
	for (int i = 0; i < s->nover; i++) {
		char *next = scene_patch(text, len, s->over[i].node, s->over[i].attr, s->over[i].nattr, e);
		free(text);
		if (!next) return err_in(e, "%s", s->file);
		text = next;
		len = strlen(text);
	}
	int rc = text_write(s->file, text, e);
	free(text);
	if (rc == 0) fprintf(stderr, "%s: %d node%s written\n", s->file, s->nover, s->nover == 1 ? "" : "s");
	return rc;
}

static double skin_at(const struct net_node *nn)
{
	const struct param *p = nn->type->flags & NF_SOLVE ? param_find(nn->type->params, "skin") : NULL;
	double v = -1;
	if (p && p->type == PT_FLOAT) memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	return v;
}

/* Where each shot's skin stands once it is balanced and matched, from shot to
 * shot and against what is declared. */
static void tell_skins(const struct session *s)
{
	const struct net *n = s->net;
	bool *above = xalloc((size_t)n->nnode + 1, sizeof *above);
	double low = 1000, high = -1000;
	int shots = 0;
	for (int i = n->nnode - 1; i >= 0; i--) {       /* what a later one corrects again does not count */
		const struct net_node *up = n->node[i]->nconn ? n->node[i]->conn[0] : NULL;
		if (up && (above[i] || skin_at(n->node[i]) >= 0)) above[up->index] = true;
	}
	for (int i = 0; i < n->nnode; i++) {
		double at = above[i] ? -1 : skin_at(n->node[i]);
		if (at < 0) continue;
		printf("skin in '%s': %.1f degrees, %+.1f from the line", n->node[i]->id, at, skin_turn(SKIN_LINE, at));
		for (int k = 0; k < n->nnode; k++) {
			const struct skin_ref *ref = n->node[k]->ctx.v;
			if (strcmp(n->node[k]->type->name, "skin") == 0 && ref->spread > 0)
				printf(", %+.1f from '%s'", skin_turn(ref->hue, at), n->node[k]->id);
		}
		printf("\n");
		low = at < low ? at : low;
		high = at > high ? at : high;
		shots++;
	}
	if (shots > 1) printf("skin drifts by %.1f degrees over %d shots\n", high - low, shots);
	free(above);
}

int verb_solve(struct cli *c, struct err *e)
{
	struct session s;
	int rc = -1;
	if (c->narg < 1 || c->narg > 2) return err_set(e, E_USAGE, "solve wants SCENE and perhaps a NODE");
	if (session_open(&s, c, c->arg[0], WANT_NET, e) == 0) {
		int n = session_solve(&s, c->narg == 2 ? c->arg[1] : NULL, false, true, e);
		rc = n < 0 ? -1 : 0;
		if (n == 0) fprintf(stderr, "%s: no node wants solving\n", s.file);
		if (n > 0 && !c->json) tell_skins(&s);
		if (n > 0 && c->apply) rc = apply(&s, e);
	}
	session_close(&s);
	return rc;
}
