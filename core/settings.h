/* settings - what the user, not the scene, allows: $XDG_CONFIG_HOME/interneg/settings,
 * else ~/.config/interneg/settings.
 *
 * One word and its value a line, # begins a comment: `allow_external /path/of/program`.
 * Threads: frozen once read.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SETTINGS_H
#define IN_SETTINGS_H

#include "err.h"

/* file: where they are, or would be; NULL without a home. allow: programs, as they stand. */
struct settings { char *file, **allow; int nallow; };

/* No file is no settings. E_USAGE naming file and line of what is not understood.
 * settings_free in any case. */
int settings_read(struct settings *s, struct err *e);
void settings_free(struct settings *s);

#endif
