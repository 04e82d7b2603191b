/* media_grain - film grain that goes along with a clip as metadata: a profile or a table,
 * for a picture's size. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEDIA_GRAIN_H
#define IN_MEDIA_GRAIN_H

#include "grain_table.h"

/* The filmgrn1 text (malloc'd) of a .grain profile brought to a picture of so many
 * lines, or of a table as it stands. to NULL: the file is only looked at. NULL with
 * E_INPUT that names file and line. */
char *film_grain_text(const char *path, int lines, const struct grain_picture *to, struct err *e);

#endif
