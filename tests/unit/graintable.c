/* graintable - film grain tables: read, written, refused when bad; to profiles and back.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <math.h>
#include <stdlib.h>

#include "grain_measure.h"
#include "grain_stock.h"
#include "grain_table.h"
#include "mem.h"
#include "textfile.h"
#include "yuv.h"
#include "test.h"

static const struct grain_picture full = { YM_BT709, true, true, YS_LEFT, 8 }, whole = { YM_BT709, true, false, YS_LEFT, 10 };

static const char good[] =
	"filmgrn1\nE 0 9223372036854775807 1 7391 1\n\tp 3 7 0 11 0 1 128 192 256 128 192 256\n"
	"\tsY 2  0 40 255 80\n\tsCb 1 0 64\n\tsCr 0\n"
	"\tcY 0 0 0 0 0 0 0 0 0 -4 -10 -4 0 0 0 -4 -10 40 -10 -4 0 0 -10 40\n"
	"\tcCb 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 0 0 0 0 20 0\n"
	"\tcCr 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 20 0 0 0 0 0 20 0\n";

static void bad_input(void)
{
	static const struct { const char *name, *text; } v[] = {
		{ "empty", "" }, { "another file", "grain 1\n" }, { "no set", "filmgrn1\n" },
		{ "a word for a number", "filmgrn1\nE 0 x 1 1 1\n" }, { "a line before E", "filmgrn1\np 0 6 0 8 0 1 0 0 0 0 0 0\n" },
		{ "lag 4", "filmgrn1\nE 0 9 1 1 1\np 4 6 0 8 0 1 0 0 0 0 0 0\n" },
		{ "15 points", "filmgrn1\nE 0 9 1 1 1\np 0 6 0 8 0 1 0 0 0 0 0 0\nsY 15 0 1\n" },
		{ "descending", "filmgrn1\nE 0 9 1 1 1\np 0 6 0 8 0 1 0 0 0 0 0 0\nsY 2 9 1 8 1\n" },
		{ "too much", "filmgrn1\nE 0 9 1 1 1 5\n" }, { "an unknown line", "filmgrn1\nE 0 9 1 1 1\nq 1\n" },
	};
	struct grain_params g;
	for (size_t i = 0; i < IN_COUNT(v); i++) {
		struct err e = ERR_INIT;
		test_ok(grain_table_parse(v[i].text, "x.tbl", &g, NULL, &e) < 0 && e.code == E_INPUT && strstr(e.msg, "x.tbl"),
		        "%s is refused: %s", v[i].name, e.msg);
	}
	int held = 0, n = (int)strlen(good);
	for (int cut = 0; cut < n - 2; cut++) {
		struct err e = ERR_INIT;
		char *t = xstrdup(good);
		t[cut] = 0;
		held += grain_table_parse(t, "x.tbl", &g, NULL, &e) < 0;
		free(t);
	}
	test_ok(held == n - 2, "cut off anywhere it is refused (%d of %d)", held, n - 2);
}

static void example(void)
{
	struct grain_params g;
	struct grain_profile p;
	struct err e = ERR_INIT;
	char path[512];
	size_t len;
	if (!test_data()) { test_skip("graintable: no ../shared/data"); return; }
	snprintf(path, sizeof path, "%s/grain/av1_example.tbl", test_data());
	char *t = text_read(path, &len, &e);
	test_ok(t && grain_table_parse(t, path, &g, NULL, &e) == 0, "grav1synth's table is read %s", e.msg);
	free(t);
	test_ok(g.ny == 14 && g.y[0][1] == 26 && g.scaling_shift == 8 && g.lag == 0, "as it stands there");
	grain_table_profile(&g, &full, 1080, &p);
	/* white noise of deviation 32, scaled by 4 of 256 at mid grey: half a code */
	test_ok(fabs(grain_profile_sigma(&p, 1, 0.5) * 255 - 0.5) < 0.002, "half a code at mid grey (%.4f)",
	        grain_profile_sigma(&p, 1, 0.5) * 255);
	test_ok(fabs(grain_profile_power(&p, 1, 0.2, 0.1) - 1) < 1e-3 && p.corr[0] > 0.999, "white, the same in all channels");
}

static void round_trip(void)
{
	struct grain_params g, h;
	struct grain_profile p, q;
	struct grain_diff d;
	struct err e = ERR_INIT;
	double off;
	test_ok(grain_table_parse(good, "x.tbl", &g, NULL, &e) == 0, "a table is read %s", e.msg);
	char *t = grain_table_text(&g);
	test_ok(grain_table_parse(t, "y.tbl", &h, NULL, &e) == 0 && memcmp(&g, &h, sizeof g) == 0, "written and read: the same %s", e.msg);
	free(t);
	g.ncb = g.ncr = 0;                       /* luma alone: what the model holds exactly */
	grain_table_profile(&g, &GRAIN_PICTURE, 720, &p);
	test_ok(grain_table_from(&p, &GRAIN_PICTURE, &h, &off, &e) == 0, "its profile gives a table %s", e.msg);
	grain_table_profile(&h, &GRAIN_PICTURE, 720, &q);
	grain_compare(&p, &q, &d);
	test_ok(d.strength[1] < 0.03 && fabs(d.band[3][1]) < 0.3 && fabs(d.band[0][1]) < 0.5,
	        "of the same grain: strength %.2f %%, %.2f and %.2f dB", 100 * d.strength[1], d.band[0][1], d.band[3][1]);
	test_ok(off < 0.2, "which templates show, too (%.2f dB)", off);
	for (int k = 0; k < p.nband; k++) for (int c = 0; c < 3; c++) p.db[k][c] = fmax(-60, -20000 * p.freq[k] * p.freq[k]);
	int rc = grain_table_from(&p, &GRAIN_PICTURE, &h, &off, &e);
	test_ok(rc == 0 && off > TABLE_OFF, "as coarse as no template can be: said (%.2f dB off)", off);
	for (int i = 0; i < p.nstrength; i++) for (int c = 0; c < 3; c++) p.sigma[i][c] = 2;
	test_ok(grain_table_from(&p, &GRAIN_PICTURE, &h, &off, &e) < 0 && e.code == E_INPUT, "too strong: %s", e.msg);
}

static void unit_variance(struct grain_profile *p)
{
	for (int c = 0; c < 3; c++) {
		double sum = 0;
		for (int i = 0; i < 4096; i++) sum += grain_profile_power(p, c, (i % 64 - 32) / 64.0, (i / 64 - 32) / 64.0) / 4096;
		for (int k = 0; k < p->nband; k++) p->db[k][c] -= 10 * log10(sum);
	}
}

/* In 4:2:0, too, channels have the spectra of the profile as far as chroma's pixels can differ, and their strength. */
static void halved(void)
{
	struct grain_params g;
	struct grain_profile p = { .lines = 720, .nstrength = 2, .luma = { 0, 1 }, .nband = 46, .corr = { 0.15, 0.05, 0.15 }, .aniso = { 1, 1, 1 } }, q;
	struct grain_diff d;
	struct err e = ERR_INIT;
	double off;
	double most = 0;
	for (int i = 0; i < 2; i++) for (int c = 0; c < 3; c++) p.sigma[i][c] = 0.02;
	for (int k = 0; k < p.nband; k++) {
		p.freq[k] = k / 64.0;
		for (int c = 0; c < 3; c++) p.db[k][c] = -20 * p.freq[k] * p.freq[k] / 0.7;
	}
	unit_variance(&p);
	test_ok(grain_table_from(&p, &GRAIN_PICTURE, &g, &off, &e) == 0, "colour grain of half as many pixels gives a table %s", e.msg);
	grain_table_profile(&g, &GRAIN_PICTURE, 720, &q);
	grain_compare(&p, &q, &d);
	for (int b = 0; b < 5; b++) for (int c = 0; c < 3; c++) most = fmax(most, fabs(d.band[b][c]));
	test_ok(most < 0.5, "4:2:0: octaves below 0.5 cycles a pixel within 0.5 dB (%.2f)", most);
	most = 0;
	for (int c = 0; c < 3; c++) most = fmax(most, fabs(grain_profile_sigma(&q, c, 0.5) / grain_profile_sigma(&p, c, 0.5) - 1));
	test_ok(most < 0.05, "4:2:0: strength within 5 %% (%.1f)", 100 * most);
}

/* A stock through a table of 4:2:0: within so many dB in each octave up to where chroma's pixels end, by the spectra of
 * the recursions, of which coarse grain's templates, being small, have no more than they show. */
static void stock(const char *name, double within, const struct grain_picture *to)
{
	struct grain_params g;
	struct grain_profile p, q;
	struct grain_diff d;
	struct err e = ERR_INIT;
	double off;
	char path[512];
	double most = 0;
	if (!grain_stock_path(name, path, sizeof path) || grain_profile_read(path, &p, &e) < 0) {
		test_ok(false, "%s is there %s", name, e.msg);
		return;
	}
	test_ok(grain_table_from(&p, to, &g, &off, &e) == 0, "%s gives a table %s", name, e.msg);
	grain_table_profile(&g, to, p.lines, &q);
	grain_compare(&p, &q, &d);
	for (int b = 0; b < 4; b++) for (int c = 0; c < 3; c++) most = fmax(most, fabs(d.band[b][c]));
	test_ok(most < within, "%s: octaves up to a quarter cycle within %g dB (%.2f)", name, within, most);
	test_ok(off < TABLE_OFF, "%s: what templates show within 0.5 dB (%.2f)", name, off);
}

/* Colour grain whose channels have little in common: chroma planes hold it by their share of luma, all but what Cb and Cr
 * have between them. */
static void colour(double width)
{
	struct grain_params g;
	struct grain_profile p = { .lines = 720, .nstrength = 2, .luma = { 0, 1 }, .nband = 46, .corr = { 0.15, 0.05, 0.15 }, .aniso = { 1, 1, 1 } }, q;
	struct err e = ERR_INIT;
	double off;
	double most = 0;
	for (int i = 0; i < 2; i++) for (int c = 0; c < 3; c++) p.sigma[i][c] = 0.02;
	for (int k = 0; k < p.nband; k++) {
		p.freq[k] = k / 64.0;
		for (int c = 0; c < 3; c++) p.db[k][c] = fmax(-4.342945 * p.freq[k] * p.freq[k] / (width * width), -30);
	}
	unit_variance(&p);
	test_ok(grain_table_from(&p, &whole, &g, &off, &e) == 0, "colour grain of width %g gives a table %s", width, e.msg);
	grain_table_profile(&g, &whole, 720, &q);
	for (int c = 0; c < 3; c++) {
		most = fmax(most, fabs(grain_profile_sigma(&q, c, 0.5) / grain_profile_sigma(&p, c, 0.5) - 1));
		test_ok(fabs(q.corr[c] - p.corr[c]) < (c == 1 ? 0.3 : 0.1), "width %g: correlation %d: %.3f for %.3f", width, c, q.corr[c], p.corr[c]);
	}
	test_ok(most < 0.05, "width %g: strength within 5 %% (%.1f)", width, 100 * most);
	test_ok(g.acb[TABLE_TAPS] < 0 && g.acr[TABLE_TAPS] < 0, "width %g: chroma goes against luma (%d, %d)", width, g.acb[TABLE_TAPS],
	        g.acr[TABLE_TAPS]);
}

int main(void)
{
	bad_input();
	example();
	round_trip();
	colour(0.2);
	colour(0.1);
	halved();
	setenv("INTERNEG_SHARE", ".", 0);
	const struct grain_picture film = GRAIN_PICTURE, eight = { YM_BT709, false, true, YS_CENTER, 8 };
	stock("stock:16mm-coarse", 0.8, &film);
	stock("stock:65mm-coarse", 0.5, &film);
	stock("stock:65mm-fine", 0.5, &film);
	stock("stock:35mm-fine", 0.5, &eight);
	TEST_END();
}
