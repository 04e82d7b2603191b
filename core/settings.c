/* settings - see settings.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "settings.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "mem.h"
#include "textfile.h"

static char *settings_file(void)
{
	const char *dir = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	if (dir && dir[0] == '/') return xasprintf("%s/interneg/settings", dir);
	return home && home[0] == '/' ? xasprintf("%s/.config/interneg/settings", home) : NULL;
}

static int add_line(struct settings *s, char *line, int no, struct err *e)
{
	char *word = line + strspn(line, " \t"), *value = word + strcspn(word, " \t\r");
	if (!*word || *word == '#' || *word == '\r') return 0;
	if (*value) *value++ = 0;
	value += strspn(value, " \t");
	size_t n = strlen(value);
	while (n && strchr(" \t\r", value[n - 1])) value[--n] = 0;
	if (strcmp(word, "allow_external") != 0)
		return err_set(e, E_USAGE, "%s:%d: \"%.60s\" is no setting; there is allow_external", s->file, no, word);
	if (value[0] != '/')
		return err_set(e, E_USAGE, "%s:%d: allow_external wants a program's whole path, from /", s->file, no);
	s->allow = xrealloc(s->allow, (size_t)s->nallow + 1, sizeof *s->allow);
	s->allow[s->nallow++] = xstrdup(value);
	return 0;
}

int settings_read(struct settings *s, struct err *e)
{
	size_t len;
	int no = 0, rc = 0;
	*s = (struct settings){ .file = settings_file() };
	if (!s->file || access(s->file, F_OK) != 0) return 0;
	char *text = text_read(s->file, &len, e), *rest = text, *line;
	if (!text) return -1;
	while (rc == 0 && (line = strsep(&rest, "\n"))) rc = add_line(s, line, ++no, e);
	free(text);
	return rc;
}

void settings_free(struct settings *s)
{
	for (int i = 0; i < s->nallow; i++) free(s->allow[i]);
	free(s->allow);
	free(s->file);
	*s = (struct settings){ 0 };
}
