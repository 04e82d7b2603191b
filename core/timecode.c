/* timecode - SMPTE ST 12-1 labels of frames, counted whole or with dropped numbers.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "timecode.h"

#include <stdio.h>

static int dropped(int rate) { return rate / 15; }

int timecode_read(const char *param, const char *text, struct rational fps, struct timecode *t, struct err *e)
{
	int v[4];
	char before = 0, more = 0;
	int n = sscanf(text, "%2d:%2d:%2d%c%2d%c", &v[0], &v[1], &v[2], &before, &v[3], &more);
	*t = (struct timecode){ 0, 24, before == ';' };
	if (fps.num > 0 && fps.den > 0) t->rate = (fps.num + fps.den / 2) / fps.den;
	if (t->rate < 1) t->rate = 1;
	bool fine = n == 5 && (before == ':' || t->drop);
	for (int i = 0; i < 4 && fine; i++) fine = v[i] >= 0 && v[i] < (i == 0 ? 100 : i < 3 ? 60 : t->rate);
	if (!fine)
		return err_set(e, E_SCENE, "%s=\"%s\": expected HH:MM:SS:FF with FF below %d, or "
		               "HH:MM:SS;FF for drop-frame", param, text, t->rate);
	if (t->drop && (fps.den != 1001 || t->rate % 30))
		return err_set(e, E_SCENE, "%s=\"%s\": only 29.97 and 59.94 frames a second have "
		               "drop-frame, these are %d/%d", param, text, fps.num, fps.den);
	if (t->drop && v[2] == 0 && v[3] < dropped(t->rate) && v[1] % 10)
		return err_set(e, E_SCENE, "%s=\"%s\": drop-frame has no such number", param, text);
	int64_t minute = (int64_t)v[0] * 60 + v[1];
	t->frame = (minute * 60 + v[2]) * t->rate + v[3];
	if (t->drop) t->frame -= dropped(t->rate) * (minute - minute / 10);
	return 0;
}

void timecode_label(const struct timecode *t, char *out, size_t n)
{
	int64_t f = t->frame < 0 ? 0 : t->frame;
	if (t->drop) {
		int64_t d = dropped(t->rate), minute = t->rate * 60 - d, ten = 10 * minute + d, rest = f % ten;
		f += 9 * d * (f / ten) + (rest >= d ? d * ((rest - d) / minute) : 0);
	}
	int64_t s = f / t->rate;
	snprintf(out, n, "%02d:%02d:%02d%c%02d", (int)(s / 3600 % 100), (int)(s / 60 % 60),
	         (int)(s % 60), t->drop ? ';' : ':', (int)(f % t->rate));
}
