/* err - one error with its status, and a list of findings with places.
 * Threads: worker (each caller owns its struct).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_ERR_H
#define IN_ERR_H

#include "base.h"

/* Exit statuses of DESIGN section 4; an error carries the one it ends in. */
enum err_code {
	E_OK = 0, E_INTERNAL = 1, E_USAGE = 2, E_SCENE = 3, E_RULE = 4, E_INPUT = 5,
	E_FRAMES = 6, E_MEMORY = 7, E_QC = 8, E_OUTPUT = 9, E_SCRIPT = 10,
	E_VERIFY = 11, E_LOCK = 12, E_AGAIN = 75, E_CANCEL = 128
};

struct err {
	enum err_code code;
	char msg[1024];            /* cause first written, contexts put before it */
};

#define ERR_INIT { E_OK, "" }

/* Sets code and message; always returns -1, so `return err_set(...)`. */
int err_set(struct err *e, enum err_code code, const char *fmt, ...) IN_PRINTF(3, 4);
/* Puts one frame of context before the message ("node 'x' frame 3: ..."); returns -1. */
int err_in(struct err *e, const char *fmt, ...) IN_PRINTF(2, 3);
void err_clear(struct err *e);

/* A finding: what `check` lists. All of a file at once, sorted by file and line when printed. */
enum diag_level { DIAG_NOTE, DIAG_WARNING, DIAG_ERROR };
struct diag {
	enum diag_level level;
	enum err_code code;        /* status it leads to */
	char *file; int line;      /* line 0: whole file */
	char *where;               /* "<blur id=\"soft\">" or "" */
	char *msg;
	char *hint;                /* nearest valid name, command to run; or "" */
	char *rule;                /* rule id, or "" */
	bool waived;
};
struct diags { struct diag *v; size_t n, cap; };

void diag_add(struct diags *d, enum diag_level level, enum err_code code, const char *file,
              int line, const char *where, const char *hint, const char *fmt, ...) IN_PRINTF(8, 9);
/* Worst error code among unwaived DIAG_ERROR findings; the first one found wins. E_OK if none. */
enum err_code diags_status(const struct diags *d);
/* Prints "file:line: error: <where>: message (hint)", sorted; json: one JSON object a line. */
void diags_print(const struct diags *d, bool json);
void diags_free(struct diags *d);

/* The nearest of n names to word by edit distance, or NULL when none is near. */
const char *nearest_name(const char *word, const char *const *names, size_t n);

#endif
