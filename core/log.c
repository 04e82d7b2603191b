/* log - messages to stderr as text or JSON lines, one write(2) each.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"

/* Set once by main before any thread starts; atomic so that tests may change them. */
static atomic_bool as_json;
static atomic_uint debug_topics;

void log_setup(bool json, unsigned topics)
{
	atomic_store(&as_json, json);
	atomic_store(&debug_topics, topics);
}

bool log_is_json(void)
{
	return atomic_load(&as_json);
}

unsigned log_topics(void)
{
	return atomic_load(&debug_topics);
}

bool log_on(enum log_topic t)
{
	return (log_topics() & (unsigned)t) != 0;
}

/* Length of the valid UTF-8 sequence at s, 0 when there is none. */
static size_t utf8_len(const unsigned char *s)
{
	size_t n = s[0] < 0x80 ? 1 : s[0] >= 0xc2 && s[0] < 0xe0 ? 2
	           : (s[0] & 0xf0) == 0xe0 ? 3 : s[0] >= 0xf0 && s[0] < 0xf5 ? 4 : 0;
	for (size_t i = 1; i < n; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f)
	    || (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return n;
}

/* One character of s as JSON text in piece (8 bytes); returns how many bytes of s it took. */
static size_t json_piece(char *piece, const unsigned char *s)
{
	static const char special[] = "\"\\\b\f\n\r\t", letter[] = "\"\\bfnrt";
	const char *hit = strchr(special, s[0]);
	size_t n = utf8_len(s);
	if (hit) {
		snprintf(piece, 8, "\\%c", letter[hit - special]);
	} else if (n == 0) {
		snprintf(piece, 8, "\\ufffd");
	} else if (s[0] < 0x20 || s[0] == 0x7f) {
		snprintf(piece, 8, "\\u%04x", s[0]);
	} else {
		memcpy(piece, s, n);
		piece[n] = 0;
	}
	return n ? n : 1;
}

void json_escape(char *out, size_t size, const char *s)
{
	size_t used = 0;
	if (size == 0)
		return;
	for (const unsigned char *p = (const unsigned char *)s; *p;) {
		char piece[8];
		p += json_piece(piece, p);
		size_t n = strlen(piece);
		if (used + n >= size)
			break;
		memcpy(out + used, piece, n);
		used += n;
	}
	out[used] = 0;
}

void log_tame(char *s)
{
	for (unsigned char *p = (unsigned char *)s; *p;) {
		size_t n = utf8_len(p) ? utf8_len(p) : 1;
		unsigned c = n == 2 && p[0] == 0xc2 ? p[1] : n == 1 ? p[0] : 0x100;
		if ((c < 0x20 && c != '\n' && c != '\t') || (c >= 0x7f && c < 0xa0)) memset(p, '?', n);
		p += n;
	}
}

static void write_all(const char *s, size_t n)
{
	while (n > 0) {
		ssize_t w = write(STDERR_FILENO, s, n);
		if (w < 0 && errno == EINTR)
			continue;
		if (w <= 0)
			return;
		s += w;
		n -= (size_t)w;
	}
}

static void emit(const char *level, const char *topic, const char *fmt, va_list ap)
{
	char *msg = NULL, *line = NULL;
	if (vasprintf(&msg, fmt, ap) < 0)
		return;
	if (log_is_json()) {
		size_t size = strlen(msg) * 6 + 1;
		char *esc = xalloc(size, 1);
		json_escape(esc, size, msg);
		line = xasprintf("{\"level\":\"%s\"%s%s%s,\"message\":\"%s\"}\n", level,
		                 topic ? ",\"topic\":\"" : "", topic ? topic : "", topic ? "\"" : "", esc);
		free(esc);
	} else if (topic) {
		line = xasprintf("interneg: %s: %s\n", topic, msg);
	} else if (!strcmp(level, "note")) {
		line = xasprintf("interneg: %s\n", msg);
	} else {
		line = xasprintf("interneg: %s: %s\n", level, msg);
	}
	if (!log_is_json()) log_tame(line);
	write_all(line, strlen(line));
	free(line);
	free(msg);
}

void log_note(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	emit("note", NULL, fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	emit("warning", NULL, fmt, ap);
	va_end(ap);
}

void log_error(const char *fmt, ...)
{
	va_list ap;
	va_start(ap, fmt);
	emit("error", NULL, fmt, ap);
	va_end(ap);
}

void log_debug(enum log_topic t, const char *fmt, ...)
{
	static const char *const names[] = { "plan", "cache", "sched", "lua", "mem", "stall", "media" };
	if (!log_on(t))
		return;
	size_t i = 0;
	while (i + 1 < IN_COUNT(names) && !((unsigned)t >> i & 1))
		i++;
	va_list ap;
	va_start(ap, fmt);
	emit("debug", names[i], fmt, ap);
	va_end(ap);
}
