/* revtree - see revtree.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "revtree.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mem.h"
#include "strmap.h"

enum { MAX_FILES = 500000, MAX_LIST = 256 << 20 };

/* --- git --- */

struct git { const char *dir,
            *index; };      /* folder to run in; index file instead of the repository's, or NULL */

static void run_child(const struct git *g, const char *const *args, int in, int out)
{
	const char *argv[32] = { "git", "--no-optional-locks", "-C", g->dir };
	int n = 4;
	while (*args && n < 31) argv[n++] = *args++;
	argv[n] = NULL;
	if (g->index) setenv("GIT_INDEX_FILE", g->index, 1);
	int null = open("/dev/null", O_RDWR);
	dup2(in >= 0 ? in : null, 0);
	dup2(out, 1);
	dup2(null, 2);
	execvp("git", (char *const *)(uintptr_t)argv);
	_exit(127);
}

static char *drain(int fd, size_t *len)
{
	size_t cap = 65536;
	char *buf = xalloc(cap, 1);
	ssize_t got;
	*len = 0;
	while ((got = read(fd, buf + *len, cap - *len - 1)) > 0 || (got < 0 && errno == EINTR)) {
		*len += got > 0 ? (size_t)got : 0;
		if (*len > MAX_LIST) break;
		if (cap - *len < 4096) buf = xrealloc(buf, cap *= 2, 1);
	}
	buf[*len] = 0;
	return buf;
}

/* What git prints, malloced and terminated; NULL when it did not succeed. in: a file for its
 * input, or -1. */
static char *git_out(const struct git *g, const char *const *args, int in, size_t *len)
{
	int fd[2], status = -1;
	if (pipe2(fd, O_CLOEXEC) < 0) return NULL;
	pid_t pid = fork();
	if (pid == 0) run_child(g, args, in, fd[1]);
	close(fd[1]);
	char *text = pid > 0 ? drain(fd[0], len) : NULL;
	close(fd[0]);
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR) { }
	if (text && *len <= MAX_LIST && WIFEXITED(status) && WEXITSTATUS(status) == 0) return text;
	free(text);
	return NULL;
}

/* One line; malloced. */
static char *git_line(const struct git *g, const char *const *args)
{
	size_t len;
	char *s = git_out(g, args, -1, &len);
	if (s) s[strcspn(s, "\n")] = 0;
	return s;
}

static bool git_does(const struct git *g, const char *const *args, int in)
{
	size_t len;
	char *s = git_out(g, args, in, &len);
	free(s);
	return s != NULL;
}

/* --- files --- */

static int folders(char *path)
{
	for (char *p = path + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		int rc = mkdir(path, 0777);
		*p = '/';
		if (rc < 0 && errno != EEXIST) return -1;
	}
	return 0;
}

static int drop(const char *path, const struct stat *st, int flag, struct FTW *f)
{
	(void)st;
	(void)flag;
	(void)f;
	return remove(path);
}

static void remove_tree(const char *dir)
{
	nftw(dir, drop, 16, FTW_DEPTH | FTW_PHYS);
}

static int link_file(const struct revtree *t, const char *top, const char *name)
{
	char *to = xasprintf("%s/%s", t->dir, name), *from = xasprintf("%s/%s", top, name);
	int rc = folders(to);
	if (rc == 0 && symlink(from, to) < 0 && errno != EEXIST) rc = -1;
	free(to);
	free(from);
	return rc;
}

/* --- the tree --- */

struct job { struct revtree *t; struct git g, alt; char *top, *commit,
            *index; struct strmap changed; struct err *e; };

static int bad(struct job *j, const char *what)
{
	return err_set(j->e, E_INPUT, "%s: %s", j->t->dir, what);
}

/* Names of a list with zero bytes between go through each; stops at MAX_FILES. */
static int each_name(struct job *j, const char *list, size_t len,
                     int (*each)(struct job *j, const char *name))
{
	int n = 0;
	for (const char *p = list; p < list + len; p += strlen(p) + 1) {
		if (++n > MAX_FILES) return bad(j, "the repository has too many files");
		if (each(j, p) < 0) return -1;
	}
	return 0;
}

static int note_changed(struct job *j, const char *name)
{
	strmap_put(&j->changed, name, j->t);
	return 0;
}

static int link_same(struct job *j, const char *name)
{
	if (strmap_get(&j->changed, name)) return 0;
	return link_file(j->t, j->top, name) < 0 ? bad(j, strerror(errno)) : 0;
}

static int link_unknown(struct job *j, const char *name)
{
	size_t n = strlen(name);
	/* the cache itself, where it lies in the working tree; other repositories inside */
	if (strstr(name, ".interneg/") || !n || name[n - 1] == '/') return 0;
	return link_file(j->t, j->top, name) < 0 ? bad(j, strerror(errno)) : 0;
}

/* Writes the list of changed files to a file that git then reads. */
static int write_list(const char *path, const char *list, size_t len)
{
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	size_t at = 0;
	while (fd >= 0 && at < len) {
		ssize_t n = write(fd, list + at, len - at);
		if (n < 0 && errno != EINTR) { close(fd); return -1; }
		at += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0) lseek(fd, 0, SEEK_SET);
	return fd;
}

/* Files of the commit that differ on disk, and only those that the commit has. */
static int check_out(struct job *j, const char *const *names, size_t n)
{
	char *prefix = xasprintf("--prefix=%s/", j->t->dir), *list_path = xasprintf("%s.list",
		j->t->dir), *list = NULL;
	size_t len = 0, cap = 0;
	const char *args[] = { "checkout-index", "-q", "-f", "-z", "--stdin", prefix, NULL };
	for (size_t i = 0; i < n; i++) {
		size_t k = strlen(names[i]) + 1;
		while (len + k > cap) list = xrealloc(list, cap = cap ? cap * 2 : 65536, 1);
		memcpy(list + len, names[i], k);
		len += k;
	}
	int fd = len ? write_list(list_path, list, len) : -1, rc = 0;
	if (len && (fd < 0 || !git_does(&j->alt, args, fd))) rc = bad(j,
		"git cannot write the files of the revision");
	if (fd >= 0) close(fd);
	unlink(list_path);
	free(list);
	free(list_path);
	free(prefix);
	return rc;
}

static int fill(struct job *j)
{
	const char *diff[] = { "diff-index", "-z", "--name-only", "--no-renames", j->commit, NULL };
	const char *tree[] = { "ls-tree", "-r", "-z", "--name-only", "--full-tree", j->commit, NULL };
	const char *others[] = { "ls-files", "-z", "-o", "-x", ".interneg/", NULL };
	const char *index[] = { "read-tree", j->commit, NULL };
	size_t nd = 0, nt = 0, no = 0, count = 0, cap = 0;
	char *changed = git_out(&j->g, diff, -1, &nd), *all = git_out(&j->g, tree, -1, &nt);
	char *unknown = git_out(&j->g, others, -1, &no);
	const char **names = NULL;
	int rc = -1;
	if (!changed || !all || !unknown || !git_does(&j->alt, index, -1)) {
		bad(j, "git cannot list the revision");
		goto out;
	}
	if (each_name(j, changed, nd, note_changed) < 0 || each_name(j, all, nt,
		link_same) < 0) goto out;
	for (const char *p = all; p < all + nt; p += strlen(p) + 1) {
		if (!strmap_get(&j->changed, p)) continue;
		names = grow(names, count, &cap, sizeof *names);
		names[count++] = p;
	}
	if (check_out(j, names, count) < 0) goto out;
	rc = each_name(j, unknown, no, link_unknown);
out:
	free(names);
	free(changed);
	free(all);
	free(unknown);
	return rc;
}

/* The path from the top of the repository: as it stands, from the current folder, from that of the
 * scene; malloced. */
static char *find_path(const struct job *j, const char *folder, const char *rev, const char *path)
{
	const char *from[] = { j->top, ".", folder };
	for (int i = 0; i < 3; i++) {
		struct git g = { from[i], NULL };
		const char *prefix_args[] = { "rev-parse", "--show-prefix", NULL };
		char *object = xasprintf("%s:%s%s", rev, i ? "./" : "", path);
		const char *args[] = { "cat-file", "-e", object, NULL };
		char *prefix = i ? git_line(&g, prefix_args) : xstrdup("");
		bool there = prefix && git_does(&g, args, -1);
		char *out = there ? xasprintf("%s%s", prefix, path) : NULL;
		free(object);
		free(prefix);
		if (out) return out;
	}
	return NULL;
}

static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	return slash ? xasprintf("%.*s", slash == file ? 1 : (int)(slash - file), file) : xstrdup(".");
}

int revtree_open(struct revtree *t, const char *cache, const char *near, const char *rev,
                 const char *path,
                 struct err *e)
{
	char *folder = folder_of(near), *spec = xasprintf("%s^{commit}", rev), *found = NULL,
		*base = NULL;
	struct job j = { .t = t, .g = { folder, NULL }, .e = e };
	const char *top_args[] = { "rev-parse", "--show-toplevel", NULL };
	const char *rev_args[] = { "rev-parse", "--verify", "--quiet", "--end-of-options", spec, NULL };
	int rc = -1;
	*t = (struct revtree){ NULL, NULL };
	if (!(j.top = git_line(&j.g, top_args))) { err_set(e, E_INPUT, "%s: %s is in no git repository",
	                                                   rev, near); goto out; }
	if (rev[0] == '-' || !(j.commit = git_line(&j.g, rev_args))) {
		err_set(e, E_INPUT, "%s:%s: git knows no revision %s", rev, path, rev);
		goto out;
	}
	if (!(found = find_path(&j, folder, j.commit, path))) {
		err_set(e, E_INPUT, "%s:%s: there is no such file in that revision", rev, path);
		goto out;
	}
	t->dir = xasprintf("%s/rev/%.12s-%ld", cache, j.commit, (long)getpid());
	if (folders(t->dir) < 0 || (mkdir(t->dir, 0777) < 0 && errno != EEXIST) ||
	    !(base = realpath(t->dir, NULL))) {
		err_set(e, E_OUTPUT, "%s: %s", t->dir, strerror(errno));
		goto out;
	}
	free(t->dir);
	t->dir = base;
	j.index = xasprintf("%s.index", t->dir);
	j.g.dir = j.top;
	j.alt = (struct git){ j.top, j.index };
	rc = fill(&j);
	unlink(j.index);
	t->scene = xasprintf("%s/%s", t->dir, found);
out:
	strmap_free(&j.changed);
	free(j.top);
	free(j.commit);
	free(j.index);
	free(folder);
	free(spec);
	free(found);
	if (rc < 0) revtree_close(t);
	return rc;
}

void revtree_close(struct revtree *t)
{
	if (t->dir) remove_tree(t->dir);
	free(t->dir);
	free(t->scene);
	*t = (struct revtree){ NULL, NULL };
}
