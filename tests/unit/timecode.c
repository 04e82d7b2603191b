/* Unit tests of timecode. Oracles: labels of FFmpeg's av_timecode (frozen), the clock that drop-frame has to keep.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "image.h"
#include "timecode.h"
#include "test.h"

static const struct rational r24 = { 24, 1 }, r25 = { 25, 1 }, ntsc = { 30000, 1001 }, ntsc60 = { 60000, 1001 }, film = { 24000, 1001 };

/* The labels that ffmpeg -timecode START counts on to, where these can be written. */
static const struct { const char *start; struct rational fps; int more; const char *want; } labels[] = {
	{ "00:00:59;29", { 30000, 1001 }, 1, "00:01:00;02" }, { "00:09:59;29", { 30000, 1001 }, 1, "00:10:00;00" },
	{ "00:59:59;28", { 30000, 1001 }, 2, "01:00:00;00" }, { "01:00:00;00", { 30000, 1001 }, 107892, "02:00:00;00" },
	{ "00:00:59;59", { 60000, 1001 }, 1, "00:01:00;04" }, { "01:00:00;00", { 60000, 1001 }, 215784, "02:00:00;00" },
	{ "00:00:59:29", { 30000, 1001 }, 1, "00:01:00:00" }, { "01:00:00:00", { 24000, 1001 }, 24 * 3600, "02:00:00:00" },
	{ "10:11:12:13", { 25, 1 }, 12, "10:11:13:00" }, { "23:59:59:23", { 24, 1 }, 1, "24:00:00:00" },
};

int main(void)
{
	int bad = 0;
	for (size_t i = 0; i < IN_COUNT(labels); i++) {
		struct timecode t;
		struct err e = ERR_INIT;
		char text[32] = "";
		if (timecode_read("start", labels[i].start, labels[i].fps, &t, &e) == 0) {
			t.frame += labels[i].more;
			timecode_label(&t, text, sizeof text);
		}
		if (strcmp(text, labels[i].want) != 0)
			bad++, printf("# %s + %d: %s, not %s\n", labels[i].start, labels[i].more, text, labels[i].want);
	}
	test_ok(!bad, "timecode labels of frames, dropped and not");
	bad = 0;                                /* every label of 11 minutes reads back to its frame, and none comes twice */
	for (int k = 0; k < 2; k++) {
		struct timecode t = { 0, k ? 60 : 30, true }, u;
		struct err e = ERR_INIT;
		char text[32], last[32] = "";
		for (t.frame = 0; t.frame < 30 * (k + 1) * 660; t.frame++) {
			timecode_label(&t, text, sizeof text);
			bad += timecode_read("start", text, k ? ntsc60 : ntsc, &u, &e) < 0 || u.frame != t.frame || strcmp(text, last) <= 0;
			strcpy(last, text);
		}
	}
	test_ok(!bad, "timecode of drop-frame is undone by reading, label for label");
	static const char *const wrong[] = { "1", "00:00:00:24", "00:60:00:00", "00:00:00:00x", "00:00:00,00", "" };
	struct timecode t;
	struct err e = ERR_INIT;
	bad = 0;
	for (size_t i = 0; i < IN_COUNT(wrong); i++) bad += timecode_read("start", wrong[i], r24, &t, &e) == 0;
	bad += timecode_read("start", "00:00:00;00", r25, &t, &e) == 0 || timecode_read("start", "00:00:00;00", film, &t, &e) == 0;
	bad += timecode_read("start", "00:01:00;00", ntsc, &t, &e) == 0 || timecode_read("start", "00:01:00;03", ntsc60, &t, &e) == 0;
	test_ok(!bad, "timecode that there is not is refused");
	TEST_END();
}
