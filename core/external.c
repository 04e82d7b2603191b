/* external - see external.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "external.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "mem.h"

extern char **environ;

/* How long a program that is told to end may take before it is killed; how often it is looked at. */
enum { GRACE_MS = 2000, LOOK_MS = 20, TAIL = 600 };

/* --- leave --- */

static bool same_file(const char *a, const char *b)
{
	char x[PATH_MAX], y[PATH_MAX];
	return realpath(a, x) && realpath(b, y) && strcmp(x, y) == 0;
}

bool external_allowed(const struct external_leave *l, const char *program)
{
	if (!l) return false;
	for (int i = 0; l->settings && i < l->settings->nallow; i++)
		if (same_file(l->settings->allow[i], program)) return true;
	return l->all;
}

int external_refuse(const struct external_leave *l, const char *program, struct err *e)
{
	char full[PATH_MAX];
	const char *file = l && l->settings && l->settings->file ? l->settings->file : "~/.config/interneg/settings";
	return err_set(e, E_RULE, "the scene wants to run %s; that is yours to allow: --allow-external, or a line "
	               "\"allow_external %s\" in %s", program, realpath(program, full) ? full : program, file);
}

/* --- words --- */

int external_words(const char *text, char ***v, int *n, struct err *e)
{
	size_t len = strlen(text);
	char *word = xalloc(len + 1, 1);
	*v = xalloc(1, sizeof **v);
	*n = 0;
	for (const char *s = text; ; ) {
		size_t k = 0;
		s += strspn(s, " \t\r\n");
		if (!*s) break;
		for (char quote = 0; *s && (quote || !strchr(" \t\r\n", *s)); s++) {
			if (quote ? *s == quote : *s == '\'' || *s == '"') quote = quote ? 0 : *s;
			else word[k++] = *s == '\\' && quote != '\'' && s[1] ? *++s : *s;
			if (!s[1] && quote) {
				free(word);
				external_words_free(v);
				return err_set(e, E_SCENE, "a %c is not closed in: %.200s", quote, text);
			}
		}
		word[k] = 0;
		*v = xrealloc(*v, (size_t)*n + 2, sizeof **v);
		(*v)[(*n)++] = xstrdup(word);
		(*v)[*n] = NULL;
	}
	free(word);
	return 0;
}

void external_words_free(char ***v)
{
	for (char **w = *v; w && *w; w++) free(*w);
	free(*v);
	*v = NULL;
}

char *external_fill(const char *word, const char *const *pairs)
{
	char *out = xstrdup("");
	while (*word) {
		const char *const *p = pairs;
		size_t n = 1;
		if (*word == '{')
			for (; *p; p += 2) {
				n = strlen(*p);
				if (strncmp(word + 1, *p, n) == 0 && word[n + 1] == '}') break;
			}
		bool hit = *word == '{' && *p;
		char *next = hit ? xasprintf("%s%s", out, p[1]) : xasprintf("%s%c", out, *word);
		free(out);
		out = next;
		word += hit ? n + 2 : 1;
	}
	return out;
}

/* --- what it is --- */

int external_sha(const char *program, char *const *files, struct key *out, struct err *e)
{
	struct sha s;
	struct key k;
	char hex[65];
	if (hash_file(program, out, e) < 0) return -1;
	if (!files || !*files) return 0;
	sha_init(&s);
	key_hex(out, hex);
	sha_add(&s, hex, 64);
	for (; *files; files++) {
		if (hash_file(*files, &k, e) < 0) return -1;
		key_hex(&k, hex);
		sha_add(&s, hex, 64);
	}
	*out = sha_end(&s);
	return 0;
}

/* --- the process --- */

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void pause_ms(int ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000L };
	nanosleep(&t, NULL);
}

/* The end of the log as one piece of text, without control characters. */
static void tail_of(const char *log, char out[TAIL + 1])
{
	FILE *f = fopen(log, "r");
	size_t n = 0;
	if (f) {
		if (fseek(f, -TAIL, SEEK_END) < 0) rewind(f);
		n = fread(out, 1, TAIL, f);
		fclose(f);
	}
	out[n] = 0;
	for (size_t i = 0; i < n; i++)
		if ((unsigned char)out[i] < 32 && out[i] != '\n') out[i] = ' ';
	while (n && (out[n - 1] == '\n' || out[n - 1] == ' ')) out[--n] = 0;
}

static int start(const struct external_run *x, pid_t *pid, struct err *e)
{
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t at;
	sigset_t none, usual;
	sigemptyset(&none);
	sigemptyset(&usual);
	sigaddset(&usual, SIGPIPE);
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&at);
	posix_spawn_file_actions_addopen(&fa, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&fa, 1, x->log, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&fa, 1, 2);
	posix_spawn_file_actions_addclosefrom_np(&fa, 3);
	posix_spawn_file_actions_addchdir_np(&fa, x->cwd);
	posix_spawnattr_setpgroup(&at, 0);
	posix_spawnattr_setsigmask(&at, &none);
	posix_spawnattr_setsigdefault(&at, &usual);
	posix_spawnattr_setflags(&at, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	int rc = posix_spawn(pid, x->program, &fa, &at, x->argv, environ);
	posix_spawn_file_actions_destroy(&fa);
	posix_spawnattr_destroy(&at);
	return rc ? err_set(e, E_INPUT, "%s cannot be run: %s", x->program, strerror(rc)) : 0;
}

/* Tells the group to end, then kills what is left; the leader is reaped. */
static void end_group(pid_t pid)
{
	kill(-pid, SIGTERM);
	for (int left = GRACE_MS; left > 0; left -= LOOK_MS) {
		if (waitpid(pid, NULL, WNOHANG) == pid) {
			kill(-pid, SIGKILL);
			return;
		}
		pause_ms(LOOK_MS);
	}
	kill(-pid, SIGKILL);
	while (waitpid(pid, NULL, 0) < 0 && errno == EINTR) ;
}

int external_run(const struct external_run *x, struct err *e)
{
	pid_t pid, got;
	int status = 0, look = 1;
	char tail[TAIL + 1];
	int64_t from = now_ms();
	if (start(x, &pid, e) < 0) return -1;
	while ((got = waitpid(pid, &status, WNOHANG)) == 0 || (got < 0 && errno == EINTR)) {
		if (x->cancel && atomic_load_explicit(x->cancel, memory_order_relaxed)) {
			end_group(pid);
			return err_set(e, E_CANCEL, "cancelled");
		}
		if ((double)(now_ms() - from) > x->timeout * 1000) {
			end_group(pid);
			tail_of(x->log, tail);
			return err_set(e, E_INPUT, "%s took longer than timeout=\"%g\" seconds and was ended%s%s", x->program,
			               x->timeout, *tail ? "; its last words:\n" : "", tail);
		}
		pause_ms(look);
		look = look < LOOK_MS ? look + 1 : LOOK_MS;
	}
	kill(-pid, SIGKILL);                             /* children that it left behind */
	if (got < 0) return err_set(e, E_INTERNAL, "%s: %s", x->program, strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return 0;
	tail_of(x->log, tail);
	bool sig = WIFSIGNALED(status);
	return err_set(e, E_INPUT, "%s ended with %s %d%s%s", x->program, sig ? "signal" : "status",
	               sig ? WTERMSIG(status) : WEXITSTATUS(status),
	               *tail ? "; its last words:\n" : " and said nothing", tail);
}

/* --- folders --- */

char *external_folder(const struct external_leave *l, struct err *e)
{
	const char *tmp = getenv("TMPDIR");
	char *dir = NULL, full[PATH_MAX], *base = l && l->dir ? xstrdup(l->dir)
		: xstrdup(tmp && *tmp ? tmp : "/tmp");
	for (char *s = base + 1; l && l->dir && *s; s++)         /* mkdir -p; what fails is told below */
		if (*s == '/') {
			*s = 0;
			(void)mkdir(base, 0777);
			*s = '/';
		}
	if (l && l->dir) (void)mkdir(base, 0777);
	if (!realpath(base, full)) {
		err_set(e, E_OUTPUT, "%s: %s", base, strerror(errno));
		goto out;
	}
	dir = xasprintf("%s/external.XXXXXX", full);
	if (!mkdtemp(dir)) {
		err_set(e, E_OUTPUT, "no private folder in %s: %s", full, strerror(errno));
		free(dir);
		dir = NULL;
	}
out:
	free(base);
	return dir;
}

static int take(const char *path, const struct stat *st, int kind, struct FTW *at)
{
	(void)st; (void)kind; (void)at;
	return remove(path);
}

void external_remove(char **folder)
{
	if (*folder) (void)nftw(*folder, take, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
	free(*folder);
	*folder = NULL;
}
