/* Unit tests of cdlfile. Oracle: OpenColorIO's own test files (../shared/data/colour/cdl_*), their numbers as printed.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cdlfile.h"

#include "test.h"

struct known { const char *file, *id; struct cdl_values v; };
static const struct known known[] = {
	{ "cdl_test1.cc", "", { { 1.1, 1.2, 1.3 }, { 2.1, 2.2, 2.3 }, { 3.1, 3.2, 3.3 }, 0.7 } },
	{ "cdl_test1.cc", "foo", { { 1.1, 1.2, 1.3 }, { 2.1, 2.2, 2.3 }, { 3.1, 3.2, 3.3 }, 0.7 } },
	{ "cdl_test2.cc", "cc0001", { { 1, 1, 0.9 }, { -.03, -2e-2, 0 }, { 1.25, 1, 1 }, 1.7 } },
	{ "cdl_test_ASC_SAT.cc", "", { { 1.1, 1.2, 1.3 }, { 2.1, 2.2, 2.3 }, { 3.1, 3.2, 3.3 }, 0.42 } },
	{ "cdl_test_ASC_SOP.cc", "", { { 1.1, 1.2, 1.3 }, { 2.1, 2.2, 2.3 }, { 3.1, 3.2, 3.3 }, 0.42 } },
	{ "cdl_test_SATNode.cc", "", { { 1.1, 1.2, 1.3 }, { 2.1, 2.2, 2.3 }, { 3.1, 3.2, 3.3 }, 0.42 } },
	{ "cdl_test1.ccc", "cc0001", { { 1, 1, 0.9 }, { -.03, -2e-2, 0 }, { 1.25, 1, 1 }, 1.7 } },
	{ "cdl_test1.ccc", "cc0002", { { .9, .7, .6 }, { .1, .1, .1 }, { .9, .9, .9 }, 0.7 } },
	{ "cdl_test1.ccc", "cc0003", { { 1.2, 1.1, 1 }, { 0 }, { .9, 1, 1.2 }, 1 } },
	{ "cdl_test1.ccc", "3", { { 4, 5, 6 }, { 0 }, { .9, 1, 1.2 }, 1 } },
	{ "cdl_test1.ccc", "4", { { 1, 1, 1 }, { 0 }, { 1, 1, 1 }, 0 } },
	{ "cdl_test1.cdl", "cc0002", { { .9, .7, .6 }, { .1, .1, .1 }, { .9, .9, .9 }, 0.7 } },
	{ "cdl_test1.cdl", "3", { { 1.2, 1.1, 1 }, { 0 }, { .9, 1, 1.2 }, 1 } },
	{ "cdl_test1.cdl", "4", { { 1, 1, 1 }, { 0 }, { 1, 1, 1 }, 0 } },
};

static bool same(const struct cdl_values *a, const struct cdl_values *b)
{
	for (int i = 0; i < 3; i++)
		if (a->slope[i] != b->slope[i] || a->offset[i] != b->offset[i] || a->power[i] != b->power[i]) return false;
	return a->saturation == b->saturation;
}

static void files(void)
{
	char path[600];
	for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
		struct err e = ERR_INIT;
		struct cdl_values v;
		snprintf(path, sizeof path, "%s/colour/%s", test_data(), known[i].file);
		int rc = cdl_load(path, known[i].id, &v, &e);
		test_ok(rc == 0 && same(&v, &known[i].v), "cdl %s \"%s\" %s", known[i].file, known[i].id, rc ? e.msg : "");
	}
	struct err e = ERR_INIT;
	struct cdl_values v;
	snprintf(path, sizeof path, "%s/colour/cdl_test1.ccc", test_data());
	test_ok(cdl_load(path, "", &v, &e) < 0 && strstr(e.msg, "cdl_id") && strstr(e.msg, "cc0001 cc0002 cc0003 3 4"),
	        "cdl with several asks which and lists them");
	test_ok(cdl_load(path, "cc0009", &v, &e) < 0 && strstr(e.msg, "cc0009"), "cdl names the id that is not there");
}

static void refused(const char *text, const char *id, const char *says)
{
	struct err e = ERR_INIT;
	struct cdl_values v;
	int rc = cdl_parse("t.ccc", text, strlen(text), id, &v, &e);
	test_ok(rc < 0 && e.code == E_INPUT && strstr(e.msg, "t.ccc") && strstr(e.msg, says), "cdl refused with \"%s\": %s",
	        says, rc < 0 ? e.msg : "taken");
}

#define CC(inner) "<ColorCorrection id=\"a\">" inner "</ColorCorrection>"
#define SOP(s, o, p) "<SOPNode><Slope>" s "</Slope><Offset>" o "</Offset><Power>" p "</Power></SOPNode>"

int main(void)
{
	if (test_data()) files();
	else test_skip("cdl files: no ../shared/data");
	struct err e = ERR_INIT;
	struct cdl_values v;
	static const char ns[] = "\xef\xbb\xbf<?xml version=\"1.0\"?><c:ColorCorrection xmlns:c=\"urn:ASC:CDL:v1.2\" id=\"x\">"
	                         "<c:SOPNode><c:Slope>2</c:Slope></c:SOPNode></c:ColorCorrection>";
	test_ok(cdl_parse("ns", ns, sizeof ns - 1, "", &v, &e) < 0 && strstr(e.msg, "1 number"), "cdl wants three numbers");
	static const char part[] = CC("<SOPNode><Slope> 2\n3\t4 </Slope></SOPNode><Other/>");
	test_ok(cdl_parse("p", part, sizeof part - 1, "", &v, &e) == 0 && v.slope[2] == 4 && v.power[0] == 1 &&
	        v.saturation == 1, "cdl: what is left out is neutral");
	refused("", "", "XML");
	refused("<ColorCorrection>", "", "XML");
	refused("<LookUp/>", "", "not a CDL");
	refused("<ColorCorrectionCollection/>", "", "no ColorCorrection");
	refused(CC(""), "", "neither");
	refused(CC(SOP("1 1 x", "0 0 0", "1 1 1")), "", "\"x\"");
	refused(CC(SOP("1 1 nan", "0 0 0", "1 1 1")), "", "nan");
	refused(CC(SOP("1 1 1 1", "0 0 0", "1 1 1")), "", "3 numbers");
	refused(CC(SOP("1 1 -1", "0 0 0", "1 1 1")), "", "slope");
	refused(CC(SOP("1 1 1", "0 0 0", "1 0 1")), "", "power");
	refused(CC("<SatNode><Saturation>-1</Saturation></SatNode>"), "", "saturation");
	refused("<ColorCorrectionCollection>" CC("<SatNode/>") CC("<SatNode/>") "</ColorCorrectionCollection>", "a", "two");
	refused("<!DOCTYPE x [<!ENTITY a \"1\"><!ENTITY b \"&a;&a;\">]>" CC(SOP("&b; 1 1", "0 0 0", "1 1 1")), "", "DOCTYPE");
	refused("<!DOCTYPE ColorCorrection SYSTEM \"/etc/passwd\">" CC("<SatNode/>"), "", "DOCTYPE");
	test_ok(cdl_load("/nonexistent.cdl", "", &v, &e) < 0 && e.code == E_INPUT && strstr(e.msg, "/nonexistent.cdl"),
	        "cdl names the file that is not there");
	TEST_END();
}
