/* media_hdr - HDR metadata in words, and the light levels that pictures really have.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_hdr.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "px_math.h"

static int mastering_of(const char *text, struct hdr_spec *h, struct err *e)
{
	char space[64], *end;
	size_t n = strcspn(text, " ");
	snprintf(space, sizeof space, "%.*s", (int)n, text);
	int id = n < sizeof space ? colour_find(space) : -1;
	if (id < 0)
		return err_set(e, E_SCENE, "mastering=\"%s\": expected a colour space, the greatest and "
		               "the least luminance in nits, such as \"p3-d65 1000 0.0001\"", text);
	colour_primaries(id, h->xy);
	h->nits_max = strtod(text + n, &end);
	h->nits_min = strtod(end, &end);
	if (*end || !(h->nits_min >= 0) || !(h->nits_max > h->nits_min) || !(h->nits_max <= 10000) ||
	    !(h->nits_max >= 1))
		return err_set(e, E_SCENE, "mastering=\"%s\": expected the greatest luminance (1 to 10000 "
		               "nits) and a least one below it", text);
	h->mastered = true;
	return 0;
}

int hdr_parse(const char *mastering, const char *light, struct hdr_spec *h, struct err *e)
{
	char *end;
	*h = (struct hdr_spec){ 0 };
	if (mastering && *mastering && mastering_of(mastering, h, e) < 0) return -1;
	if (!light || !*light) return 0;
	long cll = strtol(light, &end, 10), fall = strtol(end, &end, 10);
	if (*end || cll < 1 || cll > 10000 || fall < 1 || fall > cll)
		return err_set(e, E_SCENE, "light_level=\"%s\": expected MaxCLL and MaxFALL in nits, such "
		               "as \"1000 400\"", light);
	h->max_cll = (int)cll;
	h->max_fall = (int)fall;
	return 0;
}

void light_count(uint32_t *count, const float *r, const float *g, const float *b, int n)
{
	for (int x = 0; x < n; x++) {
		float m = px_max(px_max(r[x], g[x]), b[x]);
		count[(int)(px_clamp(m, 0, 1) * (LIGHT_CODES - 1) + 0.5f)]++;
	}
}

/* SMPTE ST 2084, equation 4.1. */
static double pq_nits(double v)
{
	const double m1 = 2610.0 / 16384, m2 = 2523.0 / 4096 * 128, c1 = 3424.0 / 4096,
		c2 = 2413.0 / 4096 * 32, c3 = 2392.0 / 4096 * 32;
	double p = px_dpow(v, 1 / m2), up = p - c1 > 0 ? p - c1 : 0;
	return 10000 * px_dpow(up / (c2 - c3 * p), 1 / m1);
}

struct light light_of(const uint32_t *count)
{
	double sum = 0, most = 0;
	uint64_t n = 0;
	for (int i = 0; i < LIGHT_CODES; i++) {
		if (!count[i]) continue;
		most = pq_nits((double)i / (LIGHT_CODES - 1));
		sum += most * count[i];
		n += count[i];
	}
	return (struct light){ (float)most, n ? (float)(sum / (double)n) : 0 };
}
