/* skin - where skin sits on the vectorscope.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "skin.h"

#include <stdio.h>
#include <string.h>

#include "mathx.h"
#include <stdlib.h>

#include "mem.h"

enum { HUE_BINS = 3600, LEVEL_BINS = 2000 };

void skin_ycc(const double rgb[3], double ycc[3])
{
	double y = 0.2126 * rgb[0] + 0.7152 * rgb[1] + 0.0722 * rgb[2];
	ycc[0] = y;
	ycc[1] = (rgb[2] - y) / 1.8556;
	ycc[2] = (rgb[0] - y) / 1.5748;
}
static double angle_of(double cb, double cr)
{
	double a = cb == 0 && cr == 0 ? 0 : mx_atan2(cr, cb) * 180 / MX_PI;
	return a < 0 ? a + 360 : a;
}
double skin_angle(const double rgb[3])
{
	double v[3];
	skin_ycc(rgb, v);
	return angle_of(v[1], v[2]);
}
double skin_turn(double a, double b)
{
	double d = mx_fmod(b - a, 360);
	return d > 180 ? d - 360 : d < -180 ? d + 360 : d;
}

/* The ColorChecker's skins lie at 118 and 121 degrees with a chroma of .12 and
 * .09; casts and looks move them. */
static bool like_any(double hue, double c, double y)
{
	return hue > 98 && hue < 144 && c > 0.025 && c < 0.26 && y > 0.10 && y < 0.97;
}
bool skin_likely(const double rgb[3])
{
	double v[3];
	skin_ycc(rgb, v);
	return like_any(angle_of(v[1], v[2]), __builtin_sqrt(v[1] * v[1] + v[2] * v[2]), v[0]);
}
static bool like_this(const struct skin_ref *s, double hue, double c, double y)
{
	double d = skin_turn(s->hue, hue), wide = 12 + s->spread;
	return d < wide && d > -wide && c > 0.35 * s->chroma && c < 2.2 * s->chroma && y > 0.2 * s->luma;
}

struct counts { uint64_t n, hue[HUE_BINS], chroma[LEVEL_BINS], luma[LEVEL_BINS]; };

static int bin_of(double v, int bins, double top)
{
	double t = v / top * bins;
	return t >= bins ? bins - 1 : t > 0 ? (int)t : 0;
}
static double level_at(const uint64_t *bin, int bins, uint64_t n, double q, double top)
{
	double want = q * (double)n, below = 0;
	for (int i = 0; i < bins; i++) {
		if (bin[i] && below + (double)bin[i] >= want)
			return (i + (want - below) / (double)bin[i]) * top / bins;
		below += (double)bin[i];
	}
	return top;
}
/* Angles counted from start, so that no quantile is torn apart at 0. */
static double hue_at(const struct counts *c, int start, double q)
{
	double want = q * (double)c->n, below = 0;
	for (int i = 0; i < HUE_BINS; i++) {
		uint64_t b = c->hue[(i + start) % HUE_BINS];
		if (b && below + (double)b >= want) return (start + i + (want - below) / (double)b) * 360.0 / HUE_BINS;
		below += (double)b;
	}
	return start * 360.0 / HUE_BINS;
}

static void take(struct counts *c, const float *const p[3], size_t n, enum skin_pick pick,
                 const struct skin_ref *like, double centre, double wide)
{
	memset(c, 0, sizeof *c);
	for (size_t i = 0; i < n; i++) {
		double rgb[3] = { p[0][i], p[1][i], p[2][i] }, v[3];
		skin_ycc(rgb, v);
		double hue = angle_of(v[1], v[2]), chroma = __builtin_sqrt(v[1] * v[1] + v[2] * v[2]);
		double off = skin_turn(centre, hue);
		if (!(v[0] - v[0] == 0) || (pick == SKIN_ANY && !like_any(hue, chroma, v[0]))) continue;
		if ((pick == SKIN_LIKE && !like_this(like, hue, chroma, v[0])) ||
		    (pick != SKIN_ALL && (off > wide || off < -wide)))
			continue;
		c->n++;
		c->hue[bin_of(hue, HUE_BINS, 360)]++;
		c->chroma[bin_of(chroma, LEVEL_BINS, 1)]++;
		c->luma[bin_of(v[0], LEVEL_BINS, 2)]++;
	}
}

void skin_measure(const float *const p[3], size_t n, enum skin_pick pick,
                  const struct skin_ref *like, struct skin_stats *out)
{
	struct counts *c = xalloc(1, sizeof *c);
	int start = like ? bin_of(mx_fmod(like->hue + 180, 360), HUE_BINS, 360) : (int)(303 / 360.0 * HUE_BINS);
	uint64_t in5 = 0, in10 = 0;
	memset(out, 0, sizeof *out);
	take(c, p, n, pick, like, SKIN_LINE, 360);
	/* once more about the crowd: the edges of the automatic mask catch wood and sand */
	if (pick == SKIN_ANY && c->n) take(c, p, n, pick, like, hue_at(c, start, 0.5), 14);
	out->n = (size_t)c->n;
	if (c->n) {
		for (int i = 0; i < HUE_BINS; i++) {
			double d = skin_turn(SKIN_LINE, (i + 0.5) * 360.0 / HUE_BINS);
			if (d <= 5 && d >= -5) in5 += c->hue[i];
			if (d <= 10 && d >= -10) in10 += c->hue[i];
		}
		out->share = (double)c->n / (double)n;
		out->hue = mx_fmod(hue_at(c, start, 0.5), 360);
		out->iqr = hue_at(c, start, 0.75) - hue_at(c, start, 0.25);
		out->within5 = (double)in5 / (double)c->n;
		out->within10 = (double)in10 / (double)c->n;
		out->chroma = level_at(c->chroma, LEVEL_BINS, c->n, 0.5, 1);
		out->luma = level_at(c->luma, LEVEL_BINS, c->n, 0.5, 2);
	}
	free(c);
}

void skin_text(const struct skin_stats *s, char *out, size_t n)
{
	if (!s->n) { snprintf(out, n, "no skin"); return; }
	snprintf(out, n, "skin at %.1f degrees (%+.1f from the line), spread %.1f, %.0f %% within 10, "
	         "%.0f %% of the picture", s->hue, skin_turn(SKIN_LINE, s->hue), s->iqr,
	         100 * s->within10, 100 * s->share);
}
