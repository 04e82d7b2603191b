/* xml_tree - a scene's text, through libxml2's SAX interface, as a small tree with exact lines.
 * Nothing is expanded, fetched or defaulted: DOCTYPE and undeclared entities are refused.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <stdio.h>
#include <string.h>

#include "xml.h"

struct reader {
	struct xdoc *x; struct arena *a; struct diags *d; const char *file;
	struct xscan scan;                           /* in step with libxml2's start tags */
	struct xelem *open;
	xmlParserCtxtPtr ctxt;
	int errors;
};

static void bad(struct reader *r, int line, const char *msg)
{
	if (r->errors++ < 10)
		diag_add(r->d, DIAG_ERROR, E_SCENE, r->file, line, NULL, NULL, "%s", msg);
}

static void stop(struct reader *r, int line, const char *msg)
{
	bad(r, line, msg);
	r->errors = 1000;                            /* what follows is of no interest */
	xmlStopParser(r->ctxt);
}

static void on_error(void *user, xmlErrorPtr e)
{
	struct reader *r = user;
	char msg[400];
	if (e->level < XML_ERR_ERROR)
		return;
	snprintf(msg, sizeof msg, "not well-formed XML: %s", e->message ? e->message : "no reason given");
	msg[strcspn(msg, "\n")] = 0;
	if (strstr(msg, "XML_PARSE_HUGE"))
		snprintf(msg, sizeof msg, "%s", strstr(msg, "depth") ? "elements are nested too deeply"
		         : "an attribute or text is too long");
	else if (e->code == XML_ERR_DOCUMENT_EMPTY)
		snprintf(msg, sizeof msg, "not a scene: XML starts with '<', and its first element is <graph>");
	bad(r, e->line, msg);
}

static void on_doctype(void *user, const xmlChar *name, const xmlChar *ext, const xmlChar *sys)
{
	struct reader *r = user;
	(void)name; (void)ext; (void)sys;
	stop(r, xmlSAX2GetLineNumber(r->ctxt),
	     "DOCTYPE and entities are not allowed in a scene; remove the DOCTYPE");
}

/* Without XML_PARSE_NOENT libxml2 hands SAX an ampersand as "&#38;" and nothing else escaped. */
static void plain_ampersands(char *s)
{
	char *out = s;
	for (; *s; s += strncmp(s, "&#38;", 5) == 0 ? 5 : 1)
		*out++ = *s;
	*out = 0;
}

static int attr_line(const struct reader *r, const struct xelem *x, const char *name)
{
	const struct xspan *a = r->scan.attr;
	for (size_t i = 0; i < r->scan.nattr; i++)
		if (a[i].name_len == strlen(name) && memcmp(a[i].name, name, a[i].name_len) == 0)
			return a[i].line;
	return x->line;
}

static void add_attr(struct reader *r, struct xelem *x, const char *prefix, const char *name,
                     const char *value, size_t n)
{
	struct xattr *o = &x->attr[x->nattr++];
	char *plain = arena_strndup(r->a, value, n);
	plain_ampersands(plain);
	o->value = plain;
	o->name = prefix ? arena_printf(r->a, "%s:%s", prefix, name) : arena_strdup(r->a, name);
	o->line = attr_line(r, x, o->name);
	if (n > XML_MAX_VALUE) {
		char msg[200];
		snprintf(msg, sizeof msg, "attribute %.60s is too long: %zu bytes, at most %d", o->name, n,
		         XML_MAX_VALUE);
		stop(r, o->line, msg);
	}
}

static void on_start(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri,
                     int nns,
                     const xmlChar **ns, int nattr, int ndefault, const xmlChar **attr)
{
	struct reader *r = user;
	(void)ndefault;
	enum xtok t;
	do
		t = xscan_next(&r->scan);
	while (t != XT_OPEN && t != XT_EMPTY && t != XT_END);
	struct xelem *x = arena_alloc(r->a, 1, sizeof *x);
	x->tag = prefix ? arena_printf(r->a, "%s:%s", (const char *)prefix, (const char *)name)
	                : arena_strdup(r->a, (const char *)name);
	x->line = r->scan.tok_line;
	x->elem = -1;
	if (uri)
		bad(r, x->line, "the elements of a scene are in no namespace; remove the xmlns");
	x->parent = r->open;
	x->attr = arena_alloc(r->a, (size_t)(nattr + nns), sizeof *x->attr);
	if (!r->open)
		r->x->root = x;
	else if (r->open->last)
		r->open->last->next = x;
	else
		r->open->child = x;
	if (r->open)
		r->open->last = x;
	r->open = x;
	for (const xmlChar **at = attr; at < attr + 5 * nattr; at += 5)
		add_attr(r, x, (const char *)at[1], (const char *)at[0], (const char *)at[3],
		         (size_t)(at[4] - at[3]));
	for (int i = 0; i < nns; i++)                /* a default one is reported above */
		if (ns[2 * i])
			add_attr(r, x, "xmlns", (const char *)ns[2 * i], (const char *)ns[2 * i + 1],
			         strlen((const char *)ns[2 * i + 1]));
	if (++r->x->nelem > XML_MAX_ELEMS)
		stop(r, x->line, "too many elements: at most 1000000");
}

static void on_end(void *user, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
	struct reader *r = user;
	(void)name; (void)prefix; (void)uri;
	if (r->open)
		r->open = r->open->parent;
}

static void on_text(void *user, const xmlChar *text, int n)
{
	struct reader *r = user;
	if (!r->open || r->open->text_line)
		return;
	for (int i = 0; i < n; i++)
		if (!strchr(" \t\r\n", text[i]) || !text[i]) {
			r->open->text_line = xmlSAX2GetLineNumber(r->ctxt);
			return;
		}
}

/* Index of the first byte that is no UTF-8, or len. NUL counts as none. */
static size_t utf8_end(const unsigned char *s, size_t len)
{
	for (size_t i = 0; i < len;) {
		unsigned char c = s[i];
		size_t n = c < 0x80 ? 1 : c >= 0xc2 && c < 0xe0 ? 2 : (c & 0xf0) == 0xe0 ? 3 : c >= 0xf0 &&
			c < 0xf5 ? 4 : 0;
		if (n == 0 || c == 0 || n > len - i)
			return i;
		for (size_t k = 1; k < n; k++)
			if ((s[i + k] & 0xc0) != 0x80)
				return i;
		i += n;
	}
	return len;
}

static int line_at(const char *text, size_t n)
{
	int line = 1;
	for (size_t i = 0; i < n; i++)
		line += text[i] == '\n';
	return line;
}

/* What libxml2 would be slow or lenient about, found before it sees the text. */
static int prescan(struct reader *r, const char *text, size_t len)
{
	size_t good = utf8_end((const unsigned char *)text, len);
	if (strspn(text, " \t\r\n") == len) {
		bad(r, 0, "the file is empty");
		return -1;
	}
	if (good < len) {
		bad(r, line_at(text, good), "not UTF-8 text: a scene is XML in UTF-8");
		return -1;
	}
	struct xscan s;
	int rc = 0;
	xscan_init(&s, text, len);
	while (rc == 0 && xscan_next(&s) != XT_END) {
		if (s.nattr > XML_MAX_ATTRS) {
			bad(r, s.tok_line, "too many attributes: at most 1000 on an element");
			rc = -1;
		}
		if (s.tok == XT_PI && s.len > 6 && memcmp(s.start, "<?xml", 5) == 0 && strchr(" \t\r\n",
		                                                                              s.start[5])) {
			const char *enc = memmem(s.start, s.len, "encoding", 8);
			size_t left = enc ? s.len - (size_t)(enc - s.start) : 0;
			char decl[80];
			snprintf(decl, sizeof decl, "%.*s", (int)left, enc ? enc : "");
			if (enc && !strcasestr(decl, "utf-8") && !strcasestr(decl, "us-ascii")) {
				bad(r, s.tok_line, "a scene is XML in UTF-8; the declared encoding is another");
				rc = -1;
			}
		}
	}
	xscan_free(&s);
	return rc;
}

static void set_handlers(xmlSAXHandlerPtr sax)
{
	memset(sax, 0, sizeof *sax);
	sax->initialized = XML_SAX2_MAGIC;
	sax->startElementNs = on_start;
	sax->endElementNs = on_end;
	sax->characters = sax->cdataBlock = on_text;
	sax->internalSubset = on_doctype;
	sax->serror = on_error;
}

int xdoc_read(struct xdoc *x, const char *file, const char *text, size_t len, struct arena *a,
              struct diags *d)
{
	struct reader r = { .x = x, .a = a, .d = d, .file = file };
	*x = (struct xdoc){ 0 };
	if (len > XML_MAX_BYTES) {
		bad(&r, 0, "the file is too large: at most 64 MiB");
		return -1;
	}
	if (prescan(&r, text, len) < 0)
		return -1;
	r.ctxt = xmlNewParserCtxt();
	if (!r.ctxt) {
		bad(&r, 0, "out of memory");
		return -1;
	}
	xscan_init(&r.scan, text, len);
	set_handlers(r.ctxt->sax);
	r.ctxt->userData = &r;
	xmlDocPtr doc = xmlCtxtReadMemory(r.ctxt, text, (int)len, NULL, NULL,
	                                  XML_PARSE_NONET | XML_PARSE_BIG_LINES);
	if (r.errors == 0 && (!r.ctxt->wellFormed || !x->root))
		bad(&r, 0, "not well-formed XML");
	xmlFreeDoc(doc);
	xmlFreeDoc(r.ctxt->myDoc);
	r.ctxt->myDoc = NULL;
	xmlFreeParserCtxt(r.ctxt);
	xscan_free(&r.scan);
	return r.errors ? -1 : 0;
}

const struct xattr *xelem_attr(const struct xelem *x, const char *name)
{
	for (int i = 0; i < x->nattr; i++)
		if (strcmp(x->attr[i].name, name) == 0)
			return &x->attr[i];
	return NULL;
}

const char *xelem_where(const struct xelem *x, char *buf, size_t n)
{
	const struct xattr *id = xelem_attr(x, "id");
	if (id)
		snprintf(buf, n, "<%.60s id=\"%.60s\">", x->tag, id->value);
	else
		snprintf(buf, n, "<%.60s>", x->tag);
	return buf;
}
