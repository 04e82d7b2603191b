/* learned - see learned.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "learned.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"
#include "px_learned.h"
#include "share.h"

#define FOLDER "graphs/learned/"
enum { LINE = 512, LINES = 400 };

bool learned_path(int factor, char *out, size_t size)
{
	char rel[64];
	snprintf(rel, sizeof rel, FOLDER "x%d.weights", factor);
	return share_path(rel, out, size);
}

bool learned_name(const char *path, char *out, size_t size)
{
	char own[4096];
	for (int f = LEARNED_MIN; f <= LEARNED_MAX; f++)
		if (learned_path(f, own, sizeof own) && strcmp(own, path) == 0) {
			snprintf(out, size, "learned:x%d", f);
			return true;
		}
	return false;
}

void learned_angles(struct learned_hash *h)
{
	for (int i = 0; i + 1 < h->angles; i++) {
		double t = MX_PI / 2 * (i + 1) / h->angles;
		h->angle_cos[i] = (float)mx_cos(t);
		h->angle_sin[i] = (float)mx_sin(t);
	}
}

/* Rising numbers with blanks between: how many, or -1. */
static int numbers(char *text, float *out)
{
	char *save = NULL;
	int n = 0;
	for (char *t = strtok_r(text, " ", &save); t; t = strtok_r(NULL, " ", &save)) {
		double v;
		if (n == LEARNED_CUTS || mx_parse(t, &v) < 0 || v < 0 || v > 1e6 || (n && v <= out[n - 1])) return -1;
		out[n++] = (float)v;
	}
	return n;
}

static bool whole(const char *text, int lo, int hi, int *out)
{
	double v;
	if (mx_parse(text, &v) < 0 || v < lo || v > hi || v != mx_floor(v)) return false;
	*out = (int)v;
	return true;
}

/* One line of the head; false where it makes no sense. */
static bool head_line(struct learned *l, int *count, char *line)
{
	char *v = strchr(line, ' ');
	struct learned_hash *h = &l->hash;
	if (!v) return false;
	*v++ = 0;
	if (strcmp(line, "picture") == 0 || strcmp(line, "package") == 0 || strcmp(line, "note") == 0) return true;
	if (strcmp(line, "factor") == 0) return whole(v, LEARNED_MIN, LEARNED_MAX, &l->factor);
	if (strcmp(line, "angles") == 0) return whole(v, 1, LEARNED_CUTS + 1, &h->angles);
	if (strcmp(line, "buckets") == 0) return whole(v, 1, 1 << 16, count);
	if (strcmp(line, "strength") == 0) return (h->strengths = numbers(v, h->strength) + 1) > 0;
	if (strcmp(line, "coherence") == 0) return (h->coherences = numbers(v, h->coherence) + 1) > 0;
	if (strcmp(line, "bend") == 0) return (h->bends = numbers(v, h->bend) + 1) > 0;
	return false;
}

static int bad(struct err *e, const char *path, const char *why)
{
	return err_set(e, E_INPUT, "%s is no file of learned filters: %s", path, why);
}

static int read_head(struct learned *l, FILE *f, const char *path, struct err *e)
{
	char line[LINE];
	int count = 0, n = 0;
	for (; n < LINES && fgets(line, sizeof line, f); n++) {
		size_t len = strcspn(line, "\n");
		if (!line[len]) return bad(e, path, "a line of its head does not end");
		line[len] = 0;
		if (n == 0 && strcmp(line, "interneg-learned 1") != 0)
			return bad(e, path, "it does not begin with interneg-learned 1");
		if (strcmp(line, "weights") == 0) break;
		if (n && !head_line(l, &count, line)) return bad(e, path, "a line of its head makes no sense");
	}
	if (n == LINES || feof(f)) return bad(e, path, "its head does not end");
	if (!l->factor || !l->hash.angles || !l->hash.strengths || !l->hash.coherences || !l->hash.bends)
		return bad(e, path, "its head is not whole");
	if (count != learned_buckets(&l->hash) || count > 1 << 14)
		return bad(e, path, "its buckets are not those of its head");
	return 0;
}

static int read_weights(struct learned *l, FILE *f, const char *path, struct err *e)
{
	size_t block = (size_t)(l->factor * l->factor), rows = (size_t)learned_buckets(&l->hash) * LEARNED_TAPS;
	int tap[8][LEARNED_TAPS], place[8][LEARNED_MAX * LEARNED_MAX];
	uint8_t row[2 * LEARNED_MAX * LEARNED_MAX];
	l->lanes = (int)(block + 3) & ~3;
	l->w = xalloc(rows * 8 * (size_t)l->lanes, sizeof *l->w);
	for (int s = 0; s < 8; s++) px_learned_orient(s, LEARNED_SIDE, l->factor, tap[s], place[s]);
	for (size_t i = 0; i < rows; i++) {
		if (fread(row, 2, block, f) != block) return bad(e, path, "it is too short");
		for (size_t k = 0; k < 8 * block; k++) {
			size_t s = k / block, j = k % block;
			int v = row[2 * j] | row[2 * j + 1] << 8, at = tap[s][i % LEARNED_TAPS] + LEARNED_TAPS / 2;
			size_t filter = i / LEARNED_TAPS * 8 + s, t = (size_t)(at - (at > LEARNED_TAPS / 2));
			l->w[(filter * LEARNED_TAPS + t) * (size_t)l->lanes + (size_t)place[s][j]] =
				(float)(v >= 32768 ? v - 65536 : v) * (1.0f / LEARNED_UNIT);
		}
	}
	return fgetc(f) == EOF ? 0 : bad(e, path, "it is too long");
}

struct learned *learned_load(const char *path, struct err *e)
{
	struct learned *l = xalloc(1, sizeof *l);
	FILE *f = fopen(path, "rb");
	int rc = f ? 0 : err_set(e, E_INPUT, "open %s: %s", path, strerror(errno));
	if (rc == 0) rc = read_head(l, f, path, e);
	if (rc == 0) rc = read_weights(l, f, path, e);
	if (rc == 0) learned_angles(&l->hash);
	else learned_free(&l);
	if (f) fclose(f);
	return l;
}

void learned_free(struct learned **l)
{
	if (!*l) return;
	free((*l)->w);
	free(*l);
	*l = NULL;
}
