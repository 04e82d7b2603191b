/* grain_measure_fit - the radial spectrum and the strength curve that measured means say most likely.
 *
 * Periodograms are exponential around the spectrum seen through the window (Whittle 1953): the fit weighs every bin by
 * its own error, knows the window, and has no logarithm to be biased by. What noise leaves open is smoothed: third
 * differences are penalised (a Gaussian's logarithm has none), as much as the data say by restricted likelihood.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "cholesky.h"
#include "grain_measure_int.h"
#include "mathx.h"
#include "mem.h"

enum { GRID = GM_WINDOW, TAPS = 5, STEPS = 20, LAMBDAS = 11, LOW = 5 };
#define LN_LEAST (-13.8)
/* A bin of which trends leave less tells of little else than of the picture. */
#define LEFT 0.4
/* Weight of a penalty from which on nothing changes; the least where there is no bin to every knot. */
#define MOST 1e7
#define COARSE 25

/* --- normal equations: dense, small --- */

struct normal { int n; double *a, *b; };

static struct normal normal_new(int n)
{
	struct normal q = { n, xalloc((size_t)(n * n + n), sizeof(double)), NULL };
	q.b = q.a + n * n;
	memset(q.a, 0, (size_t)(n * n + n) * sizeof(double));
	return q;
}

/* b becomes the solution; the logarithm of the determinant. */
static double normal_solve(struct normal *q)
{
	chol_root(q->a, q->n, q->n, 1e-12);
	chol_solve(q->a, q->n, q->n, q->b);
	return chol_logdet(q->a, q->n, q->n);
}

/* Weights of the third difference k of n values at x; without x they are even and go on mirrored before the first. */
static bool third(int k, int n, const double *x, int at[4], double w[4])
{
	static const double even[4] = { -1, 3, -3, 1 };
	int first = x ? k : k - 1;
	if (first + 3 >= n) return false;
	double h = x ? (x[first + 3] - x[first]) / 3 : 1;
	for (int i = 0; i < 4; i++) {
		at[i] = first + i < 0 ? -(first + i) : first + i;
		w[i] = x ? 6 * h * h * h : even[i];
		for (int j = 0; j < 4 && x; j++)
			if (j != i) w[i] /= x[first + i] - x[first + j];
	}
	return true;
}

/* Of third differences; those of the first few times low. */
struct penalty { double lambda, low; };

/* Adds the penalty's half gradient and Hessian at v; its value. logs: of its weights, summed. */
static double penalise(struct normal *q, const double *v, const struct penalty *p, const double *x, double *logs)
{
	int at[4];
	double w[4], sum = 0;
	*logs = 0;
	for (int k = 0; third(k, q->n, x, at, w); k++) {
		double d = 0, lambda = p->lambda * (k < LOW ? p->low : 1);
		*logs += mx_log(lambda);
		for (int i = 0; i < 4; i++) d += w[i] * v[at[i]];
		sum += lambda * d * d;
		for (int i = 0; i < 4; i++) {
			q->b[at[i]] -= lambda * w[i] * d;
			for (int j = 0; j < 4; j++) q->a[at[i] * q->n + at[j]] += lambda * w[i] * w[j];
		}
	}
	return sum;
}

/* --- the spectrum --- */

struct job {
	const struct gm_spectral *in;
	const struct gm_spec *s;
	double ker[GRID];                    /* the window's kernel along an axis, by steps of the grid */
	int knot[GRID * GRID]; float share[GRID * GRID];        /* of the grid's bins */
	const double *p;
	double power[GRID * GRID], row[GRAIN_BANDS];            /* row: of one bin, derivatives by the knots */
	const struct gm_seen *seen[GM_BLOCK * GM_BLOCK];        /* of bins that trends have a part of, or NULL */
};

static void kernel_of(struct job *j)
{
	int n = j->s->n;
	double sum = 0;
	for (int k = 0; k < GRID; k++) {
		double re = 0, im = 0;
		for (int i = 0; i < n; i++) {
			re += j->s->win[i] * mx_cos(2 * MX_PI * (i * k % GRID) / GRID);
			im += j->s->win[i] * mx_sin(2 * MX_PI * (i * k % GRID) / GRID);
		}
		int far = k > GRID / 2 ? GRID - k : k;
		j->ker[k] = far <= TAPS ? re * re + im * im : 0;
		sum += j->ker[k];
	}
	for (int k = 0; k < GRID; k++) j->ker[k] /= sum;
}

static void places(struct job *j, const struct gm_radial *r, double aniso)
{
	for (int i = 0; i < GRID * GRID; i++) {
		double fx = (double)((i % GRID + GRID / 2) % GRID - GRID / 2) / GRID;
		double fy = (double)((i / GRID + GRID / 2) % GRID - GRID / 2) / GRID;
		double f = __builtin_sqrt(fx * fx / aniso + fy * fy * aniso), t;
		int k = (int)(f * GRID);
		if (k > r->n - 2) k = r->n - 2;
		t = (f - r->freq[k]) / (r->freq[k + 1] - r->freq[k]);
		j->knot[i] = k;
		j->share[i] = (float)(t > 1 ? 1 : t);
	}
}

/* What bin i of the periodogram should be, and what each knot's logarithm does to it (knots lo..hi). */
static double expect(struct job *j, const double *power, int i, int *lo, int *hi)
{
	int n = j->s->n, x = i % n * (GRID / n), y = i / n * (GRID / n);
	double sum = 0;
	memset(j->row, 0, sizeof j->row);
	*lo = GRAIN_BANDS;
	*hi = 0;
	const struct gm_seen *seen = n == GM_BLOCK ? j->seen[i] : NULL;
	for (int q = 0; seen && q < seen->n; q++) {
		int at = seen->at[q], k = j->knot[at];
		double p = seen->share[q] * power[at], t = (double)j->share[at];
		*lo = k < *lo ? k : *lo;
		*hi = k + 1 > *hi ? k + 1 : *hi;
		sum += p;
		j->row[k] += p * (1 - t);
		j->row[k + 1] += p * t;
	}
	if (seen) return sum + j->in->add;
	for (int v = -TAPS; v <= TAPS; v++)
		for (int u = -TAPS; u <= TAPS; u++) {
			double w = j->ker[(u + GRID) % GRID] * j->ker[(v + GRID) % GRID];
			int at = (y + v + GRID) % GRID * GRID + (x + u + GRID) % GRID, k = j->knot[at];
			if (!(w > 1e-9)) continue;
			double p = w * power[at], t = (double)j->share[at];
			*lo = k < *lo ? k : *lo;
			*hi = k + 1 > *hi ? k + 1 : *hi;
			sum += p;
			j->row[k] += p * (1 - t);
			j->row[k + 1] += p * t;
		}
	return sum + j->in->add;
}

/* One step of scoring; twice the deviance before it. */
static double scoring(struct job *j, const double *ln, struct normal *q)
{
	int n = j->s->n, lo, hi;
	double dev = 0;
	memset(q->a, 0, (size_t)(q->n * q->n + q->n) * sizeof *q->a);
	for (int i = 0; i < GRID * GRID; i++) {
		double t = (double)j->share[i];
		j->power[i] = mx_exp(ln[j->knot[i]] * (1 - t) + ln[j->knot[i] + 1] * t);
	}
	for (int i = 0; i < n * n; i++) {
		int twin = (n - i / n) % n * n + (n - i % n) % n;
		if (twin < i || (j->in->left && j->in->left[i] < LEFT)) continue;
		double m = expect(j, j->power, i, &lo, &hi), left = j->in->left ? j->in->left[i] : 1;
		double nu = j->in->nu / 2 * (twin > i ? 2 : 1) * (j->in->part ? j->in->part[i] : 1), over = (j->p[i] * left + j->in->add) / m;
		dev += 2 * nu * (mx_log(m) + over);
		for (int a = lo; a <= hi; a++) {
			q->b[a] += nu * (over - 1) * j->row[a] / m;
			for (int b = lo; b <= hi; b++) q->a[a * q->n + b] += nu * j->row[a] * j->row[b] / (m * m);
		}
	}
	return dev;
}

/* Knots from ring means, to begin with. */
static void first_guess(struct job *j, struct gm_radial *r)
{
	double sum[GRAIN_BANDS] = { 0 }, n[GRAIN_BANDS] = { 0 }, last = 1e-6;
	int nn = j->s->n;
	for (int i = 0; i < nn * nn; i++) {
		int at = i / nn * (GRID / nn) * GRID + i % nn * (GRID / nn), k = j->knot[at] + ((double)j->share[at] > 0.5);
		sum[k] += j->p[i];
		n[k]++;
	}
	for (int k = 0; k < r->n; k++) {
		if (n[k] > 0 && sum[k] > 0) last = sum[k] / n[k];
		r->ln[k] = mx_log(last);
		if (r->ln[k] < LN_LEAST) r->ln[k] = LN_LEAST;
	}
}

/* Restricted likelihood of the best fit under this penalty; the fit in ln. A step that makes it worse is halved. */
static double fit_with(struct job *j, double *ln, int n, const struct penalty *how)
{
	struct normal q = normal_new(n);
	double was[GRAIN_BANDS], least = 1e300, best = 1e300, logs;
	for (int step = 0; step < STEPS; step++) {
		double dev = scoring(j, ln, &q), pen = penalise(&q, ln, how, NULL, &logs), most = 0;
		if (dev + pen > least) {
			for (int k = 0; k < n; k++) ln[k] = (ln[k] + was[k]) / 2;
			continue;
		}
		least = dev + pen;
		best = least + normal_solve(&q) - logs;
		memcpy(was, ln, (size_t)n * sizeof *ln);
		for (int k = 0; k < n; k++) {
			double d = q.b[k] > 1 ? 1 : q.b[k] < -1 ? -1 : q.b[k];
			ln[k] += d;
			if (ln[k] < LN_LEAST) ln[k] = LN_LEAST;
			d = d < 0 ? -d : d;
			most = d > most ? d : most;
		}
		if (most < 1e-4) break;
	}
	memcpy(ln, was, (size_t)n * sizeof *ln);
	free(q.a);
	return best;
}

/* Keeps the fit of all channels where it is the likeliest yet; whether it is. */
static bool fit_try(struct job *j, struct gm_radial *r, double (*ln)[GRAIN_BANDS], const struct penalty *try, double *best,
                    struct penalty *how)
{
	double f = 0;
	for (int c = 0; c < 3; c++) {
		if (how->lambda == try->lambda) memcpy(ln[c], r[c].ln, sizeof ln[c]);
		f += fit_with(&j[c], ln[c], r[c].n, try);
	}
	if (!(f < *best)) return false;
	*best = f;
	*how = *try;
	for (int c = 0; c < 3; c++) memcpy(r[c].ln, ln[c], sizeof ln[c]);
	return true;
}

void gm_fit(const struct gm_spec *s, double *const p[3], const struct gm_spectral in[3], struct gm_radial r[3])
{
	struct job *j = xalloc(3, sizeof *j);
	double best = 1e300, (*ln)[GRAIN_BANDS] = xalloc(3, sizeof *ln);
	struct penalty try = { s->n < GRID ? COARSE : 1, 1 }, how = try;
	for (int c = 0; c < 3; c++) {
		j[c] = (struct job){ .in = &in[c], .s = s, .p = p[c] };
		for (int i = 0; i < s->nsight; i++) j[c].seen[s->sight[i].bin] = &s->sight[i].left;
		r[c].n = 0;
		while (r[c].n < 0.7 * GRID) { r[c].freq[r[c].n] = (double)r[c].n / GRID; r[c].n++; }
		r[c].freq[r[c].n++] = 0.7072;
		kernel_of(&j[c]);
		places(&j[c], &r[c], in[c].aniso);
		first_guess(&j[c], &r[c]);
		memcpy(ln[c], r[c].ln, sizeof ln[c]);
	}
	for (; try.lambda < MOST; try.lambda *= 5) fit_try(j, r, ln, &try, &best, &how);
	try = how;
	do {
		try.low *= 5;
	} while (try.lambda * try.low < MOST && fit_try(j, r, ln, &try, &best, &how));
	free(ln);
	free(j);
}

/* A window smears the channels' powers and what they share alike, but where the powers fall at different rates the mean
 * of a product's root is less than the root of the means' product. */
void gm_smear(const struct gm_spec *s, const struct gm_radial r[3], const double aniso[3], int k, double *a, double *b, double *x)
{
	static const int pair[3][2] = { { 0, 1 }, { 0, 2 }, { 1, 2 } };
	struct gm_spectral none = { .nu = 1, .aniso = 1 };
	struct job *j = xalloc(1, sizeof *j);
	double *power = xalloc(3 * GRID * GRID, sizeof *power), *out[3] = { a, b, x };
	int lo, hi;
	*j = (struct job){ .in = &none, .s = s };
	kernel_of(j);
	for (int c = 0; c < 2; c++) {
		const struct gm_radial *v = &r[pair[k][c]];
		places(j, v, aniso[pair[k][c]]);
		for (int i = 0; i < GRID * GRID; i++) {
			double t = (double)j->share[i];
			power[c * GRID * GRID + i] = mx_exp(v->ln[j->knot[i]] * (1 - t) + v->ln[j->knot[i] + 1] * t);
		}
	}
	for (int i = 0; i < GRID * GRID; i++) power[2 * GRID * GRID + i] = __builtin_sqrt(power[i] * power[GRID * GRID + i]);
	for (int c = 0; c < 3; c++)
		for (int i = 0; i < s->n * s->n; i++) out[c][i] = expect(j, power + c * GRID * GRID, i, &lo, &hi);
	free(power);
	free(j);
}

/* --- the strength --- */

/* One step towards the likeliest variances: observations are gamma around them; what it was worth before. */
static double weigh(const struct gm_sample *v, int n, const struct gm_curve *c, int ch, const double *var, struct normal *q)
{
	double dev = 0;
	memset(q->a, 0, (size_t)(q->n * q->n + q->n) * sizeof *q->a);
	for (int i = 0; i < n; i++) {
		int k = 0;
		while (k < q->n - 2 && v[i].luma > c->luma[k + 1]) k++;
		double t = q->n > 1 ? (v[i].luma - c->luma[k]) / (c->luma[k + 1] - c->luma[k]) : 0;
		t = t < -1 ? -1 : t > 2 ? 2 : t;              /* the end bins reach beyond their middles */
		double h[2] = { 1 - t, t }, m = h[0] * var[k] + (q->n > 1 ? h[1] * var[k + 1] : 0);
		double least = 0.1 * (var[k] < var[k + (q->n > 1)] ? var[k] : var[k + (q->n > 1)]);
		m = m > least ? m : least;
		double w = v[i].dof / (2 * m * m);
		dev += v[i].dof * (mx_log(m) + v[i].var[ch] / m);
		for (int a = 0; a < (q->n > 1 ? 2 : 1); a++) {
			q->b[k + a] += w * h[a] * (v[i].var[ch] - m);
			for (int b = 0; b < (q->n > 1 ? 2 : 1); b++) q->a[(k + a) * q->n + k + b] += w * h[a] * h[b];
		}
	}
	return dev;
}

void gm_fit_curve(const struct gm_sample *v, int n, struct gm_curve *c)
{
	double var[GRAIN_STRENGTHS], tried[GRAIN_STRENGTHS];
	struct normal q = normal_new(c->n);
	for (int ch = 0; ch < 3; ch++) {
		double best = 1e300, top = 0, lambda = 0.1;
		for (int k = 0; k < c->n; k++) top = c->var[ch][k] > top ? c->var[ch][k] : top;
		if (!(top > 0)) continue;
		for (int k = 0; k < c->n; k++) tried[k] = var[k] = c->var[ch][k] > 0.01 * top ? c->var[ch][k] : 0.01 * top;
		for (int l = 0; l < LAMBDAS; l++, lambda *= 5) {
			double dev = 0, pen = 0, det = 0, logs = 0;
			for (int step = 0; step < STEPS; step++) {
				dev = weigh(v, n, c, ch, tried, &q);
				pen = penalise(&q, tried, &(struct penalty){ lambda / (top * top), 1 }, c->luma, &logs);
				det = normal_solve(&q) + 2 * c->n * mx_log(top);
				for (int k = 0; k < c->n; k++) {
					double d = tried[k] + q.b[k];
					tried[k] = d > 0.001 * top ? d : 0.001 * top;
				}
			}
			double f = dev + pen + det - logs;
			if (f < best) { best = f; memcpy(var, tried, sizeof var); }
		}
		memcpy(c->var[ch], var, (size_t)c->n * sizeof *var);
	}
	free(q.a);
}
