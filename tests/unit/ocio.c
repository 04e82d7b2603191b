/* Unit tests of ocio: a config written here, its transforms as steps against OpenColorIO's own processor; what is
 * wrong in a config is named. Without the shared object everything skips.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "ocio.h"

#include "mathx.h"
#include "mem.h"
#include "test.h"

static const char config[] =
	"ocio_profile_version: 2\nsearch_path: luts\nstrictparsing: true\nenvironment: {}\n"
	"roles: {default: raw, scene_linear: ACEScg, aces_interchange: ACES2065-1}\n"
	"displays:\n  mon:\n    - !<View> {name: film, colorspace: out, looks: warm}\n"
	"    - !<View> {name: aces, colorspace: odt}\n"
	"looks:\n  - !<Look>\n    name: warm\n    process_space: ACEScct\n"
	"    transform: !<CDLTransform> {slope: [1.1,1,.9], offset: [0,0.01,0], power: [1,1.1,1], sat: 0.9}\n"
	"colorspaces:\n  - !<ColorSpace> {name: raw, isdata: true}\n  - !<ColorSpace> {name: ACES2065-1}\n"
#define SPACE(name, to) "  - !<ColorSpace>\n    name: " name "\n    to_scene_reference: " to "\n"
	SPACE("ACEScg", "!<BuiltinTransform> {style: ACEScg_to_ACES2065-1}")
	SPACE("ACEScct", "!<BuiltinTransform> {style: ACEScct_to_ACES2065-1}")
	SPACE("logc3", "!<BuiltinTransform> {style: ARRI_ALEXA-LOGC-EI800-AWG_to_ACES2065-1}")
	SPACE("power", "!<ExponentTransform> {value: [2.2,2.2,2.2,1]}")
	SPACE("foot", "!<ExponentWithLinearTransform> {gamma: [2.4,2.4,2.4,1], offset: [0.055,0.055,0.055,0]}")
	SPACE("curve", "!<FileTransform> {src: c.spi1d, interpolation: linear}")
	"  - !<ColorSpace>\n    name: out\n    from_scene_reference: !<GroupTransform>\n      children:\n"
	"        - !<BuiltinTransform> {style: ACEScct_to_ACES2065-1, direction: inverse}\n"
	"        - !<FileTransform> {src: a.cube, interpolation: tetrahedral}\n"
	"  - !<ColorSpace>\n    name: odt\n    from_scene_reference: !<GroupTransform>\n      children:\n"
	"        - !<BuiltinTransform> {style: \"ACES-OUTPUT - ACES2065-1_to_CIE-XYZ-D65 - SDR-VIDEO_1.0\"}\n"
	"        - !<BuiltinTransform> {style: \"DISPLAY - CIE-XYZ-D65_to_REC.1886-REC.709\"}\n"
	"  - !<ColorSpace>\n    name: lost\n    to_scene_reference: !<FileTransform> {src: nowhere.cube}\n";

static char path[300];

static void put(const char *name, const char *text)
{
	char p[400];
	snprintf(p, sizeof p, "%s/%s", test_tmp(), name);
	FILE *f = fopen(p, "w");
	if (!f) { perror(p); exit(1); }
	fputs(text, f);
	fclose(f);
}

static void write_config(double gain)
{
	char cube[16384] = "LUT_3D_SIZE 5\n", curve[4096] = "Version 1\nFrom 0.0 1.0\nLength 33\nComponents 1\n{\n", cmd[400];
	char x[3][40];
	snprintf(cmd, sizeof cmd, "mkdir -p %s/luts", test_tmp());
	if (system(cmd)) exit(1);
	for (int i = 0; i < 125; i++) {
		mx_print(mx_pow(i % 5 / 4.0, 1.2) * gain, x[0]);
		mx_print(mx_pow(i / 5 % 5 / 4.0, 0.9) * 0.95, x[1]);
		mx_print(i / 25 / 4.0, x[2]);
		snprintf(cube + strlen(cube), 140, "%s %s %s\n", x[0], x[1], x[2]);
	}
	for (int i = 0; i < 33; i++) {
		mx_print(mx_pow(i / 32.0, 1.7), x[0]);
		snprintf(curve + strlen(curve), 60, "%s\n", x[0]);
	}
	strcat(curve, "}\n");
	put("luts/a.cube", cube);
	put("luts/c.spi1d", curve);
	put("config.ocio", config);
	snprintf(path, sizeof path, "%s/config.ocio", test_tmp());
}

enum { N = 3000 };

static void fill(float p[3][N])
{
	uint32_t s = 7;
	for (int i = 0; i < N; i++)
		for (int k = 0; k < 3; k++) {
			s = s * 1664525u + 1013904223u;
			p[k][i] = (float)(s >> 8) * 0x1p-24f * 1.2f - 0.1f;
		}
}

static double compare(float a[3][N], float b[3][N])
{
	double worst = 0;
	for (int k = 0; k < 3; k++)
		for (int i = 0; i < N; i++) {
			double d = a[k][i] - b[k][i], m = b[k][i] < 0 ? -b[k][i] : b[k][i];
			d = (d < 0 ? -d : d) / (m > 1 ? m : 1);
			if (!(d <= worst)) worst = d;
		}
	return worst;
}

/* OpenColorIO's own logarithms and powers are good to 1e-5 or so. */
static void steps(const char *what, struct ocio_ask a, double limit)
{
	static float p[3][N], q[3][N];
	struct err e = ERR_INIT;
	a.config = path;
	struct ocio *ours = ocio_open(&a, &e);
	a.whole = true;
	struct ocio *theirs = ours ? ocio_open(&a, &e) : NULL;
	if (!theirs) { test_ok(0, "ocio %s: %s", what, e.msg); ocio_free(&ours); return; }
	fill(p);
	fill(q);
	ocio_row(ours, p[0], p[1], p[2], N);
	ocio_row(theirs, q[0], q[1], q[2], N);
	double d = compare(p, q);
	char name[80];
	snprintf(name, sizeof name, "ocio: %s, as steps", what);
	test_parity(name, "OpenColorIO's processor", d, limit);
	test_ok(!ocio_outside(ours) && ocio_lut(ours) && d < limit, "ocio %s: steps as OpenColorIO's processor within %.0e (%.2e)",
	        what, limit, d);
	ocio_free(&ours);
	ocio_free(&theirs);
}

static void whole(const char *what, struct ocio_ask a, const char *why)
{
	static float p[3][N], q[3][N];
	struct err e = ERR_INIT;
	a.config = path;
	struct ocio *o = ocio_open(&a, &e);
	if (!o) { test_ok(0, "ocio %s: %s", what, e.msg); return; }
	fill(p);
	fill(q);
	ocio_row(o, p[0], p[1], p[2], N);
	for (int i = 0; i < N; i += 77) ocio_row(o, q[0] + i, q[1] + i, q[2] + i, i + 77 < N ? 77 : N - i);
	test_ok(ocio_outside(o) && strstr(ocio_outside(o), why), "ocio %s is outside the promise: %s", what, ocio_outside(o));
	test_ok(!memcmp(p, q, sizeof p), "ocio %s: rows may be cut anywhere", what);
	ocio_free(&o);
}

static void bad(const char *what, struct ocio_ask a, enum err_code code, const char *has)
{
	struct err e = ERR_INIT;
	if (!a.config) a.config = path;
	struct ocio *o = ocio_open(&a, &e);
	test_ok(!o && e.code == code && strstr(e.msg, has), "ocio %s: %s", what, o ? "taken" : e.msg);
	ocio_free(&o);
}

static struct key hash_of(struct ocio_ask a)
{
	struct err e = ERR_INIT;
	struct sha s;
	a.config = path;
	struct ocio *o = ocio_open(&a, &e);
	sha_init(&s);
	if (o) ocio_hash(o, &s);
	ocio_free(&o);
	return sha_end(&s);
}

int main(void)
{
	struct err e = ERR_INIT;
	char p[400];
	if (!ocio_version(&e)) { test_skip("ocio: %s", e.msg); TEST_END(); }
	write_config(1);
	steps("logc3 to ACEScg", (struct ocio_ask){ .from = "logc3", .to = "ACEScg" }, 3e-5);
	steps("ACEScg to logc3", (struct ocio_ask){ .from = "ACEScg", .to = "logc3" }, 1e-5);
	steps("a power", (struct ocio_ask){ .from = "power", .to = "ACES2065-1" }, 1e-5);
	steps("a power with a foot", (struct ocio_ask){ .from = "foot", .to = "ACES2065-1" }, 1e-5);
	steps("a table", (struct ocio_ask){ .from = "curve", .to = "ACES2065-1" }, 3e-7);
	steps("a matrix", (struct ocio_ask){ .from = "ACEScg", .to = "ACES2065-1" }, 3e-7);
	steps("a role", (struct ocio_ask){ .from = "scene_linear", .to = "aces_interchange" }, 3e-7);
	steps("a space to itself", (struct ocio_ask){ .from = "ACEScg", .to = "scene_linear" }, 1e-9);
	steps("a logarithm and a cube", (struct ocio_ask){ .from = "ACEScg", .to = "out" }, 1e-5);
	steps("a look", (struct ocio_ask){ .from = "ACEScg", .to = "ACEScg", .look = "warm" }, 3e-5);
	steps("a look taken back", (struct ocio_ask){ .from = "ACEScg", .to = "ACEScg", .look = "warm", .inverse = true }, 1e-4);
	steps("a view", (struct ocio_ask){ .from = "ACEScg", .display = "mon", .view = "film" }, 2e-5);
	whole("an ACES output", (struct ocio_ask){ .from = "ACEScg", .display = "mon", .view = "aces" }, "FixedFunction");
	whole("a cube backwards", (struct ocio_ask){ .from = "out", .to = "ACEScg" }, "InverseLUT3D");

	struct ocio_ask view = { .from = "ACEScg", .display = "mon", .view = "film" };
	struct ocio_ask back = { .from = "out", .to = "ACEScg" }, other = { .from = "logc3", .to = "ACEScg" };
	struct key a = hash_of(view), b = hash_of(back), c = hash_of(other), again = hash_of(view);
	test_ok(key_eq(&a, &again) && !key_eq(&a, &c), "ocio hashes what the transform is");
	write_config(0.9);
	struct key a2 = hash_of(view), b2 = hash_of(back), c2 = hash_of(other);
	test_ok(!key_eq(&a, &a2) && !key_eq(&b, &b2) && key_eq(&c, &c2), "ocio: a changed table changes what uses it, and nothing else");

	bad("names the missing space", (struct ocio_ask){ .from = "ACEScg", .to = "nope" }, E_SCENE, "to=\"nope\"");
	bad("names the missing view", (struct ocio_ask){ .from = "ACEScg", .display = "mon", .view = "x" }, E_SCENE, "mon/film");
	bad("names the missing look", (struct ocio_ask){ .from = "ACEScg", .to = "ACEScg", .look = "x" }, E_SCENE, "look");
	bad("names the missing file", (struct ocio_ask){ .from = "lost", .to = "ACEScg" }, E_INPUT, "nowhere.cube");
	put("broken.ocio", "ocio_profile_version: 2\ncolorspaces: {{{\n");
	snprintf(p, sizeof p, "%s/broken.ocio", test_tmp());
	bad("refuses what is no config", (struct ocio_ask){ .config = p, .from = "a", .to = "b" }, E_INPUT, "broken.ocio");
	char *hub = ocio_interchange(path, &e);
	test_ok(hub && !strcmp(hub, "ACES2065-1"), "ocio finds where a config meets interneg");
	free(hub);
	snprintf(p, sizeof p, "rm -rf %s", test_tmp());
	return system(p) ? 1 : test_failed;
}
