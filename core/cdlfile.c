/* cdlfile - see cdlfile.h. Elements that nobody here knows are passed over, as the format asks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cdlfile.h"

#include <errno.h>
#include <libxml/parser.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mathx.h"
#include "mem.h"
#include "textfile.h"

struct reader { const char *name; struct err *e; };

static bool is(const xmlNode *n, const char *tag)
{ return n->type == XML_ELEMENT_NODE && strcmp((const char *)n->name, tag) == 0; }

static int bad(const struct reader *r, const xmlNode *at, const char *what)
{ return err_set(r->e, E_INPUT, "%s:%ld: %s", r->name, at ? xmlGetLineNo(at) : 0L, what); }

/* The numbers of an element's own text: exactly want of them. */
static int numbers(const struct reader *r, const xmlNode *el, double *v, int want)
{
	char msg[200], word[64];
	int n = 0;
	for (const xmlNode *t = el->children; t; t = t->next) {
		if (t->type != XML_TEXT_NODE && t->type != XML_CDATA_SECTION_NODE) continue;
		for (const char *s = (const char *)t->content; *(s += strspn(s, " \t\r\n"));) {
			size_t len = strcspn(s, " \t\r\n");
			snprintf(word, sizeof word, "%.*s", (int)(len < sizeof word ? len : sizeof word - 1), s);
			if (n >= want || len >= sizeof word || mx_parse(word, &v[n++]) < 0) {
				snprintf(msg, sizeof msg, "<%.20s> holds \"%s\" where %d number%s belong", el->name, word,
				         want, want > 1 ? "s" : "");
				return bad(r, el, msg);
			}
			s += len;
		}
	}
	if (n == want) return 0;
	snprintf(msg, sizeof msg, "<%.20s> has %d number%s, not %d", el->name, n, n == 1 ? "" : "s", want);
	return bad(r, el, msg);
}

static int read_sop(const struct reader *r, const xmlNode *sop, struct cdl_values *v)
{
	int rc = 0;
	for (const xmlNode *n = sop->children; n && !rc; n = n->next) {
		if (is(n, "Slope")) rc = numbers(r, n, v->slope, 3);
		else if (is(n, "Offset")) rc = numbers(r, n, v->offset, 3);
		else if (is(n, "Power")) rc = numbers(r, n, v->power, 3);
	}
	for (int i = 0; i < 3 && !rc; i++)
		if (v->slope[i] < 0 || !(v->power[i] > 0))
			rc = bad(r, sop, "a slope is at least 0 and a power above 0 (ASC CDL v1.2)");
	return rc;
}

static int read_sat(const struct reader *r, const xmlNode *sat, struct cdl_values *v)
{
	int rc = 0;
	for (const xmlNode *n = sat->children; n && !rc; n = n->next)
		if (is(n, "Saturation")) rc = numbers(r, n, &v->saturation, 1);
	return rc || v->saturation >= 0 ? rc : bad(r, sat, "a saturation is at least 0 (ASC CDL v1.2)");
}

static int read_correction(const struct reader *r, const xmlNode *cc, struct cdl_values *v)
{
	int sop = 0, sat = 0, rc = 0;
	*v = (struct cdl_values){ { 1, 1, 1 }, { 0 }, { 1, 1, 1 }, 1 };
	for (const xmlNode *n = cc->children; n && !rc; n = n->next) {
		if ((is(n, "SOPNode") || is(n, "ASC_SOP")) && sop++ == 0) rc = read_sop(r, n, v);
		else if ((is(n, "SatNode") || is(n, "SATNode") || is(n, "ASC_SAT")) && sat++ == 0)
			rc = read_sat(r, n, v);
	}
	if (!rc && (sop > 1 || sat > 1)) rc = bad(r, cc, "two SOPNodes or SatNodes in one ColorCorrection");
	if (!rc && !sop && !sat) rc = bad(r, cc, "a ColorCorrection with neither SOPNode nor SatNode");
	return rc;
}

/* The next correction after cc (NULL: the first) below root, in the order of the file. */
static const xmlNode *next_correction(const xmlNode *root, const xmlNode *cc)
{
	if (is(root, "ColorCorrection")) return cc ? NULL : root;
	bool list = is(root, "ColorDecisionList");
	const xmlNode *outer = !cc ? root->children : list ? cc->parent : cc->next;
	const xmlNode *inner = cc && list ? cc->next : NULL;
	if (!list) {
		while (outer && !is(outer, "ColorCorrection")) outer = outer->next;
		return outer;
	}
	if (!cc) inner = outer && is(outer, "ColorDecision") ? outer->children : NULL;
	for (;;) {
		while (inner && !is(inner, "ColorCorrection")) inner = inner->next;
		if (inner || !outer) return inner;
		outer = outer->next;
		inner = outer && is(outer, "ColorDecision") ? outer->children : NULL;
	}
}

static const char *id_of(const xmlNode *cc)
{
	const xmlAttr *a = cc->properties;
	while (a && strcmp((const char *)a->name, "id") != 0) a = a->next;
	return a && a->children && a->children->content ? (const char *)a->children->content : "";
}

static int not_found(const struct reader *r, const xmlNode *root, const char *id, int count)
{
	char all[400] = "";
	int i = 0;
	for (const xmlNode *cc = next_correction(root, NULL); cc; cc = next_correction(root, cc), i++) {
		size_t n = strlen(all);
		if (*id_of(cc)) snprintf(all + n, sizeof all - n, " %.60s", id_of(cc));
		else snprintf(all + n, sizeof all - n, " %d", i);
	}
	if (!count) return err_set(r->e, E_INPUT, "%s: holds no ColorCorrection", r->name);
	if (!*id)
		return err_set(r->e, E_INPUT, "%s: holds %d corrections; cdl_id says which:%s", r->name, count, all);
	return err_set(r->e, E_INPUT, "%s: no correction \"%.60s\"; there are%s", r->name, id, all);
}

static int pick(const struct reader *r, const xmlNode *root, const char *id, struct cdl_values *out)
{
	const xmlNode *found = NULL, *numbered = NULL, *first = NULL;
	double number = -1;
	int count = 0;
	if (*id && mx_parse(id, &number) < 0) number = -1;
	for (const xmlNode *cc = next_correction(root, NULL); cc; cc = next_correction(root, cc), count++) {
		if (!first) first = cc;
		if (number == count) numbered = cc;
		if (!*id || strcmp(id_of(cc), id) != 0) continue;
		if (found) return bad(r, cc, "two corrections have this id");
		found = cc;
	}
	if (!found) found = numbered;
	if (!found && !*id && count == 1) found = first;
	return found ? read_correction(r, found, out) : not_found(r, root, id, count);
}

static int read_doc(const struct reader *r, const xmlDoc *doc, const char *id, struct cdl_values *out)
{
	const xmlNode *root = xmlDocGetRootElement(doc);
	if (doc->intSubset || doc->extSubset)
		return bad(r, root, "DOCTYPE and entities are not allowed in a CDL file");
	if (!root || !(is(root, "ColorCorrection") || is(root, "ColorCorrectionCollection") ||
	               is(root, "ColorDecisionList")))
		return bad(r, root, "not a CDL: its first element is none of ColorCorrection, "
		           "ColorCorrectionCollection, ColorDecisionList");
	return pick(r, root, id, out);
}

int cdl_parse(const char *name, const char *text, size_t len, const char *id, struct cdl_values *out,
              struct err *e)
{
	struct reader r = { name, e };
	xmlParserCtxt *ctxt = xmlNewParserCtxt();
	int rc;
	if (!ctxt) return err_set(e, E_MEMORY, "%s: out of memory", name);
	xmlDoc *doc = len > CDL_FILE_MAX ? NULL
	            : xmlCtxtReadMemory(ctxt, text, (int)len, name, NULL, XML_PARSE_NONET | XML_PARSE_BIG_LINES |
	                                XML_PARSE_NOBLANKS | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (doc) rc = read_doc(&r, doc, id, out);
	else {
		const xmlError *why = xmlCtxtGetLastError(ctxt);
		char msg[200];
		snprintf(msg, sizeof msg, "%s", why && why->message ? why->message : "too large or empty");
		msg[strcspn(msg, "\n")] = 0;
		rc = err_set(e, E_INPUT, "%s:%d: no sound XML: %s", name, why ? why->line : 0, msg);
	}
	xmlFreeDoc(doc);
	xmlFreeParserCtxt(ctxt);
	return rc;
}

int cdl_load(const char *path, const char *id, struct cdl_values *out, struct err *e)
{
	FILE *f = plain_open(path, e);
	char *text = NULL;
	size_t len = 0, cap = 65536, got;
	int rc = 0;
	if (!f) return -1;
	do {
		text = xrealloc(text, cap, 1);
		got = fread(text + len, 1, cap - len, f);
		len += got;
		if (len == cap) cap *= 2;
	} while (got && len <= CDL_FILE_MAX);
	if (ferror(f)) rc = err_set(e, E_INPUT, "%s: %s", path, strerror(errno));
	else if (len > CDL_FILE_MAX) rc = err_set(e, E_INPUT, "%s: larger than a CDL can be (16 MiB)", path);
	fclose(f);
	if (!rc) rc = cdl_parse(path, text, len, id, out, e);
	free(text);
	return rc;
}
