/* verb_scene - verbs about the scene file and the registry: check, fmt, nodes, schema.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "docs.h"
#include "schema.h"
#include "script.h"
#include "session.h"
#include "textfile.h"

int verb_check(struct cli *c, struct err *e)
{
	int rc = 0;
	if (c->narg < 1) return err_set(e, E_USAGE, "check wants at least one SCENE");
	for (int i = 0; i < c->narg; i++) {
		struct session s;
		struct err one = ERR_INIT;
		if (session_open(&s, c, c->arg[i], WANT_RENDER, &one) < 0) {
			if (rc == 0 || !e->code) *e = one;
			rc = -1;
		} else if (!c->json)
			printf("%s: ok, %d nodes, %d passes, %d writes\n", c->arg[i], s.net->nnode, s.net->npass, s.net->nwrite);
		session_close(&s);
	}
	return rc;
}

static int fmt_one(const struct cli *c, const char *file, struct err *e)
{
	size_t len;
	struct session s = { .c = c, .file = file };
	char *text = scene_read(file, &len, e), *out = NULL;
	int rc = -1;
	if (!text) return err_in(e, "%s", file);
	s.host = script_host_new();
	struct load_opts lo = { s.host, NULL, 0 };
	out = scene_fmt(file, text, len, &lo, &s.d);
	if (c->textconv) {                      /* git gives a copy elsewhere: scripts and graphs beside it are missing */
		rc = fputs(out ? out : text, stdout) < 0 ? err_set(e, E_OUTPUT, "standard output: %s", strerror(errno)) : 0;
		goto out;
	}
	if (session_say(&s, e) < 0) goto out;
	if (!out) { err_set(e, E_SCENE, "%s: cannot be formatted", file); goto out; }
	bool same = strcmp(text, out) == 0;
	if (c->check_only)
		rc = same ? 0
			: err_set(e, E_SCENE, "%s: not in canonical form; run: interneg fmt --write %s", file,
		              file);
	else if (c->write) rc = same ? 0 : text_write(file, out, e);
	else rc = fputs(out, stdout) < 0 ? err_set(e, E_OUTPUT, "standard output: %s", strerror(errno)) : 0;
out:
	free(out);
	free(text);
	session_close(&s);
	return rc;
}

int verb_fmt(struct cli *c, struct err *e)
{
	if (c->narg < 1) return err_set(e, E_USAGE, "fmt wants at least one SCENE");
	for (int i = 0; i < c->narg; i++)
		if (fmt_one(c, c->arg[i], e) < 0) return -1;
	return 0;
}

int verb_nodes(struct cli *c, struct err *e)
{
	struct registry reg = { 0 };
	if (c->narg > 1) return err_set(e, E_USAGE, "nodes wants at most one NAME");
	if (c->json && !c->narg) { docs_json(stdout, &reg); return 0; }
	if (c->markdown) { docs_markdown(stdout, &reg); return 0; }
	if (!c->narg) { docs_list(stdout, &reg); return 0; }
	const struct node_type *t = registry_find(&reg, c->arg[0]);
	if (t && !(t->flags & NF_HIDDEN)) { docs_node(stdout, t); return 0; }
	int n;
	const struct node_type **all = registry_all(&reg, &n);
	const char **names = xalloc((size_t)n + 1, sizeof *names);
	for (int i = 0; i < n; i++) names[i] = all[i]->name;
	const char *near = nearest_name(c->arg[0], names, (size_t)n);
	err_set(e, E_USAGE, "no node type '%s'%s%s%s", c->arg[0], near ? "; did you mean " : "",
	        near ? near : "", near ? "?" : "");
	free(names);
	free(all);
	return -1;
}

int verb_schema(struct cli *c, struct err *e)
{
	struct registry reg = { 0 };
	struct session s = { 0 };
	int rc = 0;
	if (c->narg > 1) return err_set(e, E_USAGE, "schema wants at most one SCENE");
	if (c->narg && session_open(&s, c, c->arg[0], WANT_SCENE, e) < 0) rc = -1;
	const struct registry *r = s.scene ? s.scene->reg : &reg;
	if (rc == 0 && c->xsd) schema_xsd(stdout, r, s.scene);
	else if (rc == 0) schema_rng(stdout, r, s.scene);
	session_close(&s);
	return rc;
}
