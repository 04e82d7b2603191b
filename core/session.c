/* session - see session.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "approve.h"
#include "burn.h"
#include "log.h"
#include "mem.h"
#include "script.h"
#include "seqname.h"
#include "skin.h"
#include "strmap.h"
#include "textfile.h"

atomic_int session_cancel;

int session_say(struct session *s, struct err *e)
{
	enum err_code code = diags_status(&s->d);
	diags_print(&s->d, s->c->log_json || s->c->json);
	diags_free(&s->d);
	memset(&s->d, 0, sizeof s->d);
	if (code == E_OK) return 0;
	e->code = code;
	e->msg[0] = 0;
	return -1;
}

/* The text of SCENE.lock, NULL when there is none. */
static char *lock_text(const char *file)
{
	struct err none = ERR_INIT;
	size_t len;
	char *path = lockfile_path(file), *text = text_read(path, &len, &none);
	free(path);
	return text;
}

static void unsolved(struct session *s)
{
	char where[300];
	for (int i = 0; i < s->net->nnode; i++) {
		struct net_node *nn = s->net->node[i];
		if (!node_is_unsolved(nn)) continue;
		char *hint = xasprintf("run: interneg solve %s %s --apply", s->file, nn->id);
		diag_add(&s->d, DIAG_ERROR, E_SCENE, nn->scene->file, nn->elem->line,
		         elem_where(nn->elem, where, sizeof where), hint, "not solved: nothing says what it should do");
		free(hint);
	}
}

static bool is_sink(const struct net_node *nn) { return !nn->group && nn->type->flags & NF_SINK; }

static const char *file_of(const struct net_node *nn)
{
	const struct param *p = nn->group ? NULL : param_find(nn->type->params, "file");
	const char *file = NULL;
	if (p) memcpy(&file, (const char *)nn->ctx.v + p->off, sizeof file);
	return file && *file ? file : NULL;
}

/* A file's name, or that of a frame of it, without what leads nowhere: "./", "//". */
static char *plain_name(const char *file)
{
	char *name = seq_path(file, 999), *to = name;
	for (const char *p = name; *p;) {
		bool first = p == name || p[-1] == '/';
		if (p[0] == '/' && p[1] == '/') p++;
		else if (first && p[0] == '.' && p[1] == '/') p += 2;
		else *to++ = *p++;
	}
	*to = 0;
	return name;
}

/* Two writes of one file would leave whichever ended last; a write of a read's file would replace what it is made of. */
static void written_over(struct session *s)
{
	char where[300], **name = xalloc((size_t)s->net->nnode + 1, sizeof *name);
	struct strmap by = { 0 };
	for (int i = 0; i < s->net->nnode; i++) {
		struct net_node *nn = s->net->node[i];
		if (file_of(nn)) name[i] = plain_name(file_of(nn));
		if (name[i] && !is_sink(nn)) strmap_put(&by, name[i], nn);
	}
	for (int i = 0; i < s->net->nnode; i++) {
		struct net_node *nn = s->net->node[i];
		const struct net_node *other = name[i] && is_sink(nn) ? strmap_get(&by, name[i]) : NULL;
		if (other)
			diag_add(&s->d, DIAG_ERROR, E_SCENE, nn->scene->file, nn->elem->line,
			         elem_where(nn->elem, where, sizeof where), "give one of them another file=",
			         is_sink(other) ? "'%s' writes %s too" : "'%s' reads %s, which this would replace", other->id, file_of(nn));
		else if (name[i] && is_sink(nn)) strmap_put(&by, name[i], nn);
	}
	char *out = s->c->out ? plain_name(s->c->out) : NULL;
	const struct net_node *read = out ? strmap_get(&by, out) : NULL;
	if (read && !is_sink(read))
		diag_add(&s->d, DIAG_ERROR, E_USAGE, s->file, 0, "", "", "--out %s: '%s' reads it", s->c->out, read->id);
	free(out);
	strmap_free(&by);
	for (int i = 0; i < s->net->nnode; i++) free(name[i]);
	free(name);
}

static void stale(struct session *s)
{
	char where[300];
	if (s->c->proxy > 1) return;            /* measured at full size, so its key says nothing here */
	for (int i = 0; i < s->net->nnode; i++) {
		struct net_node *nn = s->net->node[i];
		const struct param *p = nn->group ? NULL : param_find(nn->type->params, "solved");
		const char *solved = NULL;
		char now[65];
		struct err e = ERR_INIT;
		if (!(nn->type->flags & NF_SOLVE) || !p) continue;
		memcpy(&solved, (const char *)nn->ctx.v + p->off, sizeof solved);
		if (!solved || !*solved || solve_key(s, nn, now, &e) < 0) continue;
		if (strncmp(solved, now, strlen(solved)) == 0) continue;
		char *hint = xasprintf("run: interneg solve %s %s", s->file, nn->id);
		diag_add(&s->d, DIAG_WARNING, E_OK, nn->scene->file, nn->elem->line,
		         elem_where(nn->elem, where, sizeof where), hint,
		         "solved=\"%s\" is stale: what it was measured on has changed (now %s)", solved, now);
		free(hint);
	}
}

/* The number a node's parameter has, or none. */
static double number_of(const struct net_node *nn, const char *name, double none)
{
	const struct param *p = param_find(nn->type->params, name);
	double v = none;
	if (p && p->type == PT_FLOAT) memcpy(&v, (const char *)nn->ctx.v + p->off, sizeof v);
	return v;
}

/* Where a grade holds a skin, the nearest balance or match above it says where
 * the shot's skin was measured. */
static void skin_drift(struct session *s)
{
	char where[300];
	for (int i = 0; i < s->net->nnode; i++) {
		const struct net_node *nn = s->net->node[i], *up = nn->nconn ? nn->conn[0] : NULL;
		const struct skin_ref *k = nn->ctx.skin;
		if (!k || !(k->spread > 0)) continue;
		while (up && !((up->type->flags & NF_SOLVE) && number_of(up, "skin", -1) >= 0))
			up = up->nconn ? up->conn[0] : NULL;
		double at = up ? number_of(up, "skin", -1) : -1, off = skin_turn(k->hue, at);
		if (at < 0 || (off <= k->drift && off >= -k->drift)) continue;
		diag_add(&s->d, DIAG_WARNING, E_OK, nn->scene->file, nn->elem->line,
		         elem_where(nn->elem, where, sizeof where), "match the shot to one with the same "
		         "person, or turn it in the grade", "skin stands at %.1f degrees in '%s', %+.1f "
		         "from the %.1f that is held; %g are allowed", at, up->id, off, k->hue, k->drift);
	}
}

int session_net(struct session *s, const char *only, struct err *e)
{
	struct net_opts o = { .leave = &s->leave, .proxy = s->c->proxy ? s->c->proxy : 1,
		.keep_all = s->c->keep_all, .no_cache = s->c->no_cache, .only = only,
		.over = s->over, .nover = s->nover };
	struct solve_over *over = s->over;
	net_free(&s->net);
	s->net = net_build(s->scene, &o, &s->d);
	if (s->net && burn_tell(s, &over, &o.nover)) {
		o.over = over;
		net_free(&s->net);
		s->net = net_build(s->scene, &o, &s->d);
	}
	return s->net ? 0 : session_say(s, e);
}

/* Programs that the user does not allow: only verbs that would run them refuse. */
static void forbidden(struct session *s)
{
	char where[300];
	const char *verb = s->c->verb ? s->c->verb->name : "";
	bool runs = strcmp(verb, "render") == 0 || strcmp(verb, "lock") == 0 || strcmp(verb, "verify") == 0;
	for (int i = 0; i < s->net->nnode; i++) {
		struct net_node *nn = s->net->node[i];
		const struct param *p = strcmp(nn->type->name, "external") == 0
			? param_find(nn->type->params, "program") : NULL;
		const char *program = NULL;
		struct err e = ERR_INIT;
		if (p) memcpy(&program, (const char *)nn->ctx.v + p->off, sizeof program);
		if (!program || external_allowed(&s->leave, program)) continue;
		external_refuse(&s->leave, program, &e);
		diag_add(&s->d, runs ? DIAG_ERROR : DIAG_WARNING, E_RULE, nn->scene->file, nn->elem->line,
		         elem_where(nn->elem, where, sizeof where), "", "%s", e.msg);
	}
}

/* A final that is not approved is refused by render; check and plan warn. */
static int finals(struct session *s, struct err *e)
{
	const char *verb = s->c->verb ? s->c->verb->name : "";
	bool refuse = strcmp(verb, "render") == 0, warn = strcmp(verb, "check") == 0 || strcmp(verb, "plan") == 0;
	if (!(refuse || warn) || diags_status(&s->d) != E_OK) return 0;
	struct approvals a;
	approvals_open(&a, s);
	int n = approvals_demand(&a, refuse ? DIAG_ERROR : DIAG_WARNING, &s->d, e);
	approvals_close(&a);
	return n < 0 ? -1 : 0;
}

int session_rules(struct session *s, bool unsolved_is_error, struct err *e)
{
	char *lock = lock_text(s->file);
	bool relock = s->c->verb && strcmp(s->c->verb->name, "lock") == 0 && (s->c->relock || !lock);
	if (relock) { free(lock); lock = NULL; }
	script_relock(s->host, relock);
	int rc = script_rules(s->host, s->net, NULL, lock, &s->d);
	free(lock);
	if (unsolved_is_error) unsolved(s);
	if (unsolved_is_error) forbidden(s);
	written_over(s);
	stale(s);
	skin_drift(s);
	if (unsolved_is_error && finals(s, e) < 0) return -1;
	if (session_say(s, e) < 0) return -1;
	return rc < 0 ? err_set(e, E_SCRIPT, "%s: the pass rules could not be run", s->file) : 0;
}

static void open_cache(struct session *s)
{
	const char *dir = s->c->cache, *env = getenv("INTERNEG_CACHE");
	if (s->c->no_cache) return;
	if (!dir && env && *env) dir = env;
	if (dir) { s->cache = cache_new(dir); return; }
	char *d = xasprintf("%s/.interneg/cache", s->scene->dir);
	s->cache = cache_new(d);
	free(d);
}

/* `git describe --always --dirty` in the scene's folder, or "unknown". malloced */
static char *git_rev(const char *dir)
{
	int fd[2];
	char buf[128] = "";
	if (pipe(fd) < 0) return xstrdup("unknown");
	pid_t pid = fork();
	if (pid == 0) {
		dup2(fd[1], 1);
		close(fd[0]);
		if (!freopen("/dev/null", "w", stderr)) _exit(1);
		execlp("git", "git", "-C", dir, "describe", "--always", "--dirty", (char *)NULL);
		_exit(1);
	}
	close(fd[1]);
	ssize_t n = pid > 0 ? read(fd[0], buf, sizeof buf - 1) : 0;
	close(fd[0]);
	if (pid > 0) waitpid(pid, NULL, 0);
	if (n > 0) buf[strcspn(buf, "\n")] = 0;
	return xstrdup(n > 0 && buf[0] ? buf : "unknown");
}

const char *session_rev(struct session *s)
{
	if (!s->rev) s->rev = git_rev(s->scene->dir);
	return s->rev;
}

static bool wants_rev(const struct net *n)
{
	for (int i = 0; i < n->nwrite; i++)
		for (int k = 0; k < n->write[i]->elem->nattr; k++)
			if (strstr(n->write[i]->elem->attr[k].value, "{rev}")) return true;
	return false;
}

int session_open(struct session *s, const struct cli *c, const char *file,
                 enum session_want want, struct err *e)
{
	*s = (struct session){ .c = c, .file = file };
	s->a = arena_new();
	s->pool = pool_new();
	s->host = script_host_new();
	struct load_opts lo = { s->host, c->set, c->nset };
	s->scene = scene_load(file, NULL, 0, &lo, &s->d);
	if (!s->scene || diags_status(&s->d) != E_OK) {
		if (session_say(s, e) == 0) err_set(e, E_SCENE, "%s: cannot be loaded", file);
		return -1;
	}
	open_cache(s);
	if (settings_read(&s->settings, e) < 0) return -1;
	s->leave = (struct external_leave){ .all = c->allow_external, .settings = &s->settings,
		.dir = s->cache ? cache_dir(s->cache) : NULL };
	if (want == WANT_SCENE) return 0;
	if (session_net(s, c->only, e) < 0) return -1;
	if (want == WANT_RENDER && c->solve && session_solve(s, NULL, true, true, e) < 0) return -1;
	if (want == WANT_RENDER && wants_rev(s->net)) session_rev(s);
	return session_rules(s, want == WANT_RENDER, e);
}

void session_close(struct session *s)
{
	net_free(&s->net);
	cache_free(&s->cache);
	if (s->scene) scene_free(&s->scene);
	if (s->host) script_host_free(&s->host);
	diags_free(&s->d);
	free(s->over);
	solve_forget(s);
	free(s->rev);
	settings_free(&s->settings);
	if (s->a) arena_free(&s->a);
	if (s->pool) pool_free(&s->pool);
}

struct render_opts session_opts(const struct session *s)
{
	const struct cli *c = s->c;
	struct render_opts o = { .threads = c->threads, .memory = c->memory, .tile = c->tile, .no_fuse = c->no_fuse,
		.frames = c->frames, .cache = s->cache, .dry = c->dry, .overwrite = c->overwrite, .outpath = c->out,
		.cancel = &session_cancel, .trace = c->trace, .rev = s->rev };
	return o;
}

struct net_node *session_find(const struct session *s, const char *id, struct err *e)
{
	struct net_node *nn = net_find(s->net, id);
	if (nn) return nn;
	const char **ids = xalloc((size_t)s->net->nnode + 1, sizeof *ids);
	for (int i = 0; i < s->net->nnode; i++) ids[i] = s->net->node[i]->id;
	const char *near = nearest_name(id, ids, (size_t)s->net->nnode);
	err_set(e, E_USAGE, "%s: no node or pass '%s'%s%s%s", s->file, id, near ? "; did you mean " : "",
	        near ? near : "", near ? "?" : "");
	free(ids);
	return NULL;
}
