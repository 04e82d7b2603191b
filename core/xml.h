/* xml - a scene's text: its tokens with places, and the tree that libxml2 reads from it.
 * Private to the xml_*.c files. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_XML_H
#define IN_XML_H

#include "graph.h"
#include "strmap.h"

enum {
	XML_MAX_BYTES = 64 << 20, XML_MAX_ELEMS = 1000000, XML_MAX_ATTRS = 1000, XML_MAX_VALUE = 65536
};

/* --- tokens (xml_scan.c): places in well-formed text; on other text any answer, within bounds --- */
enum xtok { XT_END, XT_TEXT, XT_COMMENT, XT_PI, XT_CDATA, XT_DOCTYPE, XT_OPEN, XT_EMPTY, XT_CLOSE };
struct xspan { const char *name, *value; size_t name_len,
              value_len; int line; };   /* value: raw, unquoted */
struct xscan {
	const char *p, *end; int line;               /* the next token's place */
	enum xtok tok; const char *start; size_t len; int tok_line;
	const char *name; size_t name_len;           /* of XT_OPEN, XT_EMPTY, XT_CLOSE */
	struct xspan *attr; size_t nattr, cap;
};
void xscan_init(struct xscan *s, const char *text, size_t len);
enum xtok xscan_next(struct xscan *s);
void xscan_free(struct xscan *s);

/* --- text being written (xml_buf.c); s is always terminated --- */
struct xbuf { char *s; size_t n, cap; };
void xbuf_add(struct xbuf *b, const char *s, size_t n);
void xbuf_str(struct xbuf *b, const char *s);
void xbuf_fill(struct xbuf *b, char c, size_t n);
void xbuf_value(struct xbuf *b, const char *s);  /* escaped for an attribute in double quotes */
size_t utf8_width(const char *s, size_t n);      /* characters */

/* --- tree (xml_tree.c) --- */
struct xattr { const char *name, *value; int line; };
struct xelem {
	const char *tag; int line;
	struct xattr *attr; int nattr;
	struct xelem *child, *last, *next, *parent;
	int elem;                                    /* index into scene.elem, or -1 */
	int text_line;                               /* line of stray text within, or 0 */
};
struct xdoc { struct xelem *root; size_t nelem; };
/* Reads well-formed, harmless XML into a; errors into d as of file. 0 or -1. */
int xdoc_read(struct xdoc *x, const char *file, const char *text, size_t len, struct arena *a,
              struct diags *d);
const struct xattr *xelem_attr(const struct xelem *x, const char *name);

/* --- loading (xml_load.c, xml_elem.c, xml_check.c) --- */
enum id_kind { ID_ELEM = 1, ID_PASS, ID_OUTPUT, ID_BROKEN };
struct id_entry { enum id_kind kind; int index, line; const char *tag; };

/* What all files of one load share. */
struct load_total { size_t nelem, bytes; int nuse; };

/* One file being loaded. Lives during the load only. */
struct load {
	struct scene *s; struct xdoc x; const struct load_opts *o; struct diags *d;
	struct load *up; char *real;                 /* the chain of files through <use> */
	const char *via;                             /* "s010." within a use: prefix of its --set names */
	int depth; struct load_total *total;
	struct strmap *ids;
	struct xelem **source;                       /* of scene.elem[i] */
	bool broken_script;                          /* one did not load: its types are unknown */
};

/* Adds a finding; where and hint may be NULL. Equal ones of a used graph are added once. */
void load_bad(struct load *l, int line, const char *where, const char *hint, const char *fmt, ...)
	IN_PRINTF(5, 6);
/* So many findings that no more are shown: spare the work of making them. */
bool load_full(const struct load *l);
/* "did you mean \"x\"?" in a, or NULL. */
const char *load_hint(struct load *l, const char *word, const char *const *names, size_t n);
const char *xelem_where(const struct xelem *x, char *buf, size_t n);
/* Loads text as a scene; up is NULL for the root. Also gives the tree to callers that ask. */
struct scene *load_scene(const char *file, const char *text, size_t len, const struct load_opts *o,
                         struct diags *d, struct load *up, const char *via, struct xdoc *tree);
struct scene *load_used(struct load *l, struct elem *el, const char *graph, int line);

/* xml_elem.c: the document's elements into scene arrays. */
void elems_collect(struct load *l);
/* xml_attr.c: attributes of every element: slots, parameters, animation, sets. */
void attrs_check(struct load *l);
void attr_unknown(struct load *l, const struct xelem *x, const struct xattr *at,
                  const char *const *names, size_t n);
/* Checks literal or expression text against p. 0 or -1 (reported). */
int text_check(struct load *l, const struct param *p, const char *text, int line,
               const char *where);
/* The node that "id" or "use.id" means within s, or NULL. */
struct elem *scene_inner(struct scene *s, const char *path);
const struct sparam *scene_sparam(const struct scene *s, const char *name);
bool elem_is_input(const struct elem *el);
const struct param *type_param(const struct node_type *t, const char *name);
/* xml_check.c: references, visibility, cycles, outputs, waivers. */
void refs_resolve(struct load *l);
struct id_entry *id_find(const struct scene *s, const char *id);
bool id_valid(const char *s);

#endif
