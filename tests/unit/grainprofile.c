/* grainprofile - the text of a grain profile: what it says, how it comes back, what is refused.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "test.h"

#include <math.h>

#include "colour.h"
#include "grain_profile.h"

#define HEAD "grain 1\nspace rec709\nheight 1080\n"
#define BODY "strength 0.1 0.01 0.02 0.03\nspectrum 0 0 0 0\n"

static void reads(void)
{
	struct grain_profile p;
	struct err e = ERR_INIT;
	const char *text = "# a comment\n\n grain 1 # version\nname \"35 mm \\\"fine\\\" \\\\ # 2\"\r\n"
		"source \"clip.mp4\" frames -3-24 size 1920x1080\nmethod spatial\nspace acescct\nheight 1080\n"
		"strength 0.1 0.01 0.02 0.03\nstrength 0.3 0.02\nstrength 0.5 0.04 0.02 0.01\n"
		"correlation 0.31 0.27 0.22\ntemporal 0.25\nspectrum 0.0 -3 -2 -1\nspectrum 0.1 3 0 1\n"
		"spectrum 0.5 -10 -20 -30\naniso 1.5\nlattice 8 2.5\nlattice 16 1";
	test_ok(grain_profile_parse(text, "t", &p, &e) == 0, "every statement is read %s", e.msg);
	test_ok(strcmp(p.name, "35 mm \"fine\" \\ # 2") == 0 && strcmp(p.source, "clip.mp4") == 0 &&
	        p.first == -3 && p.last == 24 && p.width == 1920 && p.height == 1080, "text, frames and size");
	test_ok(p.method == GRAIN_SPATIAL && p.space == colour_find("acescct") && p.lines == 1080,
	        "method, space and height");
	test_ok(p.nstrength == 3 && p.sigma[1][2] == 0.02 && p.corr[1] == 0.27 && p.rho[2] == 0.25 &&
	        p.nband == 3 && p.nlattice == 2 && p.lattice_period[1] == 16, "tables, one for three");
	test_ok(grain_profile_sigma(&p, 0, -1) == 0.01 && grain_profile_sigma(&p, 2, 9) == 0.01 &&
	        fabs(grain_profile_sigma(&p, 0, 0.4) - 0.03) < 1e-15 && grain_profile_sigma(&p, 0, 0.3) == 0.02,
	        "sigma is linear between places and held beyond");
	p.aniso[0] = p.aniso[2] = 1;
	test_ok(fabs(grain_profile_power(&p, 0, 0.03, 0.04) - 1) < 1e-12 &&
	        fabs(10 * log10(grain_profile_power(&p, 2, 0.3, 0)) + 14.5) < 1e-9 &&
	        fabs(10 * log10(grain_profile_power(&p, 1, 0.5, 0.5)) + 20) < 1e-9,
	        "power is linear in dB over the radius and held beyond");
	test_ok(fabs(grain_profile_power(&p, 1, 0.2 * sqrt(1.5), 0) -
	             grain_profile_power(&p, 1, 0, 0.2 / sqrt(1.5))) < 1e-12, "aniso: taller grain, narrower vertical spectrum");
}

static void comes_back(void)
{
	struct grain_profile p, q;
	struct err e = ERR_INIT;
	char path[300];
	test_ok(grain_profile_parse(HEAD BODY "name \"a \\\\ \\\"b\"\nstrength 0.30000000000000004 1e-3 0x1p-9 3\n"
	        "lattice 8.5 1\ntemporal -0.5 0 1\n", "t", &p, &e) == 0, "awkward numbers are read %s", e.msg);
	char *a = grain_profile_text(&p);
	test_ok(grain_profile_parse(a, "t", &q, &e) == 0 && memcmp(&p, &q, sizeof p) == 0,
	        "the canonical text reads back the same %s", e.msg);
	char *b = grain_profile_text(&q);
	test_ok(strcmp(a, b) == 0, "and is written the same");
	snprintf(path, sizeof path, "%s/a.grain", test_tmp());
	FILE *f = fopen(path, "w");
	if (f) { fputs(a, f); fclose(f); }
	test_ok(grain_profile_read(path, &q, &e) == 0 && memcmp(&p, &q, sizeof p) == 0, "from a file %s", e.msg);
	f = fopen(path, "w");
	if (f) { fputs(a, f); fputc(0, f); fclose(f); }
	test_ok(grain_profile_read(path, &q, &e) < 0 && e.code == E_INPUT, "a zero byte is refused: %s", e.msg);
	unlink(path);
	test_ok(grain_profile_read(path, &q, &e) < 0 && e.code == E_INPUT && strstr(e.msg, "No such"),
	        "a missing file is told");
	rmdir(test_tmp());
	free(a);
	free(b);
}

static void refuses(void)
{
	static const struct { const char *text, *why; } bad[] = {
		{ "", "it has no grain" }, { "strength 1 1\n", "t:1: not a grain profile" },
		{ "<graph/>", "t:1: not a grain profile" }, { "grain 2\n", "t:1: grain: this program reads version 1" },
		{ "grain 1\nheight 1\nspace rec709\nspectrum 0 0", "it has no strength" },
		{ HEAD "sptrum 0 0 0 0", "t:4: unknown statement \"sptrum\" (did you mean \"spectrum\"?)" },
		{ "grain 1\nspace rec70", "t:2: space: there is no \"rec70\" (did you mean \"rec709\"?)" },
		{ HEAD "height 1080\n", "t:4: a second height" }, { "grain 1\nheight 10.5", "whole number" },
		{ HEAD BODY "strength 0.1 1", "t:6: strength: 0.1 does not ascend" },
		{ HEAD BODY "spectrum 0.8 1 1 1", "0.8 is outside 0 to 0.7072" },
		{ HEAD BODY "spectrum 0.1 1 1", "takes a place and 1 or 3 numbers" },
		{ HEAD BODY "spectrum 0.1 nan", "a number is wanted, not nan" },
		{ HEAD BODY "spectrum 0.1 1,5", "a number is wanted, not 1,5" },
		{ HEAD BODY "strength 0.2 -1 0 0", "-1 is outside 0 to 16" },
		{ HEAD BODY "correlation 0.9 -0.9 0.9", "no three channels" }, { HEAD BODY "temporal 1.5", "outside" },
		{ HEAD BODY "name \"x", "closing quote" }, { HEAD BODY "name x", "text in quotes" },
		{ HEAD BODY "name \"a\tb\"", "control character" },
		{ HEAD BODY "source \"x\" frames 3-1", "as in 1-24" }, { HEAD BODY "source \"x\" size 3", "as in 1920x1080" },
		{ HEAD BODY "source \"x\" seconds 3", "frames A-B" }, { HEAD BODY "method magic", "one of temporal" },
		{ HEAD BODY "aniso 0", "outside 0.1 to 10" }, { HEAD BODY "lattice 8", "takes 2 words" },
		{ HEAD BODY "aniso 1 2 3 4 5 6 7 8 9 10 11 12", "too many words" },
	};
	for (size_t i = 0; i < IN_COUNT(bad); i++) {
		struct grain_profile p;
		struct err e = ERR_INIT;
		int rc = grain_profile_parse(bad[i].text, "t", &p, &e);
		test_ok(rc < 0 && e.code == E_INPUT && strstr(e.msg, bad[i].why), "refused %zu: %s", i, e.msg);
	}
	/* whatever stands there, it ends in an answer */
	char text[400] = HEAD BODY "name \"x\" # y\nsource \"c\" frames 1-2\n";
	unsigned state = 1;
	int answers = 0;
	for (int i = 0; i < 20000; i++) {
		struct grain_profile p;
		struct err e = ERR_INIT;
		char t[400];
		memcpy(t, text, sizeof t);
		for (int k = 0; k < 3; k++) {
			state = state * 1664525u + 1013904223u;
			t[(state >> 8) % strlen(text)] = (char)(state >> 24);
		}
		answers += grain_profile_parse(t, "t", &p, &e) <= 0;
	}
	test_ok(answers == 20000, "20000 damaged texts end in an answer");
}

/* The stocks of graphs/stocks: all there, each finer than the next, wider film finer than narrower. */
static void stocks(void)
{
	static const char *const format[] = { "65mm", "35mm", "16mm" };
	static const char *const speed[] = { "fine", "medium", "coarse", "bw-fine", "bw-medium", "bw-coarse" };
	double sigma[3][6];
	int bad = 0;
	for (int f = 0; f < 3; f++)
		for (int s = 0; s < 6; s++) {
			struct grain_profile p;
			struct err e = ERR_INIT;
			char path[200];
			snprintf(path, sizeof path, "graphs/stocks/%s-%s.grain", format[f], speed[s]);
			if (grain_profile_read(path, &p, &e) < 0) { test_ok(0, "stock %s: %s", path, e.msg); return; }
			sigma[f][s] = grain_profile_sigma(&p, 0, 0.5);
			bad += p.method != GRAIN_RECIPE || (s % 3 && sigma[f][s] <= sigma[f][s - 1]) || (f && sigma[f][s] <= sigma[f - 1][s]);
			bad += grain_profile_sigma(&p, 0, 0) > sigma[f][s] / 4 || grain_profile_sigma(&p, 0, 1) > sigma[f][s] / 4;
			bad += s > 2 && (p.corr[0] != 1 || p.sigma[9][0] != p.sigma[9][2]);
		}
	test_ok(!bad, "stocks: 18, in order of granularity and of format");
	/* Selwyn: deviation goes with the reciprocal of the pixel's side; less, where clouds are not small against it */
	double want = 52.5 / 24.9, have = sigma[1][0] / sigma[0][0];
	test_ok(have < want && have > 0.75 * want, "stocks: 35 mm over 65 mm %.3f, by their widths %.3f", have, want);
}

int main(void)
{
	stocks();
	reads();
	comes_back();
	refuses();
	TEST_END();
}
