/* media_grain - film grain that goes along with a clip as metadata.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_grain.h"

#include <stdlib.h>
#include <string.h>

#include "grain_kernel.h"
#include "grain_table.h"
#include "log.h"
#include "px_math.h"
#include "textfile.h"

/* The profile as it looks on a picture of so many lines: cycles per picture height stay. */
static void on_lines(struct grain_profile *p, int lines)
{
	if (p->lines == lines || p->lines < 1) return;
	struct grain_shape *s = grain_shape_make(p, (double)lines / p->lines);
	for (int c = 0; c < 3; c++) {
		for (int i = 0; i < p->nband; i++) {
			double w = grain_shape_power(s, c, p->freq[i], 0);
			p->db[i][c] = 10 * px_dlog10(w > 1e-6 ? w : 1e-6);
		}
		for (int i = 0; i < p->nstrength; i++) p->sigma[i][c] *= s->gain[c];
	}
	p->lines = lines;
	grain_shape_free(&s);
}

char *film_grain_text(const char *path, int lines, const struct grain_picture *to, struct err *e)
{
	struct grain_params g;
	struct grain_profile p;
	size_t len;
	double off;
	char *text = text_read(path, &len, e);
	if (!text) return NULL;
	if (strncmp(text, "filmgrn1", 8) == 0) {
		if (grain_table_parse(text, path, &g, NULL, e) == 0) return text;
		free(text);
		return NULL;
	}
	int rc = grain_profile_parse(text, path, &p, e);
	if (rc < 0 || !to) {
		if (rc == 0) return text;
		free(text);
		return NULL;
	}
	free(text);
	on_lines(&p, lines);
	if (grain_table_from(&p, to, &g, &off, e) < 0) {
		err_in(e, "%s", path);
		return NULL;
	}
	if (off > TABLE_OFF) log_warn("%s: AV1's film grain cannot be this grain: %.1f dB off in an octave", path, off);
	return grain_table_text(&g);
}
