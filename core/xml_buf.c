/* xml_buf - XML text being written: a growing buffer, escapes, widths.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "xml.h"

void xbuf_add(struct xbuf *b, const char *s, size_t n)
{
	if (b->cap - b->n <= n) {
		b->cap = (b->n + n + 1) * 2;
		b->s = xrealloc(b->s, b->cap, 1);
	}
	memcpy(b->s + b->n, s, n);
	b->n += n;
	b->s[b->n] = 0;
}

void xbuf_str(struct xbuf *b, const char *s)
{
	xbuf_add(b, s, strlen(s));
}

void xbuf_fill(struct xbuf *b, char c, size_t n)
{
	for (size_t i = 0; i < n; i++)
		xbuf_add(b, &c, 1);
}

void xbuf_value(struct xbuf *b, const char *s)
{
	static const char *const escape[][2] = {
		{ "&", "&amp;" }, { "<", "&lt;" }, { "\"", "&quot;" },
		{ "\t", "&#9;" }, { "\n", "&#10;" }, { "\r", "&#13;" }
	};
	for (; *s; s++) {
		size_t i = 0;
		while (i < IN_COUNT(escape) && escape[i][0][0] != *s)
			i++;
		if (i < IN_COUNT(escape))
			xbuf_str(b, escape[i][1]);
		else
			xbuf_add(b, s, 1);
	}
}

size_t utf8_width(const char *s, size_t n)
{
	size_t width = 0;
	for (size_t i = 0; i < n; i++)
		width += ((unsigned char)s[i] & 0xc0) != 0x80;
	return width;
}
