/* log - messages to stderr, plain or JSON lines; debug topics.
 * Never called under a lock. Threads: any (one write(2) per message).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_LOG_H
#define IN_LOG_H

#include "base.h"

enum log_topic {
	LOG_PLAN = 1, LOG_CACHE = 2, LOG_SCHED = 4, LOG_LUA = 8, LOG_MEM = 16,
	LOG_STALL = 32, LOG_MEDIA = 64
};

void log_setup(bool json, unsigned topics);
bool log_is_json(void);
unsigned log_topics(void);
bool log_on(enum log_topic t);
void log_note(const char *fmt, ...) IN_PRINTF(1, 2);
void log_warn(const char *fmt, ...) IN_PRINTF(1, 2);
void log_error(const char *fmt, ...) IN_PRINTF(1, 2);
void log_debug(enum log_topic t, const char *fmt, ...) IN_PRINTF(2, 3);

/* What a terminal would obey becomes '?': messages quote strangers' files. */
void log_tame(char *s);
/* Escapes s as the inside of a JSON string into out (always terminated). */
void json_escape(char *out, size_t size, const char *s);

#endif
