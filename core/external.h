/* external - runs a program of the user's: by his leave, without a shell, with a
 * time limit, killed with its children.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_EXTERNAL_H
#define IN_EXTERNAL_H

#include <stdatomic.h>

#include "err.h"
#include "hash.h"
#include "image.h"
#include "settings.h"

enum { EXTERNAL_FILES = 64 };               /* files beside the program, at most */

/* What the user allows: every program, or those of his settings. dir: the cache's folder,
 * NULL: $TMPDIR or /tmp. Threads: frozen. */
struct external_leave { bool all; const struct settings *settings; const char *dir; };
/* l may be NULL: nothing is allowed. */
bool external_allowed(const struct external_leave *l, const char *program);
/* Why it is not, and what to do. Always -1, E_RULE. */
int external_refuse(const struct external_leave *l, const char *program, struct err *e);

/* A list written as text: words apart by blanks; '...' and "..." keep blanks, a backslash
 * outside '...' takes the next character as it is. No shell, no variables, no wildcards. *v is
 * NULL-terminated, external_words_free. */
int external_words(const char *text, char ***v, int *n, struct err *e);
void external_words_free(char ***v);
/* word with every {name} of pairs (name, value, ..., NULL) replaced; malloced. */
char *external_fill(const char *word, const char *const *pairs);

/* What pins a program and the files it consists of: of one file its SHA-256; of several
 * that of their hex digests one behind the other (sha256sum PROGRAM FILE ... | cut
 * -c1-64 | tr -d '\n' | sha256sum). */
int external_sha(const char *program, char *const *files, struct key *out, struct err *e);

struct external_run {
	const char *program; char *const *argv;          /* argv[0] too, NULL-terminated */
	const char *cwd, *log;                           /* log: file that stdout and stderr go to */
	double timeout; const atomic_int *cancel;
};
/* 0 when it ended with status 0. E_INPUT telling how it ended and the last lines of the log;
 * E_CANCEL. Nothing of its process group is alive afterwards. Threads: any. */
int external_run(const struct external_run *x, struct err *e);

/* A fresh private folder under l's; malloced, NULL with E_OUTPUT. remove takes it with all that is in it. */
char *external_folder(const struct external_leave *l, struct err *e);
void external_remove(char **folder);

/* The planes R, G, B (and A with alpha) of a PNG of exactly out's size, codes 0 to 1; E_INPUT. */
int external_png(const char *path, const struct view *out, bool alpha, struct err *e);

#endif
