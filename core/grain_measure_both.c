/* grain_measure_both - what the two estimators say of one clip: both read grain and whatever they see of the picture
 * besides, so the lesser is believed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "grain_measure_int.h"
#include "mathx.h"

/* Cycles a pixel up to which differences are held to the flat blocks. */
#define LOW_TO 0.07

double gm_excess(const struct gm_curve *time, const struct gm_curve *space, double quantum)
{
	double before = 0, worst = 0;
	for (int i = 0; i < space->n && time->n; i++) {
		double l = space->luma[i], sum = 0;
		if (l < time->luma[0] || l > time->luma[time->n - 1]) continue;
		for (int c = 0; c < 3; c++) {
			double a = gm_curve_at(time, c, l) - quantum, b = space->var[c][i] - quantum;
			sum += a > 0 && b > 0 ? __builtin_sqrt(a / b) / 3 : 0;
		}
		double both = sum < before ? sum : before;
		worst = both > worst ? both : worst;
		before = sum;
	}
	return worst - 1;
}

bool gm_hold_low(struct grain_profile *time, const struct grain_profile *space, double chance)
{
	bool held = false;
	for (int c = 0; c < 3; c++) {
		double was = gm_mean_power(time, c, GM_WINDOW), wide = __builtin_sqrt(space->aniso[c]);   /* at this radius, whatever the extent */
		for (int k = 0; k < time->nband && time->freq[k] < LOW_TO; k++) {
			double most = 10 * mx_log10(grain_profile_power(space, c, time->freq[k] * wide, 0));
			if (!(time->db[k][c] > most + chance)) continue;
			time->db[k][c] = most;
			held = true;
		}
		double left = gm_mean_power(time, c, GM_WINDOW) / was;
		for (int k = 0; k < time->nband; k++) time->db[k][c] = mx_round((time->db[k][c] - 10 * mx_log10(left)) * 1000) / 1000;
		for (int i = 0; i < time->nstrength; i++)
			time->sigma[i][c] = mx_round(time->sigma[i][c] * __builtin_sqrt(left) * 1e7) / 1e7;
	}
	return held;
}
