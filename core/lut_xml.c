/* lut_xml - the XML of a CLF file as a small tree with lines, read without
 * entities, network or unbounded memory.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "lut_int.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <libxml/parser.h>
#include <libxml/SAX2.h>

#include "mem.h"

enum { ELEMS_MAX = 20000, DEPTH_MAX = 16, ATTRS_MAX = 32 };

struct reader {
	xmlParserCtxtPtr ctxt;
	const char *name;
	struct err *e;
	struct lut_elem *root, *open;
	int nelem, depth;
	bool failed;
};

static void stop(struct reader *r, int line, const char *why)
{
	if (!r->failed) err_set(r->e, E_INPUT, "%s:%d: %s", r->name, line, why);
	r->failed = true;
	xmlStopParser(r->ctxt);
}

static void on_error(void *user, xmlErrorPtr x)
{
	struct reader *r = user;
	char msg[300];
	if (x->level < XML_ERR_ERROR || r->failed) return;
	snprintf(msg, sizeof msg, "not well-formed XML: %s", x->message ? x->message : "no reason given");
	msg[strcspn(msg, "\n")] = 0;
	stop(r, x->line, msg);
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *ext, const xmlChar *sys)
{
	struct reader *r = user;
	(void)name; (void)ext; (void)sys;
	stop(r, xmlSAX2GetLineNumber(r->ctxt), "DOCTYPE and entities are not allowed");
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int nns,
                     const xmlChar **ns, int nattr, int ndefault, const xmlChar **attr)
{
	struct reader *r = user;
	int line = xmlSAX2GetLineNumber(r->ctxt);
	(void)prefix; (void)uri; (void)nns; (void)ns; (void)ndefault;
	if (++r->nelem > ELEMS_MAX) { stop(r, line, "more than 20000 elements"); return; }
	if (++r->depth > DEPTH_MAX) { stop(r, line, "elements are nested too deeply"); return; }
	if (nattr > ATTRS_MAX) { stop(r, line, "more than 32 attributes on an element"); return; }
	struct lut_elem *x = xalloc(1, sizeof *x);
	x->tag = xstrdup((const char *)name);
	x->line = line;
	x->parent = r->open;
	x->attr = xalloc((size_t)nattr * 2 + 1, sizeof *x->attr);
	for (int i = 0; i < nattr; i++) {
		const xmlChar **a = attr + (ptrdiff_t)i * 5;
		x->attr[2 * i] = xstrdup((const char *)a[0]);
		x->attr[2 * i + 1] = xasprintf("%.*s", (int)(a[4] - a[3]), (const char *)a[3]);
		x->nattr++;
	}
	if (!r->open) r->root = x;
	else if (r->open->last) r->open->last = r->open->last->next = x;
	else r->open->child = r->open->last = x;
	r->open = x;
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *r = user;
	(void)name; (void)prefix; (void)uri;
	r->depth--;
	if (r->open) r->open = r->open->parent;
}

/* The parser tells the line where a run of text ends. */
static void on_text(void *user, const xmlChar *s, int n)
{
	struct reader *r = user;
	struct lut_elem *x = r->open;
	if (!x || n <= 0) return;
	if (!x->text) {
		x->text_line = xmlSAX2GetLineNumber(r->ctxt);
		for (int i = 0; i < n; i++) x->text_line -= s[i] == '\n';
	}
	while (x->ntext + (size_t)n + 1 > x->ctext) {
		x->ctext = x->ctext ? x->ctext * 2 : 64;
		x->text = xrealloc(x->text, x->ctext, 1);
	}
	memcpy(x->text + x->ntext, s, (size_t)n);
	x->ntext += (size_t)n;
	x->text[x->ntext] = 0;
}

struct lut_elem *lut_xml_read(const char *name, const char *text, size_t len, struct err *e)
{
	struct reader r = { .name = name, .e = e };
	if (len > INT_MAX) { err_set(e, E_INPUT, "%s: too large for XML", name); return NULL; }
	if (memchr(text, 0, len)) { err_set(e, E_INPUT, "%s: no text file: it holds zero bytes", name); return NULL;
		}
	if (!(r.ctxt = xmlNewParserCtxt())) { err_set(e, E_MEMORY, "%s: no memory for the parser", name);
		return NULL; }
	memset(r.ctxt->sax, 0, sizeof *r.ctxt->sax);
	r.ctxt->sax->initialized = XML_SAX2_MAGIC;
	r.ctxt->sax->startElementNs = on_start;
	r.ctxt->sax->endElementNs = on_end;
	r.ctxt->sax->characters = r.ctxt->sax->cdataBlock = on_text;
	r.ctxt->sax->internalSubset = on_doctype;
	r.ctxt->sax->serror = on_error;
	r.ctxt->userData = &r;
	xmlDocPtr doc = xmlCtxtReadMemory(r.ctxt, text, (int)len, NULL, NULL, XML_PARSE_NONET | XML_PARSE_BIG_LINES);
	if (!r.failed && (!r.ctxt->wellFormed || !r.root)) stop(&r, 1, "not well-formed XML");
	xmlFreeDoc(doc);
	xmlFreeDoc(r.ctxt->myDoc);
	r.ctxt->myDoc = NULL;
	xmlFreeParserCtxt(r.ctxt);
	if (r.failed) lut_xml_free(&r.root);
	return r.root;
}

void lut_xml_free(struct lut_elem **xp)
{
	struct lut_elem *x = *xp;
	*xp = NULL;
	while (x) {
		struct lut_elem *next = x->next;
		lut_xml_free(&x->child);
		for (int i = 0; i < 2 * x->nattr; i++) free(x->attr[i]);
		free(x->attr);
		free(x->text);
		free(x->tag);
		free(x);
		x = next;
	}
}

const char *lut_xml_attr(const struct lut_elem *x, const char *name)
{
	for (int i = 0; i < x->nattr; i++)
		if (!strcmp(x->attr[2 * i], name)) return x->attr[2 * i + 1];
	return NULL;
}
