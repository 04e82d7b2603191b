/* schema_rng - the scene language as RELAX NG, from the registry.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "mathx.h"
#include "xml.h"

void schema_escape(FILE *f, const char *s)
{
	for (; *s; s++) {
		const char *e = *s == '&' ? "&amp;" : *s == '<' ? "&lt;" : *s == '>' ? "&gt;" : *s == '"'
			? "&quot;" : NULL;
		if (e)
			fputs(e, f);
		else
			fputc(*s == '\n' || *s == '\t' ? ' ' : *s, f);
	}
}

const char *schema_graph_name(const struct scene *s, const struct scene *used)
{
	size_t n = strlen(s->dir);
	bool below = strcmp(s->dir, ".") != 0 && strncmp(used->file, s->dir, n) == 0 &&
		used->file[n] == '/';
	return below ? used->file + n + 1 : used->file;
}

bool schema_first_use(const struct scene *s, int elem)
{
	const struct scene *used = s->elem[elem].used;
	for (int i = 0; used && i < elem; i++)
		if (s->elem[i].used && strcmp(s->elem[i].used->file, used->file) == 0)
			return false;
	return used != NULL;
}

const char *schema_doc(const struct param *p, char *buf, size_t n)
{
	char range[128];
	struct arena *a = arena_new();
	struct value v;
	const char *def = value_default(p, a, &v) == 0 ? value_print(p, &v, a) : "";
	bool number = p->type == PT_FLOAT || p->type == PT_INT || p->type == PT_LENGTH ||
		p->type == PT_VEC;
	param_range(p, range, sizeof range);
	snprintf(buf, n, "%s%s%s%s%s%s", p->doc ? p->doc : "", number || def[0] ? " (" : "",
	         number ? range : "",
	         number && def[0] ? "; " : "", def[0] ? "unless given: " : "", def[0] ? def : "");
	if (number || def[0])
		snprintf(buf + strlen(buf), n - strlen(buf), ")");
	arena_free(&a);
	return buf;
}

static void data_pattern(FILE *f, const char *pattern)
{
	fprintf(f, "<data type=\"string\"><param name=\"pattern\">%s</param></data>", pattern);
}

static void data_number(FILE *f, const struct param *p)
{
	char text[40];
	fprintf(f, "<data type=\"%s\">", p->type == PT_INT ? "integer" : "double");
	for (int i = 0; i < 2; i++)
		if (isfinite(i ? p->max : p->min)) {
			mx_print(i ? p->max : p->min, text);
			fprintf(f, "<param name=\"%s\">%s</param>", i ? "maxInclusive" : "minInclusive", text);
		}
	fputs("</data>", f);
}

static void data_choices(FILE *f, const char *choices)
{
	for (const char *c = choices; *c;) {
		size_t n = strcspn(c, "|");
		fprintf(f, "<value>%.*s</value>", (int)n, c);
		c += n + (c[n] == '|');
	}
}

/* The literal values of p, as members of a <choice>. */
static void put_value(FILE *f, const struct param *p)
{
	switch (p->type) {
	case PT_FLOAT: case PT_INT:
		data_number(f, p);
		break;
	case PT_LENGTH:
		data_number(f, p);
		data_pattern(f, SCHEMA_NUM "%h");
		break;
	case PT_BOOL:
		data_choices(f, "yes|no|true|false|1|0");
		break;
	case PT_ENUM:
		data_choices(f, p->choices);
		if (p->flags & PF_WAS_BOOL) data_choices(f, "yes|no");
		break;
	case PT_COLOUR: case PT_VEC:
		data_number(f, p);
		fputs("<list>", f);
		for (int i = 0; i < p->n; i++)
			data_number(f, p);
		fputs("</list>", f);
		if (p->type == PT_COLOUR)
			data_pattern(f, "#[0-9a-fA-F]{6}");
		break;
	case PT_CURVE:
		fputs("<list><zeroOrMore>", f);
		data_pattern(f, SCHEMA_NUM "," SCHEMA_NUM);
		fputs("</zeroOrMore></list>", f);
		break;
	default:
		for (int i = 0; p->flags & PF_SPACE && i < colour_count(); i++)
			fprintf(f, "<value>%s</value>", colour_name(i));
		fputs(p->flags & PF_REQUIRED ? "<data type=\"string\"><param "
		                               "name=\"minLength\">1</param></data>" : "<text/>", f);
		break;
	}
}

static void put_doc(FILE *f, const char *doc)
{
	fputs("<a:documentation>", f);
	schema_escape(f, doc);
	fputs("</a:documentation>", f);
}

static void put_key(FILE *f, const char *owner, const struct param *p)
{
	fprintf(f, "  <define name=\"%s.%s.keys\"><element name=\"animate\"><attribute "
	           "name=\"param\"><value>%s</value>"
	        "</attribute>\n    <oneOrMore><element name=\"key\"><attribute name=\"frame\"><data "
	        "type=\"double\"/></attribute>"
	        "<attribute name=\"value\"><choice><ref name=\"expr.\"/><ref "
	        "name=\"%s.%s.value\"/></choice></attribute>"
	        "<ref name=\"ease.\"/></element></oneOrMore></element></define>\n", owner, p->name,
	        p->name, owner, p->name);
}

static void put_param(FILE *f, const char *owner, const struct param *p)
{
	char doc[600];
	fprintf(f, "  <define name=\"%s.%s.value\"><choice>", owner, p->name);
	put_value(f, p);
	fprintf(f, "</choice></define>\n  <define name=\"%s.%s\"><attribute name=\"%s\">", owner,
	        p->name, p->name);
	put_doc(f, schema_doc(p, doc, sizeof doc));
	fprintf(f, "<choice><ref name=\"expr.\"/><ref "
	           "name=\"%s.%s.value\"/></choice></attribute></define>\n", owner, p->name);
	if (!(p->flags & PF_STATIC))
		put_key(f, owner, p);
}

static void put_table(FILE *f, const char *owner, const struct param *table, const char *what)
{
	for (const struct param *p = table; p && p->name; p++)
		if (strcmp(what, "defines") == 0)
			put_param(f, owner, p);
		else if (strcmp(what, "keys") == 0 && !(p->flags & PF_STATIC))
			fprintf(f, "<ref name=\"%s.%s.keys\"/>", owner, p->name);
		else if (strcmp(what, "params") == 0 && (p->flags & PF_REQUIRED) && (p->flags & PF_STATIC))
			fprintf(f, "<ref name=\"%s.%s\"/>", owner, p->name);
		else if (strcmp(what, "keys") != 0)
			fprintf(f, "<optional><ref name=\"%s.%s\"/></optional>", owner, p->name);
}

static void put_type_table(FILE *f, const struct node_type *t, const char *what)
{
	put_table(f, t->name, t->params, what);
	if (t->flags & NF_MASKED)
		put_table(f, "common.", node_common_params, what);
}

static void put_slots(FILE *f, const struct node_type *t, bool in_pass)
{
	struct slot slot[NODE_MAX_SLOTS];
	int n = node_slots(t, slot);
	for (int i = 0; i < n; i++) {
		bool first = strcmp(slot[i].name, "image") == 0, optional = slot[i].optional ||
			(first && in_pass);
		fprintf(f, "%s<attribute name=\"%s\"><ref name=\"%s\"/></attribute>%s",
		        optional ? "<optional>" : "",
		        slot_attr(&slot[i]), slot[i].list ? "refs." : "ref.", optional ? "</optional>" : "");
	}
}

static bool any_animated(const struct node_type *t)
{
	bool any = (t->flags & NF_MASKED) != 0;
	for (const struct param *p = t->params; p && p->name; p++)
		any |= !(p->flags & PF_STATIC);
	return any;
}

static void put_type(FILE *f, const struct node_type *t)
{
	put_table(f, t->name, t->params, "defines");
	fprintf(f, "  <define name=\"%s.params\"><empty/>", t->name);
	put_type_table(f, t, "params");
	fprintf(f, "</define>\n  <define name=\"%s.set\"><empty/>", t->name);
	put_type_table(f, t, "set");
	fprintf(f, "</define>\n  <define name=\"%s.children\"><empty/>", t->name);
	if (any_animated(t)) {
		fputs("<zeroOrMore><choice>", f);
		put_type_table(f, t, "keys");
		fputs("</choice></zeroOrMore>", f);
	}
	fputs("</define>\n", f);
	for (int in_pass = 0; in_pass < 2; in_pass++) {
		fprintf(f, "  <define name=\"%s%s\"><element name=\"%s\">", t->name, in_pass ? ".inner" : "",
		        t->name);
		put_doc(f, t->doc ? t->doc : "");
		fputs("<ref name=\"id.\"/>", f);
		put_slots(f, t, in_pass);
		fprintf(f, "<ref name=\"%s.params\"/><ref name=\"%s.children\"/></element></define>\n", t->name,
		        t->name);
	}
}

/* --- use --- */

static void put_sets(FILE *f, const struct scene *used, const char *prefix, int depth)
{
	for (int i = 0; i < used->nelem; i++) {
		const struct elem *el = &used->elem[i];
		char path[400];
		snprintf(path, sizeof path, "%.200s%.100s", prefix, el->id);
		if (el->type)
			fprintf(f, "      <element name=\"set\"><attribute name=\"node\"><value>%s</value></attribute>"
			        "<ref name=\"%s.set\"/></element>\n", path, el->type->name);
		else if (el->used && depth < 8) {
			strcat(path, ".");
			put_sets(f, el->used, path, depth + 1);
		}
	}
}

static bool any_set(const struct scene *used)
{
	for (int i = 0; i < used->nelem; i++)
		if (used->elem[i].type || (used->elem[i].used && any_set(used->elem[i].used)))
			return true;
	return false;
}

static void put_face(FILE *f, const struct scene *s, const struct scene *used)
{
	fputs("    <element name=\"use\"><ref name=\"id.\"/><attribute name=\"graph\"><value>", f);
	schema_escape(f, schema_graph_name(s, used));
	fputs("</value></attribute>", f);
	for (int i = 0; i < used->nelem; i++)
		if (elem_is_input(&used->elem[i]))
			fprintf(f, "<attribute name=\"%s\"><ref name=\"ref.\"/></attribute>", used->elem[i].id);
	for (int i = 0; i < used->nparam; i++) {
		struct param p;
		char doc[600];
		sparam_declare(&used->param[i], &p);
		snprintf(doc, sizeof doc, "%.400s (unless given: %.150s)", p.doc, used->param[i].value);
		fprintf(f, "<optional><attribute name=\"%s\">", p.name);
		put_doc(f, doc);
		fputs("<choice><ref name=\"expr.\"/>", f);
		put_value(f, &p);
		fputs("</choice></attribute></optional>", f);
	}
	if (any_set(used)) {
		fputs("<zeroOrMore><choice>\n", f);
		put_sets(f, used, "", 0);
		fputs("    </choice></zeroOrMore>", f);
	}
	fputs("</element>\n", f);
}

static bool any_use(const struct scene *s)
{
	for (int i = 0; s && i < s->nelem; i++)
		if (s->elem[i].used)
			return true;
	return false;
}

static void put_use(FILE *f, const struct scene *s)
{
	static const char free_use[] =
		"    <element name=\"use\"><a:documentation>Another graph, as one node.</a:documentation>"
		"<ref name=\"id.\"/><attribute name=\"graph\"/>\n"
		"      <zeroOrMore><attribute><anyName><except><name>id</name><name>graph</name></except></anyName></attribute>"
		"</zeroOrMore>\n      <zeroOrMore><element name=\"set\"><attribute name=\"node\"/>"
		"<zeroOrMore><attribute><anyName><except><name>node</name></except></anyName></attribute></zeroOrMore>"
		"</element></zeroOrMore></element>\n";
	fputs("  <define name=\"use.\"><choice>\n", f);
	for (int i = 0; s && i < s->nelem; i++)
		if (schema_first_use(s, i))
			put_face(f, s, s->elem[i].used);
	if (!any_use(s))
		fputs(free_use, f);
	fputs("  </choice></define>\n", f);
}

/* --- the rest --- */

static const char head[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<grammar xmlns=\"http://relaxng.org/ns/structure/1.0\" "
	"xmlns:a=\"http://relaxng.org/ns/compatibility/annotations/1.0\"\n"
	"         datatypeLibrary=\"http://www.w3.org/2001/XMLSchema-datatypes\">\n"
	"  <start><ref name=\"graph.\"/></start>\n"
	"  <define name=\"id.\"><attribute name=\"id\"><data type=\"ID\"><param "
	"name=\"pattern\">" SCHEMA_ID
	"</param></data></attribute></define>\n"
	"  <define name=\"ref.\"><data type=\"token\"><param "
	"name=\"pattern\">" SCHEMA_ID "(\\." SCHEMA_ID ")?"
	"</param></data></define>\n"
	"  <define name=\"refs.\"><list><oneOrMore><ref name=\"ref.\"/></oneOrMore></list></define>\n"
	"  <define name=\"expr.\"><data type=\"string\"><param "
	"name=\"pattern\">" SCHEMA_EXPR "</param></data></define>\n"
	"  <define name=\"ease.\"><choice><optional><attribute name=\"ease\"><a:documentation>how the "
	"value arrives at this "
	"key</a:documentation><choice><value>linear</value><value>smooth</value><value>hold</value></choice></attribute>"
	"</optional>\n"
	"    <group><attribute name=\"ease\"><value>bezier</value></attribute><attribute "
	"name=\"bezier\"><list>"
	"<data type=\"double\"/><data type=\"double\"/><data type=\"double\"/><data "
	"type=\"double\"/></list></attribute>"
	"</group></choice></define>\n";

static const char middle[] =
	"  <define name=\"face.\"><choice>\n"
	"    <element name=\"param\"><a:documentation>A parameter of this graph, for expressions, --set "
	"and use."
	"</a:documentation>\n"
	"      <attribute name=\"name\"><data type=\"token\"><param "
	"name=\"pattern\">[A-Za-z_][A-Za-z0-9_]*</param></data>"
	"</attribute>\n"
	"      <attribute "
	"name=\"type\"><choice><value>float</value><value>int</value><value>bool</value><value>enum</value>"
	"<value>string</value><value>path</value><value>colour</value><value>vector</value><value>length</value>"
	"<value>curve</value></choice></attribute>\n"
	"      <attribute name=\"value\"/><optional><attribute name=\"doc\"/></optional>"
	"<optional><attribute name=\"min\"><data type=\"double\"/></attribute></optional>"
	"<optional><attribute name=\"max\"><data type=\"double\"/></attribute></optional>"
	"<optional><attribute name=\"choices\"/></optional></element>\n"
	"    <element name=\"input\"><a:documentation>An image that a use of this graph "
	"feeds.</a:documentation>"
	"<ref name=\"id.\"/></element>\n"
	"    <element name=\"output\"><a:documentation>An image that a use of this graph "
	"gives.</a:documentation>"
	"<ref name=\"id.\"/><attribute name=\"in\"><ref name=\"ref.\"/></attribute></element>\n"
	"    <element name=\"script\"><a:documentation>Lua nodes and rules from a file.</a:documentation>"
	"<attribute name=\"file\"/><optional><attribute name=\"sha256\"><data type=\"string\"><param "
	"name=\"pattern\">"
	"[0-9a-fA-F]{64}</param></data></attribute></optional></element>\n"
	"    <element name=\"waive\"><a:documentation>Waives one finding of a rule; waivers are "
	"reported.</a:documentation>"
	"<attribute name=\"rule\"/><attribute name=\"reason\"><data type=\"string\"><param "
	"name=\"minLength\">1</param></data>"
	"</attribute><optional><attribute name=\"node\"/></optional></element>\n"
	"    <element name=\"approve\"><a:documentation>Somebody has approved a pass of a shot, or the picture; void as soon as its "
	"pixels change.</a:documentation><optional><attribute name=\"shot\"/></optional>\n"
	"      <attribute name=\"pass\"/><attribute name=\"by\"/><attribute name=\"role\"/><attribute name=\"hash\"><data "
	"type=\"string\"><param name=\"pattern\">[0-9a-f]{32}</param></data></attribute>\n"
	"      <optional><attribute name=\"note\"/></optional></element>\n"
	"    <element name=\"reference\"><a:documentation>A still that shots are looked at beside: who somebody is, how it is lit, "
	"through which lens.</a:documentation>\n"
	"      <attribute name=\"kind\"><choice><value>identity</value><value>light</value><value>lens</value></choice></attribute>"
	"<attribute name=\"file\"/>\n"
	"      <optional><attribute name=\"shot\"/></optional><optional><attribute name=\"note\"/></optional></element>\n"
	"  </choice></define>\n"
	"  <define name=\"pass.attrs\"><ref name=\"id.\"/>\n"
	"    <optional><attribute "
	"name=\"kind\"><choice><value>geometry</value><value>cleanup</value><value>detail</value>"
	"<value>motion</value><value>neutral</value><value>look</value><value>integrate</value><value>deliver</value>"
	"<value></value></choice></attribute></optional>\n"
	"    <optional><attribute name=\"keep\"><a:documentation>whether its result is written to "
	"disk</a:documentation><choice>"
	"<value>auto</value><value>always</value><value>never</value></choice></attribute></optional>\n"
	"    <optional><attribute "
	"name=\"depth\"><choice><value>float</value><value>half</value></choice></attribute></optional>\n"
	"    <optional><attribute name=\"path\"/></optional><optional><attribute name=\"out\"><ref "
	"name=\"ref.\"/></attribute>"
	"</optional><optional><attribute name=\"note\"/></optional></define>\n"
	"  <define name=\"graph.attrs\"><attribute name=\"version\"><value>1</value></attribute>\n"
	"    <optional><attribute name=\"name\"/></optional>\n"
	"    <optional><attribute name=\"fps\"><data type=\"string\"><param "
	"name=\"pattern\">[0-9]+(\\.[0-9]+|/[0-9]+)?</param>"
	"</data></attribute></optional>\n"
	"    <optional><attribute name=\"working\"/></optional><optional><attribute "
	"name=\"sequence\"/></optional><optional><attribute name=\"ocio\"/></optional>\n"
	"    <optional><attribute "
	"name=\"picture_locked\"><choice><value>yes</value><value>no</value></choice></attribute>"
	"</optional>\n"
	"    <optional><attribute name=\"noNamespaceSchemaLocation\" "
	"ns=\"http://www.w3.org/2001/XMLSchema-instance\"/>"
	"</optional></define>\n";

void schema_rng(FILE *f, const struct registry *reg, const struct scene *s)
{
	int n;
	const struct node_type **all = registry_all(reg, &n);
	fputs(head, f);
	put_table(f, "common.", node_common_params, "defines");
	for (int i = 0; i < n; i++)
		put_type(f, all[i]);
	put_use(f, s);
	fputs(middle, f);
	fputs("  <define name=\"graph.\"><element name=\"graph\"><ref "
	      "name=\"graph.attrs\"/><zeroOrMore><choice>\n"
	      "    <ref name=\"face.\"/><ref name=\"use.\"/><ref name=\"pass.\"/>\n", f);
	for (int i = 0; i < n; i++)
		fprintf(f, "    <ref name=\"%s\"/>\n", all[i]->name);
	fputs("  </choice></zeroOrMore></element></define>\n"
	      "  <define name=\"pass.\"><element name=\"pass\"><ref "
	      "name=\"pass.attrs\"/><oneOrMore><choice>\n"
	      "    <ref name=\"use.\"/>\n", f);
	for (int i = 0; i < n; i++)
		fprintf(f, "    <ref name=\"%s.inner\"/>\n", all[i]->name);
	fputs("  </choice></oneOrMore></element></define>\n</grammar>\n", f);
	free(all);
}
