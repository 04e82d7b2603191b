/* script_lock - reads SCENE.lock and works out what its lines are compared with.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "script_lock.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "external.h"
#include "nn_model.h"

static void add_line(struct lock *l, const char *kind, const char *id, const char *value)
{
	l->line = xrealloc(l->line, (size_t)l->n + 1, sizeof *l->line);
	l->line[l->n++] = (struct lock_line){ xstrdup(kind), xstrdup(id), xstrdup(value) };
}

/* One line, which is taken apart; NULL when it is good, else what is wrong. */
static const char *parse_line(struct lock *l, char *line)
{
	char *save = NULL;
	struct key k;
	const char *kind = strtok_r(line, " \t\r", &save);
	if (!kind || kind[0] == '#') return NULL;
	bool hash = strcmp(kind, "model") == 0, seed = strcmp(kind, "seed") == 0,
		picture = strcmp(kind, "picture") == 0;
	if (!hash && !seed && !picture) return NULL;
	const char *id = strtok_r(NULL, " \t\r", &save), *value = strtok_r(NULL, picture ? "\r" : " \t\r", &save);
	if (!id || !value || strtok_r(NULL, " \t\r", &save))
		return "expected: model ID SHA256, seed ID VALUE, or picture ID.NAME VALUE";
	if (hash && key_parse(value, &k) < 0) return "a SHA-256 has 64 hexadecimal digits";
	for (int i = 0; i < l->n; i++)
		if (strcmp(l->line[i].kind, kind) == 0 && strcmp(l->line[i].id, id) == 0)
			return "the same pin twice";
	add_line(l, kind, id, value);
	return NULL;
}

int lock_parse(struct lock *l, const char *text, const char *scene_file, struct diags *d)
{
	*l = (struct lock){ .present = text != NULL };
	int no = 0, rc = 0;
	char *copy = xstrdup(text ? text : ""), *s = copy, *line;
	size_t n = strlen(scene_file);
	char *file = xasprintf("%.*s.lock", (int)(n > 4 && strcmp(scene_file + n - 4, ".xml") == 0
	    ? n - 4 : n), scene_file);
	while ((line = strsep(&s, "\n"))) {
		no++;
		const char *bad = parse_line(l, line);
		if (!bad) continue;
		diag_add(d, DIAG_ERROR, E_LOCK, file, no, "", "", "%s", bad);
		rc = -1;
	}
	free(file);
	free(copy);
	return rc;
}

void lock_free(struct lock *l)
{
	for (int i = 0; i < l->n; i++) {
		free(l->line[i].kind);
		free(l->line[i].id);
		free(l->line[i].value);
	}
	free(l->line);
	*l = (struct lock){ 0 };
}

/* Of the program that an external node runs. */
static bool program_hash(const struct node_ctx *c, char hex[65])
{
	struct key k;
	struct err e = ERR_INIT;
	const char *path[EXTERNAL_FILES + 1], *first = NULL;
	char name[PATH_MAX], *rest[EXTERNAL_FILES + 2] = { NULL };
	if (!c->v || !c->state || !c->type->files || !param_find(c->type->params, "program_sha256")) return false;
	for (int i = 0; i <= EXTERNAL_FILES && c->type->files(c, i, name, sizeof name, &path[i]); i++) {
		if (i == 0) first = path[0];
		else memcpy(&rest[i - 1], &path[i], sizeof rest[0]);
	}
	if (!first || external_sha(first, rest, &k, &e) < 0) return false;
	key_hex(&k, hex);
	return true;
}

bool lock_model_hash(const struct node_ctx *c, char hex[65])
{
	if (program_hash(c, hex)) return true;
	const struct param *p = param_find(c->type->params, "model");
	const char *path = NULL;
	struct stat st;
	struct key k;
	struct err e = ERR_INIT;
	if (!p || p->type != PT_PATH || !c->v) return false;
	memcpy(&path, (const char *)c->v + p->off, sizeof path);
	if (!path || !*path || stat(path, &st) < 0 || !S_ISREG(st.st_mode)) return false;
	char *bin = nn_bin_path(path);
	bool pair = bin != NULL;
	free(bin);
	if ((pair ? nn_sha(path, &k, &e) : hash_file(path, &k, &e)) < 0) return false;
	key_hex(&k, hex);
	return true;
}
