/* train - learns the filters of upscale method="learned" from photographs (`make train`, tests/tools/train.sh).
 *
 * train FACTOR LIST OUT: LIST has a line "PPM SHRINK TEXT" for each picture. The luma of the picture, reduced SHRINK times (so
 * that no compression is learned), is what should come out; its bicubic reduction by FACTOR, rounded to 8 bits, is what goes in.
 * For each bucket of px_learned.h the filters are those of least squares, held to the filters of all neighbourhoods together
 * as if PRIOR more samples had asked for these. Sums are doubles in a fixed order and a picture's luma stays the same, so that
 * the same pictures give the same file everywhere.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "px_learned.h"
#include "train_picture.h"

enum { T = LEARNED_TAPS, B = LEARNED_MAX * LEARNED_MAX, PICTURES = 200 };
/* In samples of the bucket's mean energy. */
#define PRIOR 200.0

struct sums { double n, a[T][T], b[T][B]; };
struct pair { struct tp high, low; };
struct job { int factor, block, count, step; struct learned_hash h; struct pair *pair; int npair; char **text; struct sums *sum; };

/* --- pictures --- */

static struct tp luma(const struct tp *t)
{
	struct tp o = tp_new(t->w, t->h, 1);
	for (int i = 0; i < t->w * t->h; i++) o.p[0][i] = 0.2126f * t->p[0][i] + 0.7152f * t->p[1][i] + 0.0722f * t->p[2][i];
	return o;
}

static bool add_picture(struct job *j, char *line)
{
	char *path = strtok(line, " "), *shrink = strtok(NULL, " "), *text = strtok(NULL, "\n");
	struct tp in;
	if (!path || !shrink || !text || j->npair == PICTURES) return false;
	if (!tp_read(path, &in)) { fprintf(stderr, "train: %s is no 8-bit PPM\n", path); return false; }
	struct tp grey = luma(&in), small = tp_shrink(&grey, atoi(shrink), true);
	struct pair *p = &j->pair[j->npair];
	p->low = tp_shrink(&small, j->factor, true);
	p->high = small;
	tp_free(&in);
	tp_free(&grey);
	j->text[j->npair++] = strdup(text);
	return true;
}

/* --- every pixel of the small pictures, in order --- */

typedef void each(struct job *j, const struct pair *p, int x, int y, uint32_t kind, const struct px_learned_feel *f);

static void walk(struct job *j, each *what)
{
	for (int i = 0; i < j->npair; i++) {
		const struct tp *l = &j->pair[i].low;
		int n = l->w - 2 * LEARNED_REACH;
		if (n <= 0) continue;
		float *work = malloc((6 * (size_t)n + 12) * sizeof *work);
		for (int y = LEARNED_REACH; y < l->h - LEARNED_REACH; y++) {
			const float *at = l->p[0] + (size_t)y * (size_t)l->w + LEARNED_REACH, *t = work + 3 * (n + 4);
			px_learned_tensor(at, l->w, n, work, work + 3 * (n + 4));
			for (int x = (y * 7 + i) % j->step; x < n; x += j->step) {
				int sym;
				struct px_learned_feel f = px_learned_feel(at + x, l->w, t[x], t[n + x], t[2 * n + x], &sym);
				what(j, &j->pair[i], x + LEARNED_REACH, y, (uint32_t)(px_learned_bucket(&j->h, &f) * 8 + sym), &f);
			}
		}
		free(work);
	}
}

/* --- borders of the classes --- */

static struct { float *v[3]; size_t n, cap; } seen;

static void note(struct job *j, const struct pair *p, int x, int y, uint32_t kind, const struct px_learned_feel *f)
{
	(void)j, (void)p, (void)x, (void)y, (void)kind;
	if (seen.n == seen.cap) {
		seen.cap = seen.cap ? 2 * seen.cap : 1 << 16;
		for (int k = 0; k < 3; k++) if (!(seen.v[k] = realloc(seen.v[k], seen.cap * sizeof(float)))) abort();
	}
	float sum = f->root1 + f->root2;
	seen.v[0][seen.n] = f->l1;
	seen.v[1][seen.n] = sum > 0 ? (f->root1 - f->root2) / sum : 0;
	seen.v[2][seen.n++] = f->along > 0 ? f->curve / f->along : 1e5f;
}

static int by_value(const void *a, const void *b)
{
	float x = *(const float *)a, y = *(const float *)b;
	return x < y ? -1 : x > y;
}

/* Borders at shares of what was seen, in three digits. */
static int cut(int k, const double *share, int n, float *out)
{
	char text[40];
	double v;
	qsort(seen.v[k], seen.n, sizeof(float), by_value);
	for (int i = 0; i < n; i++) {
		snprintf(text, sizeof text, "%.3g", (double)seen.v[k][(size_t)(share[i] * (double)(seen.n - 1))]);
		if (mx_parse(text, &v) < 0) abort();
		out[i] = (float)v;
	}
	return n + 1;
}

static void borders(struct job *j)
{
	static const double strength[] = { 0.3, 0.5, 0.68, 0.82, 0.92 }, coherence[] = { 0.33, 0.67 };
	static const double bend[] = { 0.25, 0.5, 0.75 };
	struct learned_hash *h = &j->h;
	h->angles = 6;
	h->strengths = h->coherences = h->bends = 1;
	learned_angles(h);
	j->step = 5;
	walk(j, note);
	h->strengths = cut(0, strength, j->factor == 4 ? 4 : 5, h->strength);
	h->coherences = cut(1, coherence, 2, h->coherence);
	h->bends = cut(2, bend, j->factor == 4 ? 2 : 3, h->bend);
	for (int k = 0; k < 3; k++) free(seen.v[k]);
}

/* --- sums --- */

static void learn(struct job *j, const struct pair *p, int x, int y, uint32_t kind, const struct px_learned_feel *f)
{
	int off[T], place[B];
	double d[T], t[B];
	struct sums *s = &j->sum[kind >> 3];
	const float *at = p->low.p[0] + (size_t)y * (size_t)p->low.w + (size_t)x;
	(void)f;
	px_learned_orient((int)(kind & 7), p->low.w, j->factor, off, place);
	for (int i = 0; i < T; i++) d[i] = (double)at[off[i]] - at[0];
	for (int k = 0; k < j->block; k++) {
		int hx = x * j->factor + place[k] % j->factor, hy = y * j->factor + place[k] / j->factor;
		t[k] = (double)p->high.p[0][(size_t)hy * (size_t)p->high.w + (size_t)hx] - at[0];
	}
	s->n += 1;
	for (int i = 0; i < T; i++) {
		for (int k = 0; k <= i; k++) s->a[i][k] += d[i] * d[k];
		for (int k = 0; k < j->block; k++) s->b[i][k] += d[i] * t[k];
	}
}

/* --- filters --- */

/* a (lower half) to its Cholesky factor; false where it is none. */
static bool cholesky(double a[T][T])
{
	for (int i = 0; i < T; i++)
		for (int k = 0; k <= i; k++) {
			double v = a[i][k];
			for (int m = 0; m < k; m++) v -= a[i][m] * a[k][m];
			if (i == k && !(v > 0)) return false;
			a[i][k] = i == k ? __builtin_sqrt(v) : v / a[k][k];
		}
	return true;
}

/* Filters w of sums, held to prior. */
static void solve(const struct sums *s, int block, double (*prior)[B], double share, double w[T][B])
{
	static double a[T][T];
	double energy = 0;
	memcpy(a, s->a, sizeof a);
	for (int i = 0; i < T; i++) energy += s->a[i][i] / T;
	double ridge = s->n > 0 ? share * energy / s->n : 1;
	ridge = ridge > 1e-9 ? ridge : 1e-9;
	for (int i = 0; i < T; i++) {
		a[i][i] += ridge;
		for (int k = 0; k < block; k++) w[i][k] = s->b[i][k] + (prior ? ridge * prior[i][k] : 0);
	}
	if (!cholesky(a)) { fprintf(stderr, "train: a bucket's sums have no factor\n"); exit(1); }
	for (int k = 0; k < block; k++) {
		for (int i = 0; i < T; i++) {
			for (int m = 0; m < i; m++) w[i][k] -= a[i][m] * w[m][k];
			w[i][k] /= a[i][i];
		}
		for (int i = T - 1; i >= 0; i--) {
			for (int m = i + 1; m < T; m++) w[i][k] -= a[m][i] * w[m][k];
			w[i][k] /= a[i][i];
		}
	}
}

static void add(struct sums *to, const struct sums *s)
{
	to->n += s->n;
	for (int i = 0; i < T; i++) {
		for (int k = 0; k < T; k++) to->a[i][k] += s->a[i][k];
		for (int k = 0; k < B; k++) to->b[i][k] += s->b[i][k];
	}
}

static void write_cuts(FILE *f, const char *name, const float *v, int classes)
{
	fprintf(f, "%s ", name);
	for (int i = 0; i + 1 < classes; i++) fprintf(f, "%s%.3g", i ? " " : "", (double)v[i]);
	fprintf(f, "\n");
}

static void write_filter(FILE *f, const struct job *j, double w[T][B])
{
	for (int i = 0; i < T; i++)
		for (int k = 0; k < j->block; k++) {
			double v = mx_round(w[i][k] * LEARNED_UNIT);
			int q = v > 32767 ? 32767 : v < -32768 ? -32768 : (int)v;
			fputc(q & 255, f);
			fputc(q >> 8 & 255, f);
		}
}

static bool write_bank(struct job *j, const char *file)
{
	static double all[T][B], own[T][B];
	struct sums *sum = calloc(1, sizeof *sum);
	FILE *f = fopen(file, "wb");
	double samples = 0, thin = 0;
	if (!f || !sum) return false;
	for (int i = 0; i < j->count; i++) add(sum, &j->sum[i]);
	solve(sum, j->block, NULL, 1e-3, all);
	fprintf(f, "interneg-learned 1\nnote made by make train (tests/tools/train.sh); trained on:\n");
	for (int i = 0; i < j->npair; i++) fprintf(f, "picture %s\n", j->text[i]);
	fprintf(f, "factor %d\nangles %d\nbuckets %d\n", j->factor, j->h.angles, j->count);
	write_cuts(f, "strength", j->h.strength, j->h.strengths);
	write_cuts(f, "coherence", j->h.coherence, j->h.coherences);
	write_cuts(f, "bend", j->h.bend, j->h.bends);
	fprintf(f, "weights\n");
	for (int i = 0; i < j->count; i++) {
		solve(&j->sum[i], j->block, all, PRIOR, own);
		write_filter(f, j, own);
		samples += j->sum[i].n;
		thin += j->sum[i].n < 1000;
	}
	printf("factor %d: %d pictures, %.0f samples, %d buckets, %.0f of them with under 1000\n", j->factor, j->npair, samples,
	       j->count, thin);
	free(sum);
	return fclose(f) == 0;
}

int main(int argc, char **argv)
{
	struct job j = { 0 };
	char line[1024];
	FILE *f = argc == 4 ? fopen(argv[2], "r") : NULL;
	if (!f || (j.factor = atoi(argv[1])) < LEARNED_MIN || j.factor > LEARNED_MAX) {
		fprintf(stderr, "train: wants a factor from 2 to 4, a list of pictures and a file to write\n");
		return 2;
	}
	j.block = j.factor * j.factor;
	j.pair = calloc(PICTURES, sizeof *j.pair);
	j.text = calloc(PICTURES, sizeof *j.text);
	while (fgets(line, sizeof line, f)) if (!add_picture(&j, line)) return 1;
	fclose(f);
	borders(&j);
	j.count = learned_buckets(&j.h);
	j.sum = calloc((size_t)j.count, sizeof *j.sum);
	j.step = 1;
	walk(&j, learn);
	if (!write_bank(&j, argv[3])) { perror(argv[3]); return 1; }
	for (int i = 0; i < j.npair; i++) {
		tp_free(&j.pair[i].high);
		tp_free(&j.pair[i].low);
		free(j.text[i]);
	}
	free(j.pair);
	free(j.text);
	free(j.sum);
	return 0;
}
