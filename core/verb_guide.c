/* verb_guide - `interneg guide` walks a shot through the classic order of grading.
 *
 * Every step measures with what the steps before proposed in force, proposes plain
 * attributes of one node as a change of the scene's text, and shows the shot without and with
 * it. Nothing is written without --apply.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "verb_guide.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "log.h"
#include "textfile.h"

static int find_end(struct guide *g, struct err *e)
{
	g->end = session_find(g->s, g->shot, e);
	if (!g->end) {                          /* a <use>: its picture is what somebody reads of it */
		struct elem *el = scene_elem(g->s->scene, g->shot);
		if (!el || !el->used || !el->used->noutput) return -1;
		char *id = xasprintf("%s.%s", g->shot, el->used->output[0].node);
		err_clear(e);
		g->end = session_find(g->s, id, e);
		if (g->end) g->shot = arena_strdup(g->s->a, id);
		free(id);
		if (!g->end) return -1;
	}
	if (g->end->type->flags & NF_SINK) g->end = g->end->conn[0];
	return g->end ? 0 : err_set(e, E_SCENE, "'%s' shows nothing", g->shot);
}

/* Lines that are not in both, in their order; attributes only change lines, so what stands between is few. */
static void print_diff(const char *file, const char *a, const char *b)
{
	int line = 1;
	while (*a && *a == *b) {
		const char *x = strchr(a, '\n'), *y = strchr(b, '\n');
		if (!x || !y || x - a != y - b || memcmp(a, b, (size_t)(x - a)) != 0) break;
		a = x + 1;
		b = y + 1;
		line++;
	}
	size_t na = strlen(a), nb = strlen(b);
	while (na && nb && a[na - 1] == b[nb - 1]) { na--; nb--; }
	while (na < strlen(a) && a[na] != '\n') na++;
	while (nb < strlen(b) && b[nb] != '\n') nb++;
	printf("--- %s\n+++ %s\n@@ line %d @@\n", file, file, line);
	for (int side = 0; side < 2; side++) {
		const char *p = side ? b : a, *end = p + (side ? nb : na);
		while (p < end) {
			int n = (int)strcspn(p, "\n");
			printf("%c%.*s\n", side ? '+' : '-', n, p);
			p += n + 1;
		}
	}
}

/* What was proposed is in force from here on. */
static int enforce(struct guide *g, struct err *e)
{
	struct session *s = g->s;
	struct attr *a = arena_alloc(s->a, (size_t)g->nput + 1, sizeof *a);
	memcpy(a, g->put, (size_t)g->nput * sizeof *a);
	s->over = xrealloc(s->over, (size_t)s->nover + 1, sizeof *s->over);
	s->over[s->nover++] = (struct solve_over){ g->on, a, g->nput };
	if (session_net(s, NULL, e) < 0) return -1;
	return find_end(g, e);
}

static void tell(const struct guide *g, int i)
{
	char esc[3000];
	if (!g->s->c->json) {
		printf("%d %s: %s\n", i + 1, guide_steps[i].name, g->said);
		return;
	}
	json_escape(esc, sizeof esc, g->said);
	printf("{\"step\":%d,\"name\":\"%s\",\"measured\":\"%s\",\"node\":\"%s\",\"attributes\":{",
	       i + 1, guide_steps[i].name, esc, g->on && g->nput ? g->on : "");
	for (int k = 0; k < g->nput; k++) {
		json_escape(esc, sizeof esc, g->put[k].value);
		printf("%s\"%s\":\"%s\"", k ? "," : "", g->put[k].name, esc);
	}
	printf("}}\n");
}

static int one_step(struct guide *g, int i, char **text, int frame, struct err *e)
{
	const struct cli *c = g->s->c;
	struct image *before = NULL, *after = NULL;
	char *next = NULL, *path = NULL;
	int rc = -1;
	g->nput = 0;
	g->on = NULL;
	g->said[0] = 0;
	if (c->out && guide_picture(g, frame, &before, e) < 0) goto out;
	if (guide_steps[i].run(g, e) < 0) { err_in(e, "step %d, %s", i + 1, guide_steps[i].name); goto out; }
	tell(g, i);
	if (g->nput) {
		next = scene_patch(*text, strlen(*text), g->on, g->put, g->nput, e);
		if (!next) goto out;
		if (!c->json && strcmp(next, *text) != 0) print_diff(g->s->file, *text, next);
		free(*text);
		*text = next;
		/* a reference (hold_skin) is no parameter: it is in force once it is written */
		if (strcmp(g->put[0].name, "hold_skin") != 0 && enforce(g, e) < 0) goto out;
	}
	if (c->out) {
		if (guide_picture(g, frame, &after, e) < 0) goto out;
		path = xasprintf("%s/%d-%s.png", c->out, i + 1, guide_steps[i].name);
		if (guide_save(g, path, before, after, e) < 0) goto out;
		if (!c->json) printf("%s\n", path);
	}
	rc = 0;
out:
	image_unref(&before);
	image_unref(&after);
	free(path);
	return rc;
}

static int walk(struct guide *g, struct err *e)
{
	const struct cli *c = g->s->c;
	size_t len;
	char *text = text_read(g->s->file, &len, e), *first;
	struct frame_list l = { 0 };
	int rc = -1, last = g->end->fmt.last == INT_MAX ? g->end->fmt.first + 99 : g->end->fmt.last;
	int frame = g->end->fmt.first + (last - g->end->fmt.first) / 2;
	if (!text) return -1;
	first = xstrdup(text);
	if (c->frames) {
		if (frames_parse(c->frames, g->end->fmt.first, g->end->fmt.last, &l, e) < 0) goto out;
		frame = l.v[0];
		free(l.v);
	}
	if (c->out && mkdir(c->out, 0777) < 0 && errno != EEXIST) {
		err_set(e, E_OUTPUT, "%s: %s", c->out, strerror(errno));
		goto out;
	}
	for (int i = c->step ? c->step - 1 : 0; i < (c->step ? c->step : GUIDE_STEPS); i++)
		if (one_step(g, i, &text, frame, e) < 0) goto out;
	rc = 0;
	if (c->apply && strcmp(first, text) != 0) {
		rc = text_write(g->s->file, text, e);
		if (rc == 0) fprintf(stderr, "%s: written\n", g->s->file);
	}
out:
	free(first);
	free(text);
	return rc;
}

int verb_guide(struct cli *c, struct err *e)
{
	struct session s;
	int rc = -1;
	if (c->narg != 2)
		return err_set(e, E_USAGE,
		               "guide wants SCENE and a SHOT: the id of a write, a pass, a node or a use");
	if (c->step > GUIDE_STEPS) return err_set(e, E_USAGE, "--step %d: there are %d", c->step, GUIDE_STEPS);
	struct guide g = { .s = &s, .shot = c->arg[1], .pool = pool_new() };
	if (session_open(&s, c, c->arg[0], WANT_NET, e) == 0 && find_end(&g, e) == 0) rc = walk(&g, e);
	session_close(&s);
	pool_free(&g.pool);
	return rc;
}
