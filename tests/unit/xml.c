/* xml - scenes: loading, references, errors with lines, formatting, patching.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <math.h>
#include <sys/stat.h>

#include "scene_mock.h"

static const struct load_opts opts = { .host = &mock_host };

static struct scene *load(const char *text, struct diags *d)
{
	return scene_load("t.xml", text, strlen(text), &opts, d);
}

static void write_file(const char *name, const char *text)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", test_tmp(), name);
	FILE *f = fopen(path, "w");
	fputs(text, f);
	fclose(f);
}

static struct scene *load_file(const char *name, const struct load_opts *o, struct diags *d)
{
	char path[300];
	snprintf(path, sizeof path, "%s/%s", test_tmp(), name);
	return scene_load(path, NULL, 0, o, d);
}

static const char whole[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<graph version=\"1\" name=\"coffee\" fps=\"23.976\" picture_locked=\"yes\">\n"
	"  <script file=\"mock.lua\"/>\n"
	"  <param name=\"amount\" type=\"float\" value=\"0.03\" min=\"0\" max=\"1\" doc=\"strength\"/>\n"
	"  <mwrite id=\"master\" in=\"look\" file=\"out/x_{rev}.mov\"/>\n"
	"  <mread id=\"plate\" file=\"a &amp; &amp;amp; &#38; &lt;&#x62;.mp4\"/>\n"
	"  <pass id=\"look\" kind=\"look\" keep=\"always\" depth=\"half\">\n"
	"    <mblur id=\"one\" in=\"plate\" sigma=\"{amount * 2}\"/>\n"
	"    <mblur id=\"two\"\n"
	"           filter=\"box\" mix=\"0.5\" mask=\"plate\">\n"
	"      <animate param=\"sigma\"><key frame=\"1\" value=\"0\"/>\n"
	"        <key frame=\"48\" value=\"2.5\" ease=\"bezier\" bezier=\"0.4 0 0.2 1\"/></animate>\n"
	"    </mblur>\n"
	"  </pass>\n"
	"  <mlist id=\"sum\" in=\"plate look plate\"/>\n"
	"  <waive rule=\"grain-last\" node=\"two\" reason=\"a test\"/>\n"
	"</graph>\n";

#define HASH "0123456789abcdef0123456789abcdef"

static void loading(void)
{
	struct diags d = { 0 };
	struct scene *s = load(whole, &d);
	test_ok(s && d.n == 0, "a whole scene loads without findings (%s)", mock_first(&d));
	test_ok(!strcmp(s->name, "coffee") && s->fps.num == 24000 && s->fps.den == 1001 && s->picture_locked,
	        "graph attributes");
	test_ok(!strcmp(s->working, "acescg") && !strcmp(s->dir, "."), "defaults of the graph");
	test_ok(s->nelem == 5 && s->npass == 1 && s->nparam == 1 && s->nscript == 1 && s->nwaive == 1, "counts");
	struct elem *w = scene_elem(s, "master"), *two = scene_elem(s, "two"), *sum = scene_elem(s, "sum");
	test_ok(!strcmp(w->ref[0].target, "two"), "a pass id means its result");
	test_ok(two->nref == 2 && two->ref[0].implied && !strcmp(two->ref[0].target, "one") &&
	        !strcmp(two->ref[1].slot, "mask"), "in= left out is the node before");
	test_ok(two->line == 9 && two->attr[0].line == 10, "lines of elements and attributes (%d, %d)", two->line,
	        two->attr[0].line);
	test_ok(two->nanim == 1 && two->anim[0].nkey == 2 && two->anim[0].key[1].ease == EASE_BEZIER &&
	        two->anim[0].key[1].bezier[2] == 0.2, "animation");
	test_ok(sum->nref == 3 && sum->ref[2].index == 2 && !strcmp(sum->ref[1].target, "two"), "a list slot");
	test_ok(scene_pass(s, "look")->depth[0] == 'h' && !scene_elem(s, "look") && !scene_elem(s, "nix"), "passes by id");
	test_ok(!strcmp(scene_elem(s, "plate")->attr[0].value, "a & &amp; & <b.mp4"), "entities of XML itself are read");
	scene_free(&s);
	diags_free(&d);
}

/* One broken scene: some finding must be at the line and say part. */
static void broken(int line, const char *part, const char *text)
{
	struct diags d = { 0 };
	struct scene *s = load(text, &d);
	bool all_errors = true;
	for (size_t i = 0; i < d.n; i++)
		all_errors &= d.v[i].level == DIAG_ERROR && d.v[i].msg[0];
	test_ok(d.n > 0 && all_errors && mock_found(&d, line, part) && diags_status(&d) != E_OK,
	        "bad scene, line %d: %s (%s)", line, part, mock_found(&d, line, part) ? "" : mock_first(&d));
	scene_free(&s);
	diags_free(&d);
}

#define PLATE "<mread id=\"p\" file=\"x\"/>"

static void bad_structure(void)
{
	broken(0, "is empty", "");
	broken(0, "is empty", " \n ");
	broken(0, "not a scene", "hello");
	broken(0, "outermost element", "<scene version=\"1\"/>");
	broken(0, "\"version\" is missing", "<graph/>");
	broken(1, "reads version 1", "<graph version=\"2\"/>");
	broken(1, "no namespace", "<graph xmlns=\"http://x\" version=\"1\"/>");
	broken(0, "not UTF-8", "<graph version=\"1\" name=\"\xff\"/>");
	broken(0, "declared encoding", "<?xml version=\"1.0\" encoding=\"UTF-16\"?><graph version=\"1\"/>");
	broken(2, "not well-formed", "<graph version=\"1\">\n<a></b></graph>");
	broken(1, "DOCTYPE", "<!DOCTYPE g [<!ENTITY a \"b\">]><graph version=\"1\" name=\"&a;\"/>");
	broken(1, "DOCTYPE", "<!DOCTYPE g [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><graph version=\"1\">&x;</graph>");
	broken(1, "DOCTYPE", "<!DOCTYPE graph SYSTEM \"http://127.0.0.1:1/x.dtd\"><graph version=\"1\"/>");
	broken(1, "not defined", "<graph version=\"1\" name=\"&nope;\"/>");
	broken(1, "linear", "<graph version=\"1\" working=\"acescct\"/>");
	broken(1, "did you mean \"acescg\"", "<graph version=\"1\" working=\"acesgc\"/>");
	broken(1, "fps=\"fast\"", "<graph version=\"1\" fps=\"fast\"/>");
	broken(1, "unknown attribute \"nmae\"", "<graph version=\"1\" nmae=\"x\"/>");
	broken(3, "text between elements", SCENE("stray " PLATE));
	broken(3, "unknown element <mbluur>", SCENE("<mbluur id=\"b\" in=\"b\"/>"));
	broken(3, "did you mean \"mblur\"", SCENE("<mbluur id=\"b\" in=\"b\"/>"));
	broken(3, "unknown element <mhidden>", SCENE("<mhidden id=\"b\" in=\"b\"/>"));
	broken(3, "\"by\" is missing", SCENE("<approve pass=\"look\" role=\"r\" hash=\"" HASH "\"/>"));
	broken(3, "expected 32 hexadecimal digits", SCENE("<approve pass=\"look\" by=\"a\" role=\"r\" hash=\"12\"/>"));
	broken(3, "role=\"\"", SCENE("<approve pass=\"look\" by=\"a\" role=\" \" hash=\"" HASH "\"/>"));
	broken(4, "has approved this pass already, at line 3", SCENE("<approve shot=\"s\" pass=\"look\" by=\"a\" role=\"r\" hash=\"" HASH "\"/>\n"
	                                                            "<approve pass=\"look\" by=\"b\" role=\"r\" hash=\"" HASH "\" shot=\"s\"/>"));
	broken(3, "cannot stand inside", SCENE("<pass id=\"q\">" PLATE "<approve pass=\"q\" by=\"a\" role=\"r\" hash=\"" HASH "\"/></pass>"));
	broken(3, "cannot stand inside", SCENE("<pass id=\"q\"><param name=\"x\" type=\"int\" value=\"1\"/></pass>"));
	broken(3, "the pass is empty", SCENE("<pass id=\"q\"/>"));
	broken(3, "did you mean \"look\"", SCENE("<pass id=\"q\" kind=\"loook\">" PLATE "</pass>"));
	broken(3, "out=\"r\"", SCENE("<pass id=\"q\" out=\"r\">" PLATE "</pass>"));
	broken(3, "no such script", SCENE("<script file=\"other.lua\"/>"));
	broken(3, "\"choices\" is missing", SCENE("<param name=\"x\" type=\"enum\" value=\"1\"/>"));
	broken(3, "out of range 0..1", SCENE("<param name=\"x\" type=\"float\" value=\"2\" min=\"0\" max=\"1\"/>"));
	broken(4, "already, at line 3", SCENE("<param name=\"x\" type=\"int\" value=\"2\"/>\n"
	                                      "<param name=\"x\" type=\"int\" value=\"3\"/>"));
	broken(3, "no word of Lua", SCENE("<param name=\"end\" type=\"int\" value=\"2\"/>"));
	broken(3, "\"reason\" is missing", SCENE("<waive rule=\"x\"/>"));
}

static void bad_references(void)
{
	broken(3, "\"id\" is missing", SCENE("<mread file=\"x\"/>"));
	broken(3, "an id is letters", SCENE("<mread id=\"1a\" file=\"x\"/>"));
	broken(4, "taken by <mread> at line 3", SCENE(PLATE "\n" PLATE));
	broken(4, "no node or pass", SCENE(PLATE "\n<mblur id=\"b\" in=\"plat\"/>"));
	broken(4, "did you mean \"plate\"", SCENE("<mread id=\"plate\" file=\"x\"/>\n<mblur id=\"b\" in=\"plat\"/>"));
	broken(3, "\"in\" is missing", SCENE("<mblur id=\"b\"/>"));
	broken(3, "nothing comes before it", SCENE("<pass id=\"q\"><mblur id=\"b\"/></pass>"));
	broken(3, "write in=", SCENE(PLATE "<mblur id=\"b\" image=\"p\"/>"));
	broken(3, "\"over\" is missing", SCENE(PLATE "<mmerge id=\"b\" in=\"p\"/>"));
	broken(3, "expected one id", SCENE(PLATE "<mblur id=\"b\" in=\"p p\"/>"));
	broken(3, "has no image", SCENE(PLATE "<mwrite id=\"w\" in=\"p\" file=\"o\"/><mblur id=\"b\" in=\"w\"/>"));
	broken(4, "inside pass \"q\", whose result is \"b\"",
	       SCENE("<pass id=\"q\">" PLATE "<mblur id=\"b\"/></pass>\n<mblur id=\"c\" in=\"p\"/>"));
	broken(3, "its own pass", SCENE("<pass id=\"q\"><mblur id=\"b\" in=\"q\"/></pass>"));
	broken(3, "cannot be read here", SCENE(PLATE "<output id=\"o\" in=\"p\"/><mblur id=\"b\" in=\"o\"/>"));
	broken(3, "is no <use>", SCENE(PLATE "<mblur id=\"b\" in=\"p.x\"/>"));
	broken(3, "a cycle: a reads b reads a", SCENE("<mblur id=\"a\" in=\"b\"/><mblur id=\"b\" in=\"a\"/>"));
	broken(3, "a cycle: a reads a", SCENE("<mblur id=\"a\" in=\"a\"/>"));
	broken(3, "a cycle", SCENE(PLATE "<mblur id=\"a\" in=\"p\" mask=\"b\"/><mblur id=\"b\" in=\"a\"/>"));
	broken(3, "no node or pass", SCENE("<waive rule=\"x\" node=\"y\" reason=\"z\"/>"));
}

static void bad_values(void)
{
	broken(3, "out of range 0..500 pixels", SCENE(PLATE "<mblur id=\"b\" in=\"p\" sigma=\"-1\"/>"));
	broken(4, "sigma=\"x\"", SCENE(PLATE "<mblur id=\"b\" in=\"p\"\nsigma=\"x\"/>"));
	broken(3, "did you mean lanczos3", SCENE(PLATE "<mblur id=\"b\" in=\"p\" filter=\"lanzcos3\"/>"));
	broken(3, "did you mean \"sigma\"", SCENE(PLATE "<mblur id=\"b\" in=\"p\" sigm=\"1\"/>"));
	broken(3, "\"file\" is missing: the clip", SCENE("<mread id=\"p\"/>"));
	broken(3, "unknown attribute \"mix\"", SCENE("<mread id=\"p\" file=\"x\" mix=\"1\"/>"));
	broken(3, "without '}'", SCENE(PLATE "<mblur id=\"b\" in=\"p\" sigma=\"{1\"/>"));
	broken(3, "without '{'", SCENE(PLATE "<mblur id=\"b\" in=\"p\" note=\"a}b\"/>"));
	broken(3, "nothing in it", SCENE(PLATE "<mblur id=\"b\" in=\"p\" note=\"{ }\"/>"));
	broken(3, "only strings and paths", SCENE(PLATE "<mblur id=\"b\" in=\"p\" sigma=\"1{x}\"/>"));
#define ANIM(x) SCENE(PLATE "<mblur id=\"b\" in=\"p\" on=\"no\">\n" x "</mblur>")
#define KEY(f, v) "<key frame=\"" f "\" value=\"" v "\"/>"
	broken(4, "did you mean \"sigma\"", ANIM("<animate param=\"sigm\">" KEY("1", "0") "</animate>"));
	broken(4, "cannot be animated", ANIM("<animate param=\"filter\">" KEY("1", "box") "</animate>"));
	broken(4, "both an attribute and animated", ANIM("<animate param=\"on\">" KEY("1", "yes") "</animate>"));
	broken(4, "has no <key>", ANIM("<animate param=\"sigma\"/>"));
	broken(4, "keys must ascend", ANIM("<animate param=\"sigma\">" KEY("1", "0") KEY("1", "2") "</animate>"));
	broken(4, "keys must ascend", ANIM("<animate param=\"sigma\">" KEY("3", "0") KEY("1", "2") "</animate>"));
	broken(4, "out of range", ANIM("<animate param=\"sigma\">" KEY("3", "-1") "</animate>"));
	broken(4, "all percent", ANIM("<animate param=\"len\">" KEY("3", "1") KEY("4", "1%h") "</animate>"));
	broken(4, "expected a frame number", ANIM("<animate param=\"sigma\">" KEY("x", "1") "</animate>"));
	broken(4, "not one of linear", ANIM("<animate param=\"sigma\"><key frame=\"1\" value=\"1\" ease=\"soft\"/></animate>"));
	broken(4, "needs its two points",
	       ANIM("<animate param=\"sigma\"><key frame=\"1\" value=\"1\" ease=\"bezier\"/></animate>"));
	broken(4, "animated twice", ANIM("<animate param=\"sigma\">" KEY("1", "1") "</animate><animate param=\"sigma\">"
	                                 KEY("1", "1") "</animate>"));
	broken(4, "only <animate>", ANIM("<mblur/>"));
	struct diags d = { 0 };
	struct scene *s = load(SCENE(PLATE "<mblur id=\"b\" in=\"p\" note=\"{{a}} {x} {{\" sigma=\"{f(\"}\")}\"/>"), &d);
	test_ok(!s && d.n, "a quote within an attribute is XML's affair");
	diags_free(&d);
	s = load(SCENE(PLATE "<mblur id=\"b\" in=\"p\" note=\"{{a}} {x} {{\" sigma=\"{f('}', {1})}\"/>"), &d);
	test_ok(s && d.n == 0, "braces: literal, nested, quoted (%s)", mock_first(&d));
	scene_free(&s);
	diags_free(&d);
}

static void several(void)
{
	struct diags d = { 0 };
	struct scene *s = load(SCENE(PLATE "\n<mblur id=\"p\" in=\"x\" sigma=\"-1\" sigm=\"2\"/>\n<nix/>\n"
	                             "<mblur id=\"q\" in=\"q\" filter=\"y\"/>"), &d);
	test_ok(s && mock_found(&d, 4, "taken by") && mock_found(&d, 4, "no node or pass") &&
	        mock_found(&d, 4, "out of range") && mock_found(&d, 4, "unknown attribute") &&
	        mock_found(&d, 5, "unknown element") && mock_found(&d, 6, "a cycle") && mock_found(&d, 6, "not one of"),
	        "all errors of a file at once (%zu)", d.n);
	scene_free(&s);
	diags_free(&d);
	s = load(SCENE("<nix id=\"n\"/><mblur id=\"b\" in=\"n\"/>"), &d);
	test_ok(d.n == 1, "an unknown element causes no findings about its id (%zu)", d.n);
	scene_free(&s);
	diags_free(&d);
	s = scene_load("/nonexistent/s.xml", NULL, 0, &opts, &d);
	test_ok(!s && mock_found(&d, 0, "No such file") && diags_status(&d) == E_SCENE, "a missing file");
	diags_free(&d);
	s = scene_load("/tmp", NULL, 0, &opts, &d);
	test_ok(!s && mock_found(&d, 0, "is a folder"), "a folder");
	diags_free(&d);
	s = scene_load("t.xml", SCENE(""), strlen(SCENE("")), NULL, &d);
	test_ok(s && mock_found(&d, 2, "scripts cannot be run"), "without a host scripts are errors");
	scene_free(&s);
	diags_free(&d);
}


/* --- formatting --- */

/* One line per fact of a scene: equal text, equal meaning. */
static char *meaning(const struct scene *s)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);
	fprintf(f, "%s %s %d/%d %d %s\n", s->name, s->working, s->fps.num, s->fps.den, s->picture_locked, s->sequence);
	for (int i = 0; i < s->nparam; i++)
		fprintf(f, "param %s %d %s %a %a\n", s->param[i].name, s->param[i].type, s->param[i].doc, s->param[i].min,
		        s->param[i].max);
	for (int i = 0; i < s->npass; i++)
		fprintf(f, "pass %s %s %s %s %s\n", s->pass[i].id, s->pass[i].kind, s->pass[i].keep, s->pass[i].depth,
		        s->pass[i].out);
	struct arena *a = arena_new();
	for (int i = 0; i < s->nelem; i++) {
		const struct elem *el = &s->elem[i];
		fprintf(f, "%s %s %d\n", el->tag, el->id, el->pass);
		for (int k = 0; k < el->nref; k++)
			fprintf(f, " %s %d %s\n", el->ref[k].slot, el->ref[k].index, el->ref[k].target);
		for (const struct param *p = el->type ? el->type->params : NULL; p && p->name; p++)
			for (int k = 0; k < el->nattr; k++) {
				struct value v = { 0 };
				if (strcmp(el->attr[k].name, p->name))
					continue;
				if (strpbrk(el->attr[k].value, "{}"))
					fprintf(f, " %s %s\n", p->name, el->attr[k].value);
				else if (value_parse(p, el->attr[k].value, a, &v, NULL) == 0)
					fprintf(f, " %s %a %a %a %d %s %d %a\n", p->name, v.v[0], v.v[1], v.v[2], v.percent_h,
					        v.s ? v.s : "", v.curve ? v.curve->n : 0, v.curve ? v.curve->y[1] : 0);
			}
		for (int k = 0; k < el->nanim; k++)
			for (int j = 0; j < el->anim[k].nkey; j++)
				fprintf(f, " %s %a %g %d\n", el->anim[k].param, el->anim[k].key[j].frame,
				        atof(el->anim[k].key[j].value), el->anim[k].key[j].ease);
	}
	arena_free(&a);
	fclose(f);
	return out;
}

static void formats(const char *name, const char *file, const char *text)
{
	struct diags d = { 0 };
	char *one = scene_fmt(file, text, strlen(text), &opts, &d);
	size_t found = d.n;
	char *two = one ? scene_fmt(file, one, strlen(one), &opts, &d) : NULL;
	test_ok(one && two && strcmp(one, two) == 0 && d.n == 2 * found, "fmt twice changes nothing: %s", name);
	struct scene *s = scene_load(file, text, strlen(text), &opts, &d);
	struct scene *t = one ? scene_load(file, one, strlen(one), &opts, &d) : NULL;
	char *ms = s ? meaning(s) : NULL, *mt = t ? meaning(t) : NULL;
	test_ok(ms && mt && strcmp(ms, mt) == 0, "fmt keeps the meaning: %s", name);
	size_t wide = 0, at = 0;
	for (const char *c = one; c && *c; c++) {
		at = *c == '\n' ? 0 : at + 1;
		wide = at > wide ? at : wide;
	}
	test_ok(wide <= 120, "fmt keeps to 120 columns: %s (%zu)", name, wide);
	free(ms);
	free(mt);
	scene_free(&s);
	scene_free(&t);
	free(one);
	free(two);
	diags_free(&d);
}

static const char messy[] =
	"<graph name=\"t\"\r\n   version='1'><!-- beside -->\r\n\r\n\r\n\r\n"
	"<script file=\"mock.lua\"></script><mread file='it&apos;s \"x\" &lt;' id=\"p\"/> <!-- the plate -->\n"
	"  <!-- above\n       two lines -->\n\n\n<pass id=\"q\">\n\n\n"
	"<mblur sigma=\"2.50\" col=\"#FF0080\" note=\"a\" off=\"1\" mix=\"0.50\" tone=\"0,0 1.0,1\" filter=\"box\" len=\"02%h\" on=\"true\" id=\"a_rather_long_name\" in=\"p\"/>\n"
	"<mblur id=\"b\" mask=\" p \"><animate param=\"sigma\"><key value=\"0.0\" frame=\"1.0\"/>\n"
	"   <key frame=\"2\" ease=\"smooth\" value=\"1e1\"/></animate><animate param=\"off\"><!-- why -->"
	"<key frame=\"1\" value=\"1 2\"/></animate></mblur>\n\n</pass><?note kept?>\n<mlist id=\"l\" in=\"p  q\"/></graph>\n<!-- end -->";

static const char clean[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<graph version=\"1\" name=\"t\"> <!-- beside -->\n\n"
	"  <script file=\"mock.lua\"/>\n"
	"  <mread id=\"p\" file=\"it's &quot;x&quot; &lt;\"/> <!-- the plate -->\n"
	"  <!-- above\n       two lines -->\n\n"
	"  <pass id=\"q\">\n"
	"    <mblur id=\"a_rather_long_name\" in=\"p\" sigma=\"2.5\" filter=\"box\" off=\"1 1\" col=\"#ff0080\" len=\"2%h\" on=\"yes\"\n"
	"           tone=\"0,0 1,1\" note=\"a\" mix=\"0.5\"/>\n"
	"    <mblur id=\"b\" in=\"a_rather_long_name\" mask=\"p\">\n"
	"      <animate param=\"sigma\"><key frame=\"1\" value=\"0\"/><key frame=\"2\" value=\"10\" ease=\"smooth\"/></animate>\n"
	"      <animate param=\"off\"> <!-- why -->\n"
	"        <key frame=\"1\" value=\"1 2\"/>\n"
	"      </animate>\n"
	"    </mblur>\n"
	"  </pass>\n"
	"  <?note kept?>\n"
	"  <mlist id=\"l\" in=\"p q\"/>\n"
	"</graph>\n"
	"<!-- end -->\n";

static void formatting(void)
{
	struct diags d = { 0 };
	char *out = scene_fmt("t.xml", messy, strlen(messy), &opts, &d);
	test_ok(out && d.n == 0 && strcmp(out, clean) == 0, "fmt: the canonical form (%s)", mock_first(&d));
	if (out && strcmp(out, clean))
		printf("%s", out);
	free(out);
	formats("messy", "t.xml", messy);
	formats("whole", "t.xml", whole);
	const char *bad = SCENE(PLATE "<mblur sigma=\"x\" foo=\"1\" id=\"b\" in=\"q\"/>");
	out = scene_fmt("t.xml", bad, strlen(bad), &opts, &d);
	test_ok(out && d.n && strstr(out, "<mblur id=\"b\" in=\"q\" sigma=\"x\" foo=\"1\"/>"),
	        "fmt: what is wrong is kept, unknown attributes last");
	free(out);
	bad = "<graph xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
	      "xsi:noNamespaceSchemaLocation=\"a.xsd\" version=\"1\"/>";
	diags_free(&d);
	out = scene_fmt("t.xml", bad, strlen(bad), &opts, &d);
	test_ok(out && d.n == 0 && strstr(out, "XMLSchema-instance\" xsi:noNamespaceSchemaLocation=\"a.xsd\"/>"),
	        "fmt: a schema named for editors stays (%s)", mock_first(&d));
	free(out);
	bad = SCENE("stray " PLATE);
	out = scene_fmt("t.xml", bad, strlen(bad), &opts, &d);
	test_ok(!out, "fmt: refuses text between elements");
	diags_free(&d);
}

/* --- patching --- */

static void patched(const char *name, const char *text, const char *id, const struct attr *at, int n, const char *want)
{
	struct err e = ERR_INIT;
	char *out = scene_patch(text, strlen(text), id, at, n, &e);
	test_ok(out && strcmp(out, want) == 0, "patch: %s", name);
	if (!out || strcmp(out, want))
		printf("%s", out ? out : e.msg);
	free(out);
}

static void patching(void)
{
	const struct attr one = { "slope", "1 2 3", 0 }, two[] = { { "slope", "2", 0 }, { "solved", "a\"<'", 0 } };
	const struct attr gone = { "slope", NULL, 0 };
	patched("replaces", "<g><!-- id=\"a\" --><m\n id='a'  slope = '1'/></g>", "a", &one, 1,
	        "<g><!-- id=\"a\" --><m\n id='a'  slope = '1 2 3'/></g>");
	patched("adds", "<g><m id=\"a\"/><m id=\"b\" ></m></g>", "b", two, 2,
	        "<g><m id=\"a\"/><m id=\"b\" slope=\"2\" solved=\"a&quot;&lt;'\" ></m></g>");
	patched("removes", "<g><m id=\"a\"\n  slope=\"1\" x=\"2\"/></g>", "a", &gone, 1, "<g><m id=\"a\" x=\"2\"/></g>");
	patched("replaces within single quotes", "<g><m id=\"a\" solved='x'/></g>", "a", two, 2,
	        "<g><m id=\"a\" solved='a&quot;&lt;&#39;' slope=\"2\"/></g>");
	patched("use, empty", "<g>\n  <use id=\"u\" graph=\"x\" />\n</g>", "u.n", &one, 1,
	        "<g>\n  <use id=\"u\" graph=\"x\">\n    <set node=\"n\" slope=\"1 2 3\"/>\n  </use>\n</g>");
	patched("use, with a set", "<g>\n\t<use id=\"u\">\n\t\t<set node=\"n\" a=\"1\"/>\n\t</use>\n</g>", "u.n", &one, 1,
	        "<g>\n\t<use id=\"u\">\n\t\t<set node=\"n\" a=\"1\" slope=\"1 2 3\"/>\n\t</use>\n</g>");
	patched("use, with another's set", "<g>\n  <use id=\"u\">\n    <set node=\"m\"/>\n  </use>\n  <use id=\"v\"><set node=\"n\"/>"
	        "</use></g>", "u.n", &one, 1,
	        "<g>\n  <use id=\"u\">\n    <set node=\"m\"/>\n    <set node=\"n\" slope=\"1 2 3\"/>\n  </use>\n  <use id=\"v\">"
	        "<set node=\"n\"/></use></g>");
	patched("use within a use", "<g>\n<use id=\"u\"></use></g>", "u.v.n", &one, 1,
	        "<g>\n<use id=\"u\">\n  <set node=\"v.n\" slope=\"1 2 3\"/>\n</use></g>");
	struct err e = ERR_INIT;
	test_ok(!scene_patch("<g/>", 4, "x", &one, 1, &e) && strstr(e.msg, "no element with id \"x\""), "patch: no such id");
	test_ok(!scene_patch("<g", 2, "x", &one, 1, &e) && strstr(e.msg, "cannot be changed"), "patch: broken text");
}

/* --- use --- */

static void using(void)
{
	static const char inner[] =
		"<graph version=\"1\"><script file=\"mock.lua\"/><input id=\"plate\"/><input id=\"matte\"/>"
		"<param name=\"soft\" type=\"float\" value=\"1\" min=\"0\" max=\"9\"/>"
		"<pass id=\"q\"><mblur id=\"a\" in=\"plate\" mask=\"matte\"><animate param=\"sigma\"><key frame=\"1\" value=\"1\"/>"
		"</animate></mblur></pass><output id=\"result\" in=\"q\"/>";
	write_file("in.xml", SCENE(""));
	char buf[1000];
	snprintf(buf, sizeof buf, "%s</graph>", inner);
	write_file("one.xml", buf);
	snprintf(buf, sizeof buf, "%s<output id=\"raw\" in=\"plate\"/></graph>", inner);
	write_file("two.xml", buf);
	write_file("ring.xml", "<graph version=\"1\"><use id=\"u\" graph=\"ring2.xml\"/></graph>");
	write_file("ring2.xml", "<graph version=\"1\"><use id=\"u\" graph=\"./ring.xml\"/></graph>");
	write_file("wrong.xml", "<graph version=\"1\">\n<nix/></graph>");
	write_file("fan.xml", "<graph version=\"1\"><use id=\"a\" graph=\"wrong.xml\"/><use id=\"b\" graph=\"wrong.xml\"/></graph>");
#define USE(attrs, body) SCENE(PLATE "\n<use id=\"u\" graph=\"" attrs "\">" body "</use>")
	static const struct { const char *text, *part; } bad[] = {
		{ USE("one.xml", ""), "\"plate\" is missing" },
		{ USE("one.xml\" plate=\"p\" matte=\"x", ""), "no node or pass" },
		{ USE("one.xml\" plate=\"p\" matte=\"p\" sotf=\"1", ""), "did you mean \"soft\"" },
		{ USE("one.xml\" plate=\"p\" matte=\"p\" soft=\"10", ""), "out of range 0..9" },
		{ USE("one.xml\" plate=\"p\" matte=\"p", "<set node=\"b\" sigma=\"1\"/>"), "no node \"b\"" },
		{ USE("one.xml\" plate=\"p\" matte=\"p", "<set node=\"a\" sigm=\"1\"/>"), "did you mean \"sigma\"" },
		{ USE("one.xml\" plate=\"p\" matte=\"p", "<set node=\"a\" sigma=\"-1\"/>"), "out of range" },
		{ USE("one.xml\" plate=\"p\" matte=\"p", "<animate/>"), "only <set>" },
		{ USE("none.xml", ""), "No such file" },
		{ USE("ring.xml", ""), "ring.xml uses" },
		{ USE("wrong.xml", ""), "unknown element <nix>" },
		{ USE("two.xml\" plate=\"p\" matte=\"p", "") , "" },
	};
	for (size_t i = 0; i < IN_COUNT(bad); i++) {
		struct diags d = { 0 };
		write_file("t.xml", bad[i].text);
		struct scene *s = load_file("t.xml", &opts, &d);
		test_ok(bad[i].part[0] ? mock_found(&d, 0, bad[i].part) : d.n == 0, "use: %s (%s)",
		        bad[i].part[0] ? bad[i].part : "no fault", mock_first(&d));
		scene_free(&s);
		diags_free(&d);
	}
	static const struct { const char *in, *part; } reads[] = {
		{ "u", "several outputs: u.result u.raw" }, { "u.raw", "" }, { "u.a", "no such output; there is u.result u.raw" }
	};
	for (size_t i = 0; i < IN_COUNT(reads); i++) {
		struct diags d = { 0 };
		snprintf(buf, sizeof buf, "<graph version=\"1\"><script file=\"mock.lua\"/>" PLATE "<use id=\"u\" graph=\"two.xml\" "
		         "plate=\"p\" matte=\"p\"/><mblur id=\"b\" in=\"%s\"/></graph>", reads[i].in);
		write_file("t.xml", buf);
		struct scene *s = load_file("t.xml", &opts, &d);
		test_ok(reads[i].part[0] ? mock_found(&d, 0, reads[i].part) : d.n == 0, "reading a use: in=\"%s\" (%s)",
		        reads[i].in, mock_first(&d));
		scene_free(&s);
		diags_free(&d);
	}
}

static void using_right(void)
{
	struct diags d = { 0 };
	const char *text = USE("one.xml\" plate=\"p\" matte=\"p\" soft=\"2.0", "<set sigma=\"3.0\" node=\"a\"/>");
	write_file("t.xml", text);
	struct scene *s = load_file("t.xml", &opts, &d);
	struct elem *u = s ? scene_elem(s, "u") : NULL;
	test_ok(u && d.n == 0 && u->used && u->nref == 2 && u->nattr == 1 && u->nset == 1 && u->set[0].nattr == 1,
	        "use: inputs, parameters, sets (%s)", mock_first(&d));
	test_ok(u && scene_elem(u->used, "a")->nanim == 0, "use: a set is stronger than the graph's animation");
	test_ok(u && u->used->dir[0] == '/' && !strcmp(u->used->output[0].node, "a"), "use: its folder, its output");
	scene_free(&s);
	diags_free(&d);
	struct attr sets[] = { { "u.soft", "5", 0 } };
	struct load_opts o = { &mock_host, sets, 1 };
	s = load_file("t.xml", &o, &d);
	u = scene_elem(s, "u");
	test_ok(d.n == 0 && u->nattr == 0 && !strcmp(u->used->param[0].value, "5"), "--set u.soft is stronger than the use's");
	scene_free(&s);
	for (int i = 0; i < 3; i++) {
		sets[0] = (struct attr){ i == 0 ? "u.sotf" : i == 1 ? "v.soft" : "u.soft", "50", 0 };
		s = load_file("t.xml", &o, &d);
		test_ok(mock_found(&d, 0, i == 2 ? "out of range" : "has no parameter") && diags_status(&d) == E_USAGE,
		        "--set %s=50 is refused (%s)", sets[0].name, mock_first(&d));
		scene_free(&s);
		diags_free(&d);
	}
	s = load_file("fan.xml", &opts, &d);
	test_ok(d.n == 1 && mock_found(&d, 2, "unknown element") && strstr(d.v[0].file, "wrong.xml"),
	        "use: a finding in a graph used twice is told once (%zu)", d.n);
	scene_free(&s);
	char path[300];
	snprintf(path, sizeof path, "%s/t.xml", test_tmp());
	formats("use", path, text);
	diags_free(&d);
	char *out = scene_fmt(path, text, strlen(text), &opts, &d);
	test_ok(out && strstr(out, "soft=\"2\">\n    <set node=\"a\" sigma=\"3\"/>"), "fmt: use and set");
	free(out);
	diags_free(&d);
	snprintf(path, sizeof path, "rm -r %s", test_tmp());
	if (system(path))
		return;
}

/* --- size --- */

static void large(void)
{
	char *text = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&text, &n);
	fprintf(f, "<graph version=\"1\"><script file=\"mock.lua\"/><mread id=\"n0\" file=\"x\"/>\n");
	for (int i = 1; i < 100000; i++)
		fprintf(f, "<mblur id=\"n%d\" in=\"n%d\"/>\n", i, i - 1);
	fprintf(f, "</graph>");
	fclose(f);
	struct diags d = { 0 };
	struct scene *s = load(text, &d);
	test_ok(s && d.n == 0 && s->nelem == 100000 && s->elem[99999].line == 100000, "a chain of 100000 nodes (line %d)",
	        s->elem[99999].line);
	scene_free(&s);
	free(text);
	f = open_memstream(&text, &n);
	fprintf(f, "<graph version=\"1\" name=\"%0*d\"/>", 70000, 1);
	fclose(f);
	s = load(text, &d);
	test_ok(!s && mock_found(&d, 1, "too long: 70000 bytes"), "an attribute of 70000 bytes");
	diags_free(&d);
	free(text);
	f = open_memstream(&text, &n);
	fprintf(f, "<graph version=\"1\"");
	for (int i = 0; i < 300000; i++)
		fprintf(f, " a%d=\"\"", i);
	fprintf(f, "/>");
	fclose(f);
	s = load(text, &d);
	test_ok(!s && mock_found(&d, 1, "too many attributes"), "an element of 300000 attributes");
	diags_free(&d);
	free(text);
	f = open_memstream(&text, &n);
	for (int i = 0; i < 100000; i++)
		fprintf(f, "<graph>");
	fclose(f);
	s = load(text, &d);
	test_ok(!s && mock_found(&d, 1, "nested too deeply"), "100000 nested elements (%s)", mock_first(&d));
	diags_free(&d);
	free(text);
}

int main(void)
{
	loading();
	bad_structure();
	bad_references();
	bad_values();
	several();
	formatting();
	patching();
	using();
	using_right();
	large();
	xmlCleanupParser();
	TEST_END();
}
