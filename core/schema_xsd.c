/* schema_xsd - the scene language as XML Schema 1.0, from the registry.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "schema.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "mathx.h"
#include "xml.h"

static void put_doc(FILE *f, const char *doc)
{
	fputs("<xs:annotation><xs:documentation>", f);
	schema_escape(f, doc);
	fputs("</xs:documentation></xs:annotation>", f);
}

static void type_number(FILE *f, const struct param *p)
{
	char text[40];
	fprintf(f, "<xs:simpleType><xs:restriction base=\"xs:%s\">",
	        p->type == PT_INT ? "integer" : "double");
	for (int i = 0; i < 2; i++)
		if (isfinite(i ? p->max : p->min)) {
			mx_print(i ? p->max : p->min, text);
			fprintf(f, "<xs:%s value=\"%s\"/>", i ? "maxInclusive" : "minInclusive", text);
		}
	fputs("</xs:restriction></xs:simpleType>", f);
}

static void type_pattern(FILE *f, const char *pattern)
{
	fprintf(f, "<xs:simpleType><xs:restriction base=\"xs:string\"><xs:pattern "
	           "value=\"%s\"/></xs:restriction>"
	        "</xs:simpleType>", pattern);
}

static void type_choices(FILE *f, const char *choices)
{
	fputs("<xs:simpleType><xs:restriction base=\"xs:string\">", f);
	for (const char *c = choices; *c;) {
		size_t n = strcspn(c, "|");
		fprintf(f, "<xs:enumeration value=\"%.*s\"/>", (int)n, c);
		c += n + (c[n] == '|');
	}
	fputs("</xs:restriction></xs:simpleType>", f);
}

/* Beside any text: what an editor offers. */
static void type_spaces(FILE *f)
{
	fputs("<xs:simpleType><xs:restriction base=\"xs:string\">", f);
	for (int i = 0; i < colour_count(); i++) fprintf(f, "<xs:enumeration value=\"%s\"/>", colour_name(i));
	fputs("</xs:restriction></xs:simpleType>", f);
}

static void type_vector(FILE *f, const struct param *p)
{
	type_number(f, p);
	fputs("<xs:simpleType><xs:restriction><xs:simpleType><xs:list>", f);
	type_number(f, p);
	fprintf(f, "</xs:list></xs:simpleType><xs:length "
	           "value=\"%d\"/></xs:restriction></xs:simpleType>", p->n);
	if (p->type == PT_COLOUR)
		type_pattern(f, "#[0-9a-fA-F]{6}");
}

/* A union of an expression and the literal values of p. */
static void put_type(FILE *f, const struct param *p)
{
	fputs("<xs:simpleType><xs:union memberTypes=\"expr.\">", f);
	switch (p->type) {
	case PT_FLOAT: case PT_INT:
		type_number(f, p);
		break;
	case PT_LENGTH:
		type_number(f, p);
		type_pattern(f, SCHEMA_NUM "%h");
		break;
	case PT_BOOL:
		type_choices(f, "yes|no|true|false|1|0");
		break;
	case PT_ENUM:
		type_choices(f, p->choices);
		if (p->flags & PF_WAS_BOOL) type_choices(f, "yes|no");
		break;
	case PT_COLOUR: case PT_VEC:
		type_vector(f, p);
		break;
	case PT_CURVE:
		fputs("<xs:simpleType><xs:list>", f);
		type_pattern(f, SCHEMA_NUM "," SCHEMA_NUM);
		fputs("</xs:list></xs:simpleType>", f);
		break;
	default:
		if (p->flags & PF_SPACE) type_spaces(f);
		fprintf(f, "<xs:simpleType><xs:restriction base=\"xs:string\"><xs:minLength "
		           "value=\"%d\"/></xs:restriction>"
		        "</xs:simpleType>", p->flags & PF_REQUIRED ? 1 : 0);
		break;
	}
	fputs("</xs:union></xs:simpleType>", f);
}

static void put_param(FILE *f, const struct param *p)
{
	char doc[600];
	struct arena *a = arena_new();
	struct value v;
	const char *def = value_default(p, a, &v) == 0 ? value_print(p, &v, a) : "";
	bool must = (p->flags & PF_REQUIRED) && (p->flags & PF_STATIC);
	fprintf(f, "    <xs:attribute name=\"%s\"", p->name);
	if (def[0] && !(p->flags & PF_REQUIRED)) {
		fputs(" default=\"", f);
		schema_escape(f, def);
		fputs("\"", f);
	}
	fprintf(f, "%s>", must ? " use=\"required\"" : "");
	put_doc(f, schema_doc(p, doc, sizeof doc));
	put_type(f, p);
	fputs("</xs:attribute>\n", f);
	arena_free(&a);
}

static void animated_names(FILE *f, const struct param *table)
{
	for (const struct param *p = table; p && p->name; p++)
		if (!(p->flags & PF_STATIC))
			fprintf(f, "<xs:enumeration value=\"%s\"/>", p->name);
}

static bool any_animated(const struct node_type *t)
{
	bool any = (t->flags & NF_MASKED) != 0;
	for (const struct param *p = t->params; p && p->name; p++)
		any |= !(p->flags & PF_STATIC);
	return any;
}

static void put_animate(FILE *f, const struct node_type *t)
{
	fputs("    <xs:sequence><xs:element name=\"animate\" minOccurs=\"0\" "
	      "maxOccurs=\"unbounded\"><xs:complexType>"
	      "<xs:sequence>\n      <xs:element name=\"key\" type=\"key.\" "
	      "maxOccurs=\"unbounded\"/></xs:sequence>\n      "
	      "<xs:attribute name=\"param\" use=\"required\"><xs:simpleType><xs:restriction "
	      "base=\"xs:string\">", f);
	animated_names(f, t->params);
	if (t->flags & NF_MASKED)
		animated_names(f, node_common_params);
	fputs("</xs:restriction></xs:simpleType></xs:attribute></xs:complexType></xs:element></xs:sequence>\n", f);
}

static void put_node(FILE *f, const struct node_type *t)
{
	struct slot slot[NODE_MAX_SLOTS];
	int n = node_slots(t, slot);
	fprintf(f, "  <xs:attributeGroup name=\"%s.params\">\n", t->name);
	for (const struct param *p = t->params; p && p->name; p++)
		put_param(f, p);
	fputs("  </xs:attributeGroup>\n", f);
	for (int in_pass = 0; in_pass < 2; in_pass++) {
		fprintf(f, "  <xs:complexType name=\"%s%s\">", t->name, in_pass ? ".inner" : "");
		put_doc(f, t->doc ? t->doc : "");
		fputs("\n", f);
		if (any_animated(t))
			put_animate(f, t);
		fputs("    <xs:attribute name=\"id\" type=\"id.\" use=\"required\"/>\n", f);
		for (int i = 0; i < n; i++) {
			bool first = strcmp(slot[i].name, "image") == 0, optional = slot[i].optional ||
				(first && in_pass);
			fprintf(f, "    <xs:attribute name=\"%s\" type=\"%s\"%s/>\n", slot_attr(&slot[i]),
			        slot[i].list ? "refs." : "ref.", optional ? "" : " use=\"required\"");
		}
		fprintf(f, "    <xs:attributeGroup ref=\"%s.params\"/>\n", t->name);
		if (t->flags & NF_MASKED)
			fputs("    <xs:attributeGroup ref=\"common..params\"/>\n", f);
		fputs("  </xs:complexType>\n", f);
	}
}

/* --- use: the union of the faces, each name once --- */

static const struct elem *face_input(const struct scene *used, const char *name)
{
	const struct elem *el = scene_elem(used, name);
	return el && elem_is_input(el) ? el : NULL;
}

/* Do all used graphs that have `name` in their face declare it alike? */
static bool same_everywhere(const struct scene *s, const char *name, const struct sparam *like)
{
	for (int i = 0; i < s->nelem; i++) {
		const struct scene *used = s->elem[i].used;
		const struct sparam *sp = used ? scene_sparam(used, name) : NULL;
		if (used && ((like && face_input(used, name)) || (!like && sp)))
			return false;
		if (sp && like && (sp->type != like->type || sp->min != like->min || sp->max != like->max ||
		                   strcmp(sp->choices ? sp->choices : "", like->choices ? like->choices : "")))
			return false;
	}
	return true;
}

static bool face_before(const struct scene *s, int elem, const char *name)
{
	for (int i = 0; i < elem; i++) {
		const struct scene *used = s->elem[i].used;
		if (used && (scene_sparam(used, name) || face_input(used, name)))
			return true;
	}
	return false;
}

static void put_face(FILE *f, const struct scene *s, int elem)
{
	const struct scene *used = s->elem[elem].used;
	for (int i = 0; i < used->nelem; i++)
		if (elem_is_input(&used->elem[i]) && !face_before(s, elem, used->elem[i].id))
			fprintf(f, "    <xs:attribute name=\"%s\" type=\"%s\"/>\n", used->elem[i].id,
			        same_everywhere(s, used->elem[i].id, NULL) ? "ref." : "xs:string");
	for (int i = 0; i < used->nparam; i++) {
		const struct sparam *sp = &used->param[i];
		struct param p;
		if (face_before(s, elem, sp->name))
			continue;
		sparam_declare(sp, &p);
		fprintf(f, "    <xs:attribute name=\"%s\">", p.name);
		put_doc(f, p.doc);
		if (same_everywhere(s, sp->name, sp))
			put_type(f, &p);
		fputs("</xs:attribute>\n", f);
	}
}

static void put_use(FILE *f, const struct scene *s)
{
	bool any = false;
	fputs("  <xs:complexType name=\"use.\"><xs:annotation><xs:documentation>Another graph, as one "
	      "node."
	      "</xs:documentation></xs:annotation>\n    <xs:sequence><xs:element name=\"set\" "
	      "minOccurs=\"0\" "
	      "maxOccurs=\"unbounded\"><xs:complexType>\n      <xs:attribute name=\"node\" "
	      "type=\"xs:string\" use=\"required\"/>"
	      "<xs:anyAttribute namespace=\"##local\" "
	      "processContents=\"skip\"/></xs:complexType></xs:element></xs:sequence>\n"
	      "    <xs:attribute name=\"id\" type=\"id.\" use=\"required\"/>\n"
	      "    <xs:attribute name=\"graph\" type=\"xs:string\" use=\"required\"/>\n", f);
	for (int i = 0; s && i < s->nelem; i++)
		if (schema_first_use(s, i)) {
			put_face(f, s, i);
			any = true;
		}
	if (!any)
		fputs("    <xs:anyAttribute namespace=\"##local\" processContents=\"skip\"/>\n", f);
	fputs("  </xs:complexType>\n", f);
}

/* --- the rest --- */

#define WORDS(v) "<xs:simpleType><xs:restriction base=\"xs:string\">" v "</xs:restriction></xs:simpleType>"
#define WORD(w) "<xs:enumeration value=\"" w "\"/>"
#define ATTR(n) "<xs:attribute name=\"" n "\" type=\"xs:string\"/>"
#define MUST(n) "<xs:attribute name=\"" n "\" type=\"xs:string\" use=\"required\"/>"
#define NOTE(t) "<xs:annotation><xs:documentation>" t "</xs:documentation></xs:annotation>"

static const char head[] =
	"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
	"<xs:schema xmlns:xs=\"http://www.w3.org/2001/XMLSchema\">\n"
	"  <xs:simpleType name=\"id.\"><xs:restriction base=\"xs:ID\"><xs:pattern "
	"value=\"" SCHEMA_ID "\"/></xs:restriction>"
	"</xs:simpleType>\n"
	"  <xs:simpleType name=\"ref.\"><xs:restriction base=\"xs:token\"><xs:pattern "
	"value=\"" SCHEMA_ID "(\\." SCHEMA_ID
	")?\"/></xs:restriction></xs:simpleType>\n"
	"  <xs:simpleType name=\"refs.\"><xs:restriction><xs:simpleType><xs:list "
	"itemType=\"ref.\"/></xs:simpleType>"
	"<xs:minLength value=\"1\"/></xs:restriction></xs:simpleType>\n"
	"  <xs:simpleType name=\"expr.\"><xs:restriction base=\"xs:string\"><xs:pattern "
	"value=\"" SCHEMA_EXPR "\"/>"
	"</xs:restriction></xs:simpleType>\n"
	"  <xs:simpleType name=\"points.\"><xs:restriction><xs:simpleType><xs:list "
	"itemType=\"xs:double\"/></xs:simpleType>"
	"<xs:length value=\"4\"/></xs:restriction></xs:simpleType>\n"
	"  <xs:complexType name=\"key.\"><xs:attribute name=\"frame\" type=\"xs:double\" "
	"use=\"required\"/>" MUST("value")
	"<xs:attribute name=\"ease\">" NOTE("how the value arrives at this key")
	WORDS(WORD("linear") WORD("smooth") WORD("hold") WORD("bezier")) "</xs:attribute>"
	"<xs:attribute name=\"bezier\" type=\"points.\"/></xs:complexType>\n";

static const char middle[] =
	"  <xs:complexType name=\"param.\">" NOTE("A parameter of this graph, for expressions, --set and "
	                                          "use.")
	"<xs:attribute name=\"name\" use=\"required\"><xs:simpleType><xs:restriction "
	"base=\"xs:string\"><xs:pattern "
	"value=\"[A-Za-z_][A-Za-z0-9_]*\"/></xs:restriction></xs:simpleType></xs:attribute>\n"
	"    <xs:attribute name=\"type\" "
	"use=\"required\">" WORDS(WORD("float") WORD("int") WORD("bool") WORD("enum")
	WORD("string") WORD("path") WORD("colour") WORD("vector") WORD("length") WORD("curve")) "</xs:attribute>\n    "
	MUST("value") ATTR("doc") "<xs:attribute name=\"min\" type=\"xs:double\"/><xs:attribute "
	                          "name=\"max\" "
	"type=\"xs:double\"/>" ATTR("choices") "</xs:complexType>\n"
	"  <xs:complexType name=\"input.\">" NOTE("An image that a use of this graph feeds.")
	"<xs:attribute name=\"id\" type=\"id.\" use=\"required\"/></xs:complexType>\n"
	"  <xs:complexType name=\"output.\">" NOTE("An image that a use of this graph gives.")
	"<xs:attribute name=\"id\" type=\"id.\" use=\"required\"/><xs:attribute name=\"in\" type=\"ref.\" "
	"use=\"required\"/>"
	"</xs:complexType>\n"
	"  <xs:complexType name=\"script.\">" NOTE("Lua nodes and rules from a file.") MUST("file")
	"<xs:attribute name=\"sha256\"><xs:simpleType><xs:restriction base=\"xs:string\"><xs:pattern "
	"value=\"[0-9a-fA-F]{64}\"/></xs:restriction></xs:simpleType></xs:attribute></xs:complexType>\n"
	"  <xs:complexType name=\"waive.\">" NOTE("Waives one finding of a rule; waivers are "
	                                          "reported.") MUST("rule")
	"<xs:attribute name=\"reason\" use=\"required\"><xs:simpleType><xs:restriction "
	"base=\"xs:string\"><xs:minLength "
	"value=\"1\"/></xs:restriction></xs:simpleType></xs:attribute>" ATTR("node") "</xs:complexType>\n"
	"  <xs:complexType name=\"approve.\">" NOTE("Somebody has approved a pass of a shot, or the picture; void as soon as its "
	                                           "pixels change.") ATTR("shot") MUST("pass") MUST("by") MUST("role")
	"<xs:attribute name=\"hash\" use=\"required\"><xs:simpleType><xs:restriction base=\"xs:string\"><xs:pattern "
	"value=\"[0-9a-f]{32}\"/></xs:restriction></xs:simpleType></xs:attribute>" ATTR("note") "</xs:complexType>\n"
	"  <xs:complexType name=\"reference.\">" NOTE("A still that shots are looked at beside: who somebody is, how it is lit, through "
	                                             "which lens.")
	"<xs:attribute name=\"kind\" use=\"required\">" WORDS(WORD("identity") WORD("light") WORD("lens")) "</xs:attribute>"
	MUST("file") ATTR("shot") ATTR("note") "</xs:complexType>\n";

static const char pass_attrs[] =
	"    <xs:attribute name=\"id\" type=\"id.\" use=\"required\"/>\n    <xs:attribute name=\"kind\">"
	WORDS(WORD("") WORD("geometry") WORD("cleanup") WORD("detail") WORD("motion") WORD("neutral") WORD("look")
	      WORD("integrate") WORD("deliver")) "</xs:attribute>\n"
	"    <xs:attribute name=\"keep\" default=\"auto\">" NOTE("whether its result is written to disk")
	WORDS(WORD("auto") WORD("always") WORD("never")) "</xs:attribute>\n"
	"    <xs:attribute name=\"depth\" "
	"default=\"float\">" WORDS(WORD("float") WORD("half")) "</xs:attribute>\n    "
	ATTR("path") "<xs:attribute name=\"out\" type=\"ref.\"/>" ATTR("note") "\n";

static const char graph_attrs[] =
	"    <xs:attribute name=\"version\" use=\"required\">" WORDS(WORD("1")) "</xs:attribute>\n    "
	                                                                        "" ATTR("name")
	"<xs:attribute name=\"fps\"><xs:simpleType><xs:restriction base=\"xs:string\"><xs:pattern "
	"value=\"[0-9]+(\\.[0-9]+|/[0-9]+)?\"/></xs:restriction></xs:simpleType></xs:attribute>\n    "
	"<xs:attribute name=\"working\" type=\"xs:string\" default=\"acescg\"/><xs:attribute "
	"name=\"picture_locked\" default=\"no\">"
	WORDS(WORD("yes") WORD("no")) "</xs:attribute>" ATTR("sequence") ATTR("ocio") "\n";

void schema_xsd(FILE *f, const struct registry *reg, const struct scene *s)
{
	static const char *const words[] = { "param", "input", "output", "script", "waive", "approve", "reference",
	                                    "use", "pass" };
	int n;
	const struct node_type **all = registry_all(reg, &n);
	fputs(head, f);
	fputs("  <xs:attributeGroup name=\"common..params\">\n", f);
	for (const struct param *p = node_common_params; p->name; p++)
		put_param(f, p);
	fputs("  </xs:attributeGroup>\n", f);
	for (int i = 0; i < n; i++)
		put_node(f, all[i]);
	put_use(f, s);
	fputs(middle, f);
	fputs("  <xs:complexType name=\"pass.\"><xs:choice maxOccurs=\"unbounded\">\n"
	      "    <xs:element name=\"use\" type=\"use.\"/>\n", f);
	for (int i = 0; i < n; i++)
		fprintf(f, "    <xs:element name=\"%s\" type=\"%s.inner\"/>\n", all[i]->name, all[i]->name);
	fprintf(f, "    </xs:choice>\n%s  </xs:complexType>\n", pass_attrs);
	fputs("  <xs:element name=\"graph\"><xs:complexType><xs:choice minOccurs=\"0\" "
	      "maxOccurs=\"unbounded\">\n", f);
	for (size_t i = 0; i < IN_COUNT(words); i++)
		fprintf(f, "    <xs:element name=\"%s\" type=\"%s.\"/>\n", words[i], words[i]);
	for (int i = 0; i < n; i++)
		fprintf(f, "    <xs:element name=\"%s\" type=\"%s\"/>\n", all[i]->name, all[i]->name);
	fprintf(f, "    </xs:choice>\n%s  </xs:complexType></xs:element>\n</xs:schema>\n", graph_attrs);
	free(all);
}
