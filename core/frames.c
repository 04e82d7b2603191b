/* frames - the frame lists of -F: "1-10,20-30x2,-5".
 * SPDX-License-Identifier: BSD-2-Clause */
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "plan.h"

enum { FRAMES_MAX = 10000000 };      /* 115 hours at 24 a second */

static int frame_cmp(const void *a, const void *b)
{
	int x = *(const int *)a, y = *(const int *)b;
	return (x > y) - (x < y);
}

static bool read_int(const char **s, int *out)
{
	char *end;
	long v = strtol(*s, &end, 10);
	if (end == *s || v > INT_MAX || v < INT_MIN) return false;
	*s = end;
	*out = (int)v;
	return true;
}

/* One item: A, A-B, A-BxS, -N (the N-th from the end), A- (to the end). */
static int parse_item(const char **s, int first, int last, int *a, int *b, int *step)
{
	*step = 1;
	if (**s == '-') {
		int n;
		(*s)++;
		if (**s < '0' || **s > '9' || !read_int(s, &n) || n < 1) return -1;
		*a = *b = last - n + 1;
		return 0;
	}
	if (!read_int(s, a)) return -1;
	*b = *a;
	if (**s == '-') {
		(*s)++;
		*b = last;
		if (**s && **s != ',' && **s != 'x' && !read_int(s, b)) return -1;
	}
	if (**s == 'x') {
		(*s)++;
		if (!read_int(s, step) || *step < 1) return -1;
	}
	(void)first;
	return *b < *a ? -1 : 0;
}

int frames_parse(const char *text, int first, int last, struct frame_list *out, struct err *e)
{
	size_t cap = 0;
	out->v = NULL;
	out->n = 0;
	const char *s = text;
	for (; s && *s; ) {
		int a, b, step;
		if (parse_item(&s, first, last, &a, &b, &step) < 0 || (*s && *s != ',')) {
			err_set(e, E_USAGE, "frames \"%s\": expected A, A-B, A-BxSTEP or -N, separated by commas", text);
			goto fail;
		}
		if (a < first || b > last) {
			err_set(e, E_USAGE, "frames \"%s\": %d-%d lies outside %d-%d", text, a, b, first, last);
			goto fail;
		}
		if ((b - (int64_t)a) / step > FRAMES_MAX) {
			err_set(e, E_USAGE, "frames \"%s\": the range has no end", text);
			goto fail;
		}
		for (int64_t f = a; f <= b; f += step) {
			out->v = grow(out->v, (size_t)out->n, &cap, sizeof *out->v);
			out->v[out->n++] = (int)f;
		}
		if (*s == ',') s++;
	}
	if (text && !*text) {
		err_set(e, E_USAGE, "an empty list of frames");
		goto fail;
	}
	if (!text) {
		if (last == INT_MAX || last - first > FRAMES_MAX) {
			err_set(e, E_USAGE, "the range has no end; say which frames with -F");
			goto fail;
		}
		for (int f = first; f <= last; f++) {
			out->v = grow(out->v, (size_t)out->n, &cap, sizeof *out->v);
			out->v[out->n++] = f;
		}
	}
	if (out->n) qsort(out->v, (size_t)out->n, sizeof *out->v, frame_cmp);
	int n = 0;
	for (int i = 0; i < out->n; i++)
		if (!n || out->v[n - 1] != out->v[i]) out->v[n++] = out->v[i];
	out->n = n;
	return 0;
fail:
	free(out->v);
	out->v = NULL;
	out->n = 0;
	return -1;
}
