/* schema - RELAX NG and XSD from the registry, judged by libxml2's validators; the reference of nodes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <libxml/xmlschemas.h>
#include <libxml/xmlschemastypes.h>
#include <unistd.h>

#include "docs.h"
#include "schema.h"
#include "scene_mock.h"

static void quiet(void *user, xmlErrorPtr e)
{
	(void)user;
	(void)e;
}

struct judges { xmlRelaxNGPtr rng; xmlSchemaPtr xsd; };

static char *printed(void (*print)(FILE *, const struct registry *, const struct scene *), const struct registry *r,
                     const struct scene *s, size_t *n)
{
	char *out = NULL;
	FILE *f = open_memstream(&out, n);
	print(f, r, s);
	fclose(f);
	return out;
}

static struct judges judges_of(const struct registry *r, const struct scene *s, const char *name)
{
	struct judges j = { 0 };
	size_t nr, nx;
	char *rng = printed(schema_rng, r, s, &nr), *xsd = printed(schema_xsd, r, s, &nx);
	xmlRelaxNGParserCtxtPtr rp = xmlRelaxNGNewMemParserCtxt(rng, (int)nr);
	xmlSchemaParserCtxtPtr xp = xmlSchemaNewMemParserCtxt(xsd, (int)nx);
	j.rng = xmlRelaxNGParse(rp);
	j.xsd = xmlSchemaParse(xp);
	xmlRelaxNGFreeParserCtxt(rp);
	xmlSchemaFreeParserCtxt(xp);
	test_ok(j.rng != NULL, "RELAX NG is one: %s", name);
	test_ok(j.xsd != NULL, "XSD is one: %s", name);
	free(rng);
	free(xsd);
	return j;
}

static void judges_free(struct judges *j)
{
	xmlRelaxNGFree(j->rng);
	xmlSchemaFree(j->xsd);
}

static int rng_says(const struct judges *j, const char *text)
{
	xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), "t.xml", NULL, XML_PARSE_NONET);
	xmlRelaxNGValidCtxtPtr v = xmlRelaxNGNewValidCtxt(j->rng);
	xmlRelaxNGSetValidStructuredErrors(v, quiet, NULL);
	int rc = doc ? xmlRelaxNGValidateDoc(v, doc) : -1;
	xmlRelaxNGFreeValidCtxt(v);
	xmlFreeDoc(doc);
	return rc;
}

static int xsd_says(const struct judges *j, const char *text)
{
	xmlDocPtr doc = xmlReadMemory(text, (int)strlen(text), "t.xml", NULL, XML_PARSE_NONET);
	xmlSchemaValidCtxtPtr v = xmlSchemaNewValidCtxt(j->xsd);
	xmlSchemaSetValidStructuredErrors(v, quiet, NULL);
	int rc = doc ? xmlSchemaValidateDoc(v, doc) : -1;
	xmlSchemaFreeValidCtxt(v);
	xmlFreeDoc(doc);
	return rc;
}

#define PLATE "<mread id=\"p\" file=\"x\"/>"
#define BLUR(attrs) SCENE(PLATE "<mblur id=\"b\" in=\"p\" " attrs "/>")

/* The part of a scene that a test is about, on one line. */
static const char *brief(const char *text)
{
	static char out[110];
	const char *body = strstr(text, "/>\n");
	body = body ? body + 3 : text;
	snprintf(out, sizeof out, "%.*s", (int)strcspn(body, "\n"), body);
	return out;
}

static void accepts(const struct judges *j, const char *text)
{
	int r = rng_says(j, text), x = xsd_says(j, text);
	test_ok(r == 0 && x == 0, "valid: %s%s%s", brief(text), r ? " [rng]" : "", x ? " [xsd]" : "");
}

static void refuses(const struct judges *j, const char *text)
{
	int r = rng_says(j, text), x = xsd_says(j, text);
	test_ok(r > 0 && x > 0, "invalid: %s%s%s", brief(text), r ? "" : " [rng]", x ? "" : " [xsd]");
}

static void values(const struct judges *j)
{
	accepts(j, SCENE(""));
	accepts(j, BLUR(""));
	accepts(j, "<graph version=\"1\" xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" "
	        "xsi:noNamespaceSchemaLocation=\"a.xsd\"/>");
	accepts(j, BLUR("sigma=\"0.5\" filter=\"box\" off=\"1 -2\" col=\"1 0.5 0\" len=\"2.5%h\" on=\"yes\" tone=\"0,0 .5,.6 1,1\""));
	accepts(j, BLUR("sigma=\"{frame / 2}\" filter=\"{x}\" off=\"{a}\" col=\"#ff0080\" len=\"12\" tone=\"{c}\" note=\"a {b} c\""));
	accepts(j, BLUR("off=\"3\" col=\"0.5\" tone=\"\" note=\"\" mix=\"0.5\" mask_invert=\"true\" mask=\"p\""));
	accepts(j, SCENE(PLATE "<mlist id=\"l\" in=\"p p p\"/><output id=\"o\" in=\"l\"/><input id=\"i\"/>"));
	accepts(j, SCENE("<pass id=\"q\" kind=\"look\" keep=\"always\" depth=\"half\">" PLATE "<mblur id=\"b\"><animate "
	                 "param=\"sigma\"><key frame=\"1\" value=\"0\"/><key frame=\"2.5\" value=\"1\" ease=\"bezier\" "
	                 "bezier=\"0 0 1 1\"/></animate><animate param=\"mix\"><key frame=\"1\" value=\"0\" ease=\"hold\"/>"
	                 "</animate></mblur></pass>"));
	accepts(j, SCENE("<param name=\"a\" type=\"float\" value=\"1\" min=\"0\" max=\"2\" doc=\"d\"/>"
	                 "<waive rule=\"r\" node=\"n\" reason=\"s\"/><mwrite id=\"w\" in=\"a.b\" file=\"o_{rev}.mov\"/>" PLATE));
	accepts(j, SCENE(PLATE "<approve pass=\"q\" by=\"A\" role=\"r\" hash=\"0123456789abcdef0123456789abcdef\" shot=\"s\" note=\"n\"/>"));
	refuses(j, SCENE(PLATE "<approve pass=\"q\" by=\"A\" role=\"r\"/>"));
	refuses(j, SCENE(PLATE "<approve pass=\"q\" by=\"A\" role=\"r\" hash=\"12\"/>"));
	refuses(j, BLUR("sigma=\"-1\""));
	refuses(j, BLUR("sigma=\"501\""));
	refuses(j, BLUR("sigma=\"x\""));
	refuses(j, BLUR("sigma=\"{x\""));
	refuses(j, BLUR("sigm=\"1\""));
	refuses(j, BLUR("filter=\"bax\""));
	refuses(j, BLUR("off=\"1 2 3\""));
	refuses(j, BLUR("off=\"1 99\""));
	refuses(j, BLUR("col=\"#12345\""));
	refuses(j, BLUR("col=\"1 2\""));
	refuses(j, BLUR("len=\"2%\""));
	refuses(j, BLUR("len=\"-2\""));
	refuses(j, BLUR("on=\"maybe\""));
	refuses(j, BLUR("tone=\"0,0 1\""));
	refuses(j, BLUR("mix=\"2\""));
	refuses(j, SCENE(PLATE "<mblur id=\"b\"/>"));
	refuses(j, SCENE(PLATE "<mblur in=\"p\"/>"));
	refuses(j, SCENE("<mread id=\"p\"/>"));
	refuses(j, SCENE("<mread id=\"1p\" file=\"x\"/>"));
	refuses(j, SCENE(PLATE PLATE));
	refuses(j, SCENE("<mread id=\"p\" file=\"x\" mix=\"1\"/>"));
	refuses(j, SCENE("<mhidden id=\"p\" in=\"p\"/>"));
	refuses(j, SCENE("<mblurr id=\"p\" in=\"p\"/>"));
	refuses(j, SCENE("<pass id=\"q\" kind=\"lok\">" PLATE "</pass>"));
	refuses(j, SCENE("<pass id=\"q\"/>"));
	refuses(j, SCENE(PLATE "<mlist id=\"l\" in=\"\"/>"));
	refuses(j, SCENE(PLATE "<mblur id=\"b\" in=\"p\"><animate param=\"filter\"><key frame=\"1\" value=\"box\"/></animate></mblur>"));
	refuses(j, SCENE(PLATE "<mblur id=\"b\" in=\"p\"><animate param=\"sigma\"/></mblur>"));
	refuses(j, SCENE("<param name=\"a-b\" type=\"float\" value=\"1\"/>"));
	refuses(j, "<graph version=\"2\"/>");
	refuses(j, "<graph/>");
	test_ok(rng_says(j, SCENE(PLATE "<mblur id=\"b\" in=\"p\"><animate param=\"sigma\"><key frame=\"1\" value=\"-1\"/>"
	                          "</animate></mblur>")) > 0, "RELAX NG knows the range of a key's value");
}

static void faces(const char *dir)
{
	char path[300];
	static const char inner[] =
		"<graph version=\"1\"><script file=\"mock.lua\"/><input id=\"plate\"/>"
		"<param name=\"soft\" type=\"float\" value=\"1\" min=\"0\" max=\"9\" doc=\"how &lt;soft>\"/>"
		"<mblur id=\"a\" in=\"plate\"/><output id=\"o\" in=\"a\"/></graph>";
	static const char outer[] = SCENE(PLATE "<use id=\"u\" graph=\"in.xml\" plate=\"p\"/>");
	struct diags d = { 0 };
	struct load_opts o = { .host = &mock_host };
	snprintf(path, sizeof path, "%s/in.xml", dir);
	FILE *f = fopen(path, "w");
	fputs(inner, f);
	fclose(f);
	snprintf(path, sizeof path, "%s/t.xml", dir);
	struct scene *s = scene_load(path, outer, strlen(outer), &o, &d);
	test_ok(s && d.n == 0, "a scene with a use (%s)", mock_first(&d));
	struct judges j = judges_of(s->reg, s, "of a scene with a use");
	accepts(&j, outer);
	accepts(&j, SCENE(PLATE "<use id=\"u\" graph=\"in.xml\" plate=\"p\" soft=\"{1}\"><set node=\"a\" sigma=\"2\"/></use>"));
	refuses(&j, SCENE(PLATE "<use id=\"u\" graph=\"in.xml\" plate=\"p\" soft=\"10\"/>"));
	refuses(&j, SCENE(PLATE "<use id=\"u\" graph=\"in.xml\" plate=\"p\" sotf=\"1\"/>"));
	refuses(&j, SCENE(PLATE "<use id=\"u\" graph=\"in.xml\" plate=\"p\"><set sigma=\"2\"/></use>"));
	static const char *const rng_only[] = {
		SCENE(PLATE "<use id=\"u\" graph=\"in.xml\"/>"), SCENE(PLATE "<use id=\"u\" graph=\"none.xml\" plate=\"p\"/>"),
		SCENE(PLATE "<use id=\"u\" graph=\"in.xml\" plate=\"p\"><set node=\"b\" sigma=\"2\"/></use>"),
		SCENE(PLATE "<use id=\"u\" graph=\"in.xml\" plate=\"p\"><set node=\"a\" sigma=\"-2\"/></use>"),
	};
	for (size_t i = 0; i < IN_COUNT(rng_only); i++)
		test_ok(rng_says(&j, rng_only[i]) > 0, "RELAX NG knows faces: %s", brief(strstr(rng_only[i], "<use")));
	judges_free(&j);
	scene_free(&s);
	diags_free(&d);
	snprintf(path, sizeof path, "%s/in.xml", dir);
	unlink(path);
	rmdir(dir);
}

static void docs(const struct registry *r)
{
	char *out = NULL;
	size_t n = 0;
	FILE *f = open_memstream(&out, &n);
	docs_node(f, &mock_types[1]);
	fclose(f);
	static const char *const parts[] = {
		"mblur", "Blurs.", "Twice over.", "in", "mask", "sigma", "0..500 pixels", "gauss box lanczos3", "width of the blur",
		"2%h", "mix", "<mblur id=\"soft\"", "blur", "optional"
	};
	for (size_t i = 0; i < IN_COUNT(parts); i++)
		test_ok(strstr(out, parts[i]) != NULL, "the reference of a node says: %s", parts[i]);
	free(out);
	f = open_memstream(&out, &n);
	docs_list(f, r);
	fclose(f);
	test_ok(strstr(out, "mblur") && strstr(out, "Reads a mock clip.") && !strstr(out, "mhidden"), "the list of nodes");
	free(out);
	f = open_memstream(&out, &n);
	docs_json(f, r);
	fclose(f);
	test_ok(out[0] == '[' && strstr(out, "{\"name\":\"sigma\",\"type\":\"float\",\"default\":\"1\",\"range\":\"0..500 pixels\"") &&
	        strstr(out, "\"choices\":\"gauss|box|lanczos3\"") && !strstr(out, "mhidden"), "the reference as JSON");
	free(out);
	f = open_memstream(&out, &n);
	docs_markdown(f, r);
	fclose(f);
	test_ok(strstr(out, "### mblur") && strstr(out, "| `sigma` |") && strstr(out, "```xml") && !strstr(out, "mhidden"),
	        "the reference page");
	free(out);
}

int main(void)
{
	struct registry r = { 0 };
	struct err e = ERR_INIT;
	for (size_t i = 0; i < IN_COUNT(mock_types); i++)
		test_ok(registry_add(&r, &mock_types[i], &e) == 0, "register %s", mock_types[i].name);
	test_ok(registry_add(&r, &mock_types[0], &e) < 0 && strstr(e.msg, "already"), "a name is registered once");
	struct node_type bad = mock_types[0];
	bad.name = "pass";
	test_ok(registry_add(&r, &bad, &e) < 0, "words of the language are no node names");
	struct judges j = judges_of(&r, NULL, "of the registry");
	values(&j);
	judges_free(&j);
	docs(&r);
	faces(test_tmp());
	free(r.extra);
	xmlRelaxNGCleanupTypes();
	xmlSchemaCleanupTypes();
	xmlCleanupParser();
	TEST_END();
}
