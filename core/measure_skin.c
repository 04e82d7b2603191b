/* measure_skin - what skin says about the colour of the light.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "colour.h"
#include "mathx.h"
#include "measure.h"
#include "px_colour.h"
#include "skin.h"

#define SILENT 0.06                     /* stops from the line within which skins differ by themselves */
#define LOUDEST 0.15

/* ColorChecker dark and light skin, linear Rec.709 under D65 (SCIENCE 2.6). */
static const double checker[2][3] = { { 0.17368, 0.07879, 0.05286 }, { 0.55978, 0.27745, 0.21089 } };

static void ratios(const double v[3], double out[2])
{
	out[0] = px_dlog2(v[0] / v[1]);
	out[1] = px_dlog2(v[2] / v[1]);
}

static void apply(const double m[9], const double v[3], double out[3])
{
	for (int i = 0; i < 3; i++) out[i] = m[i * 3] * v[0] + m[i * 3 + 1] * v[1] + m[i * 3 + 2] * v[2];
}

/* How far p lies beside the line through both skins: the foot's difference, softened. */
static void beside(int space, const double p[2], double off[2])
{
	double m[9], v[3], a[2], b[2];
	colour_matrix(colour_find("linear-rec709"), space, m);
	apply(m, checker[0], v);
	ratios(v, a);
	apply(m, checker[1], v);
	ratios(v, b);
	double d[2] = { b[0] - a[0], b[1] - a[1] }, len2 = d[0] * d[0] + d[1] * d[1];
	double t = ((p[0] - a[0]) * d[0] + (p[1] - a[1]) * d[1]) / len2;
	for (int k = 0; k < 2; k++) off[k] = p[k] - (a[k] + t * d[k]);
	double far = __builtin_sqrt(off[0] * off[0] + off[1] * off[1]);
	double keep = far <= SILENT ? 0 : far - SILENT > LOUDEST ? LOUDEST : far - SILENT;
	for (int k = 0; k < 2 && far > 0; k++) off[k] *= keep / far;
}

double white_skin(const struct thumb *t, int nt, double low, double top, int space,
                  const double centre[2], double out[2])
{
	double m[9], white[3] = { mx_exp2(centre[0]), 1, mx_exp2(centre[1]) };
	int64_t sum[2] = { 0, 0 };
	uint64_t n = 0, all = 0;
	colour_matrix(space, colour_find("linear-rec709"), m);
	for (int f = 0; f < nt; f++)
		for (size_t i = 0; i < (size_t)t[f].w * (size_t)t[f].h; i++) {
			double v[3], s[3], r[2];
			bool fits = true;
			for (int k = 0; k < 3; k++) {
				double x = t[f].p[k][i];
				fits = fits && x > 0 && x < top;
				v[k] = x / white[k];
			}
			if (!fits || (v[0] < low && v[1] < low)) continue;
			all++;
			apply(m, v, s);
			for (int k = 0; k < 3; k++) s[k] = px_dspow(s[k] / top, 1 / 2.4);
			if (!skin_likely(s)) continue;
			ratios(v, r);
			for (int k = 0; k < 2; k++) sum[k] += (int64_t)(r[k] * 0x1p24);
			n++;
		}
	out[0] = centre[0];
	out[1] = centre[1];
	if (!n) return 0;
	double p[2] = { (double)sum[0] / (double)n * 0x1p-24, (double)sum[1] / (double)n * 0x1p-24 }, off[2];
	beside(space, p, off);
	for (int k = 0; k < 2; k++) out[k] += off[k];
	return (double)n / (double)all;
}

double white_between(const struct white_guess *in, const struct white_guess *ref, double gain[3])
{
	double mean[2] = { 0, 0 }, sum = 0, var = 0, w[4], d[4][2];
	for (int i = 0; i < 4; i++) {
		w[i] = in->weight[i] < ref->weight[i] ? in->weight[i] : ref->weight[i];
		sum += w[i];
		for (int k = 0; k < 2; k++) {
			d[i][k] = ref->vote[i][k] - in->vote[i][k];
			if (w[i] > 0) mean[k] += w[i] * d[i][k];
		}
	}
	gain[0] = gain[1] = gain[2] = 1;
	if (!(sum > 0)) return 0;
	for (int k = 0; k < 2; k++) mean[k] /= sum;
	for (int i = 0; i < 4; i++)
		for (int k = 0; k < 2 && w[i] > 0; k++) var += w[i] * (d[i][k] - mean[k]) * (d[i][k] - mean[k]) / sum;
	gain[0] = mx_exp2(mean[0]);
	gain[2] = mx_exp2(mean[1]);
	return 1 / (1 + var / (0.2 * 0.2));
}
