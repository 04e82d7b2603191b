/* grain_measure_lattice - peaks in spectra that codecs and networks leave at the harmonics of their blocks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_measure_int.h"
#include "mathx.h"

static double *at(const struct gm_spec *s, double *p, int x, int y)
{
	int n = s->n;
	return &p[(y + n) % n * n + (x + n) % n];
}

/* Mean over the bins two away, which the window keeps free of what stands in the middle. */
static double around(const struct gm_spec *s, double *p, int x, int y)
{
	double sum = 0;
	int n = 0;
	for (int j = -2; j <= 2; j++)
		for (int i = -2; i <= 2; i++) {
			if (i * i < 4 && j * j < 4) continue;
			sum += *at(s, p, x + i, y + j);
			n++;
		}
	return sum / n;
}

/* dB of the highest of the on-axis harmonics of a period over their neighbourhood. */
static double peak(const struct gm_spec *s, int period)
{
	double best = 0;
	int f = s->n / period;
	for (int k = f; k <= s->n / 2; k += period == 8 ? f : 2 * f)
		for (int axis = 0; axis < 2; axis++) {
			double own = 0, near = 0;
			for (int c = 0; c < 3; c++) {
				own += *at(s, s->p[c], axis ? 0 : k, axis ? k : 0);
				near += around(s, s->p[c], axis ? 0 : k, axis ? k : 0);
			}
			double db = near > 3e-5 ? 10 * mx_log10(own / near + 1e-6) : 0;
			if (db > best) best = db;
		}
	return best;
}

static void notch(struct gm_spec *s, double *p, int period)
{
	int n = s->n, f = n / period;
	for (int y = 0; y < n; y += f)
		for (int x = 0; x < n; x += f) {
			double fill = around(s, p, x, y);
			for (int j = -1; j <= 1 && (x || y); j++)
				for (int i = -1; i <= 1; i++) *at(s, p, x + i, y + j) = fill;
		}
}

void gm_spec_lattice(struct gm_spec *s, struct grain_profile *p)
{
	static const int periods[2] = { 8, 16 };
	double limit = 1 + 25 / __builtin_sqrt((double)s->count);
	for (int k = 0; k < 2; k++) {
		if (s->n / periods[k] < 4) continue;      /* the bins two away would be its own */
		double db = peak(s, periods[k]);
		int i = 0;
		while (i < p->nlattice && p->lattice_period[i] != periods[k]) i++;
		if (db < limit) continue;
		for (int c = 0; c < 3; c++) {
			notch(s, s->p[c], periods[k]);
			notch(s, s->x[c], periods[k]);
		}
		db = mx_round(db * 10) / 10;
		if (i == p->nlattice) {
			p->lattice_period[i] = periods[k];
			p->nlattice++;
			p->lattice_db[i] = db;
		} else if (db > p->lattice_db[i]) p->lattice_db[i] = db;
	}
}
