/* docs - node types as text for the terminal, as a Markdown page and as JSON.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "docs.h"

#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "log.h"

enum { COLUMNS = 96 };

static const char *const categories[] = { "source", "image", "colour", "composite", "geometry",
                                         "time", "output" };

static const char *const type_words[] = {
	[PT_END] = "", [PT_FLOAT] = "number", [PT_INT] = "whole number", [PT_BOOL] = "yes or no",
	[PT_ENUM] = "one of", [PT_STRING] = "text", [PT_PATH] = "path", [PT_COLOUR] = "colour",
	[PT_VEC] = "vector", [PT_LENGTH] = "length", [PT_CURVE] = "curve"
};
static const char *const json_types[] = {
	[PT_END] = "", [PT_FLOAT] = "float", [PT_INT] = "int", [PT_BOOL] = "bool", [PT_ENUM] = "enum",
	[PT_STRING] = "string", [PT_PATH] = "path", [PT_COLOUR] = "colour", [PT_VEC] = "vector",
	[PT_LENGTH] = "length", [PT_CURVE] = "curve"
};

static const struct { unsigned bit; const char *word; } traits[] = {
	{ TR_AI, "AI process" }, { TR_UPSCALE, "upscale" }, { TR_NEUTRAL, "neutral" },
		{ TR_GRADE, "grade" },
	{ TR_LUT, "LUT" }, { TR_BLUR, "blur" }, { TR_TONE, "tone" }, { TR_GRAIN, "grain" },
		{ TR_RESIZE, "resize" },
	{ TR_RETIME, "retime" }, { TR_CLIPS, "clips highlights" }, { TR_OUTPUT, "output" },
		{ TR_SOURCE, "source" },
	{ TR_CONVERT, "conversion" }, { TR_GEOMETRY, "geometry" }, { TR_CLEANUP, "cleanup" },
	{ TR_DISSOLVE, "dissolve" }, { TR_VIEW, "viewing" }
};

static const char *space_words(const struct node_type *t)
{
	if (t->want_of)
		return "chosen by its parameters";
	switch (t->want) {
	case WANT_LINEAR: return "linear, the graph's working space";
	case WANT_LOG: return "acescct";
	case WANT_ENCODED: return "the clip's own encoding";
	default: return "as it comes";
	}
}

static const char *doc_of(const char *s)
{
	return s ? s : "";
}

/* The default as a reader writes it, in buf; "" when there is none. */
static const char *default_text(const struct param *p, char *buf, size_t n)
{
	struct arena *a = arena_new();
	struct value v;
	buf[0] = 0;
	if (!(p->flags & PF_REQUIRED) && value_default(p, a, &v) == 0)
		snprintf(buf, n, "%s", value_print(p, &v, a));
	arena_free(&a);
	return buf;
}

/* "number, 0..500 pixels" or "one of gauss box". */
static const char *type_text(const struct param *p, char *buf, size_t n)
{
	char range[128];
	param_range(p, range, sizeof range);
	switch (p->type) {
	case PT_FLOAT: case PT_INT: case PT_LENGTH:
		snprintf(buf, n, "%s, %s%s", type_words[p->type], range,
		         p->type == PT_LENGTH ? ", or percent of height as 2%h" : "");
		break;
	case PT_VEC:
		snprintf(buf, n, "%d numbers, %s", p->n, range);
		break;
	case PT_COLOUR:
		snprintf(buf, n, "colour: three numbers, one for all, or #rrggbb");
		break;
	case PT_CURVE:
		snprintf(buf, n, "curve: points as \"0,0 0.5,0.6 1,1\"");
		break;
	case PT_ENUM:
		snprintf(buf, n, "one of %s", doc_of(p->choices));
		for (char *c = buf; *c; c++)
			if (*c == '|')
				*c = ' ';
		break;
	default:
		snprintf(buf, n, "%s", p->flags & PF_SPACE ? "colour space" : type_words[p->type]);
		break;
	}
	return buf;
}

/* "required; the same on every frame; written by solve" */
static const char *flags_text(const struct param *p, char *buf, size_t n)
{
	snprintf(buf, n, "%s%s%s%s%s", p->flags & PF_REQUIRED ? "; required" : "",
	         p->flags & PF_STATIC ? "; the same on every frame" : "",
	         p->flags & PF_SOLVED ? "; written by solve" : "",
	         p->flags & PF_FILE ? "; read as a file" : "",
	         p->flags & PF_NOKEY ? "; changes no pixels" : "");
	return buf;
}

/* Prints text wrapped, every line indented; line breaks in the text are kept. */
static void wrapped(FILE *f, const char *text, int indent)
{
	int column = 0;
	while (*text) {
		int n = (int)strcspn(text, " \n");
		if (column && column + 1 + n > COLUMNS - indent) {
			fputc('\n', f);
			column = 0;
		}
		if (n && column == 0)
			fprintf(f, "%*s", indent, "");
		else if (n)
			fputc(' ', f);
		fwrite(text, 1, (size_t)n, f);
		column += n + (n && column);
		text += n;
		if (*text == '\n') {
			fputc('\n', f);
			column = 0;
		}
		text += *text != 0;
	}
	if (column)
		fputc('\n', f);
}

static bool names_spaces(const struct node_type *t)
{
	for (const struct param *p = t->params; p && p->name; p++)
		if ((p->flags & (PF_SPACE | PF_HIDDEN)) == PF_SPACE) return true;
	return false;
}

static void list_spaces(FILE *f)
{
	fputs("\nColour spaces\n", f);
	for (int i = 0; i < colour_count(); i++) fprintf(f, "  %-22s %s\n", colour_name(i), doc_of(colour_doc(i)));
}

static void traits_text(unsigned bits, char *buf, size_t n)
{
	buf[0] = 0;
	for (size_t i = 0; i < IN_COUNT(traits); i++)
		if (bits & traits[i].bit) {
			size_t at = strlen(buf);
			snprintf(buf + at, n - at, "%s%s", at ? ", " : "", traits[i].word);
		}
}

static const char *kind_text(const struct node_type *t)
{
	if (t->flags & NF_SINK)
		return "takes frames in order";
	if (t->expand && !t->tile)
		return "composed of other nodes";
	return t->frame ? "works on whole frames" : "works tile by tile";
}

static const char *slot_text(const struct node_type *t, const struct slot *s, char *buf, size_t n)
{
	bool served = (t->flags & NF_MASKED) && strcmp(s->name, "mask") == 0;
	snprintf(buf, n, "%s%s%s", s->optional ? "optional" : "required",
	         s->list ? "; several ids with spaces between" : "",
	         served ? "; the result is mixed with the input by its brightness" : "");
	return buf;
}

static void list_params(FILE *f, const struct param *table)
{
	char type[700], def[400], flags[200], line[1500];
	for (const struct param *p = table; p && p->name; p++) {
		if (p->flags & PF_HIDDEN)
			continue;
		default_text(p, def, sizeof def);
		snprintf(line, sizeof line, "%s%s%s%s", type_text(p, type, sizeof type),
		         def[0] ? "; default " : "", def,
		         flags_text(p, flags, sizeof flags));
		fprintf(f, "  %s\n", p->name);
		wrapped(f, line, 8);
		wrapped(f, doc_of(p->doc), 8);
	}
}

void docs_node(FILE *f, const struct node_type *t)
{
	struct slot slot[NODE_MAX_SLOTS];
	char words[400];
	int n = node_slots(t, slot);
	fprintf(f, "%s - %s\n\n", t->name, doc_of(t->doc));
	fprintf(f, "  %s; %s; version %d\n", doc_of(t->category), kind_text(t), t->version);
	fprintf(f, "  colour space: %s%s\n", space_words(t),
	        t->flags & NF_RGB ? "; red, green and blue only" : "");
	traits_text(t->traits, words, sizeof words);
	if (words[0])
		fprintf(f, "  traits: %s\n", words);
	if (t->more) {
		fputc('\n', f);
		wrapped(f, t->more, 0);
	}
	fprintf(f, "\nInputs%s\n", n ? "" : ": none");
	for (int i = 0; i < n; i++)
		fprintf(f, "  %-12s %s\n", slot_attr(&slot[i]), slot_text(t, &slot[i], words, sizeof words));
	fprintf(f, "\nParameters%s\n", param_count(t->params) || (t->flags & NF_MASKED) ? "" : ": none");
	list_params(f, t->params);
	if (t->flags & NF_MASKED)
		list_params(f, node_common_params);
	if (names_spaces(t))
		list_spaces(f);
	if (t->example)
		fprintf(f, "\nExample\n  %s\n", t->example);
}

static int category_of(const struct node_type *t)
{
	for (size_t i = 0; i < IN_COUNT(categories); i++)
		if (strcmp(categories[i], doc_of(t->category)) == 0)
			return (int)i;
	return (int)IN_COUNT(categories);
}

static const char *category_name(int c)
{
	return c < (int)IN_COUNT(categories) ? categories[c] : "other";
}

void docs_list(FILE *f, const struct registry *reg)
{
	int n;
	const struct node_type **all = registry_all(reg, &n);
	for (int c = 0; c <= (int)IN_COUNT(categories); c++)
		for (int i = 0; i < n; i++)
			if (category_of(all[i]) == c)
				fprintf(f, "%-12s %-10s %s\n", all[i]->name, category_name(c), doc_of(all[i]->doc));
	free(all);
}

/* --- Markdown --- */

/* A table cell: bars and angle brackets would end it or become HTML. */
static void cell(FILE *f, const char *s)
{
	for (; *s; s++)
		if (*s == '|')
			fputs("\\|", f);
		else if (*s == '<')
			fputs("&lt;", f);
		else
			fputc(*s == '\n' ? ' ' : *s, f);
}

static void md_params(FILE *f, const struct param *table)
{
	char type[700], def[400], flags[200];
	for (const struct param *p = table; p && p->name; p++) {
		if (p->flags & PF_HIDDEN)
			continue;
		fprintf(f, "| `%s` | ", p->name);
		cell(f, type_text(p, type, sizeof type));
		fputs(" | ", f);
		cell(f, default_text(p, def, sizeof def));
		fputs(" | ", f);
		cell(f, doc_of(p->doc));
		flags_text(p, flags, sizeof flags);
		fprintf(f, flags[0] ? " (%s) |\n" : " |\n", flags[0] ? flags + 2 : "");
	}
}

static void md_node(FILE *f, const struct node_type *t)
{
	struct slot slot[NODE_MAX_SLOTS];
	char words[400];
	int n = node_slots(t, slot);
	fprintf(f, "\n### %s\n\n%s\n", t->name, doc_of(t->doc));
	if (t->more)
		fprintf(f, "\n%s\n", t->more);
	traits_text(t->traits, words, sizeof words);
	fprintf(f, "\nColour space: %s. %s%s%sVersion %d.\n\n", space_words(t),
	        words[0] ? "Traits: " : "", words,
	        words[0] ? ". " : "", t->version);
	for (int i = 0; i < n; i++)
		fprintf(f, "- input `%s`: %s\n", slot_attr(&slot[i]), slot_text(t, &slot[i], words,
		                                                                sizeof words));
	if (param_count(t->params) || (t->flags & NF_MASKED)) {
		fprintf(f, "%s| parameter | value | default | |\n|---|---|---|---|\n", n ? "\n" : "");
		md_params(f, t->params);
	}
	if (t->flags & NF_MASKED)
		md_params(f, node_common_params);
	if (t->example)
		fprintf(f, "\n```xml\n%s\n```\n", t->example);
}

void docs_markdown(FILE *f, const struct registry *reg)
{
	int n;
	const struct node_type **all = registry_all(reg, &n);
	fputs("# Nodes\n\nMade by `interneg nodes --markdown` from the declarations in this folder; "
	      "`interneg nodes NAME` "
	      "prints one of them.\n", f);
	for (int c = 0; c <= (int)IN_COUNT(categories); c++) {
		bool first = true;
		for (int i = 0; i < n; i++) {
			if (category_of(all[i]) != c)
				continue;
			if (first)
				fprintf(f, "\n## %c%s\n", category_name(c)[0] - 'a' + 'A', category_name(c) + 1);
			first = false;
			md_node(f, all[i]);
		}
	}
	free(all);
	fputs("\n## Colour spaces\n\nThe names that parameters for a colour space take.\n\n| name | |\n|---|---|\n", f);
	for (int i = 0; i < colour_count(); i++) {
		fprintf(f, "| `%s` | ", colour_name(i));
		cell(f, doc_of(colour_doc(i)));
		fputs(" |\n", f);
	}
}

/* --- JSON --- */

static void json_pair(FILE *f, const char *name, const char *value)
{
	size_t size = strlen(doc_of(value)) * 6 + 1;
	char *text = xalloc(size, 1);
	json_escape(text, size, doc_of(value));
	fprintf(f, "\"%s\":\"%s\"", name, text);
	free(text);
}

static void json_params(FILE *f, const struct param *table, bool *first)
{
	char def[400], range[128];
	for (const struct param *p = table; p && p->name; p++) {
		if (p->flags & PF_HIDDEN)
			continue;
		fputs(*first ? "{" : ",{", f);
		*first = false;
		json_pair(f, "name", p->name);
		fputc(',', f);
		json_pair(f, "type", json_types[p->type]);
		fputc(',', f);
		json_pair(f, "default", default_text(p, def, sizeof def));
		fputc(',', f);
		param_range(p, range, sizeof range);
		bool number = p->type == PT_FLOAT || p->type == PT_INT || p->type == PT_LENGTH ||
			p->type == PT_VEC;
		json_pair(f, "range", number ? range : "");
		fputc(',', f);
		json_pair(f, "choices", p->choices);
		if (p->flags & PF_SPACE) fputs(",\"names\":\"colour space\"", f);
		fprintf(f, ",\"required\":%s,\"static\":%s,", p->flags & PF_REQUIRED ? "true" : "false",
		        p->flags & PF_STATIC ? "true" : "false");
		json_pair(f, "doc", p->doc);
		fputc('}', f);
	}
}

static void json_node(FILE *f, const struct node_type *t)
{
	struct slot slot[NODE_MAX_SLOTS];
	int n = node_slots(t, slot);
	bool first = true;
	char words[400];
	fputc('{', f);
	json_pair(f, "name", t->name);
	fputc(',', f);
	json_pair(f, "category", t->category);
	fputc(',', f);
	json_pair(f, "doc", t->doc);
	fputc(',', f);
	json_pair(f, "space", space_words(t));
	fputc(',', f);
	traits_text(t->traits, words, sizeof words);
	json_pair(f, "traits", words);
	fprintf(f, ",\"version\":%d,\"inputs\":[", t->version);
	for (int i = 0; i < n; i++)
		fprintf(f, "%s{\"name\":\"%s\",\"optional\":%s,\"list\":%s}", i ? "," : "", slot_attr(&slot[i]),
		        slot[i].optional ? "true" : "false", slot[i].list ? "true" : "false");
	fputs("],\"params\":[", f);
	json_params(f, t->params, &first);
	if (t->flags & NF_MASKED)
		json_params(f, node_common_params, &first);
	fputs("]}", f);
}

void docs_json(FILE *f, const struct registry *reg)
{
	int n;
	const struct node_type **all = registry_all(reg, &n);
	for (int i = 0; i < n; i++) {
		fputs(i ? ",\n" : "[", f);
		json_node(f, all[i]);
	}
	fputs(n ? "]\n" : "[]\n", f);
	free(all);
}
