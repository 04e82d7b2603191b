/* schema - the scene language as RELAX NG and XSD, for editors and xmllint; made from the registry.
 * With a scene: also the types of its scripts and the faces of the graphs it uses.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SCHEMA_H
#define IN_SCHEMA_H

#include <stdio.h>

#include "graph.h"

/* s may be NULL. RELAX NG knows faces exactly; XSD 1.0 cannot, and takes the union of all faces. */
void schema_rng(FILE *f, const struct registry *reg, const struct scene *s);
void schema_xsd(FILE *f, const struct registry *reg, const struct scene *s);

/* s as XML text or attribute value. */
void schema_escape(FILE *f, const char *s);
/* The graph= text by which scene s uses `used`. */
const char *schema_graph_name(const struct scene *s, const struct scene *used);
/* Is el the first <use> of its graph in s? */
bool schema_first_use(const struct scene *s, int elem);
/* "width of the blur (0..500 pixels, 1 unless given)" in buf. */
const char *schema_doc(const struct param *p, char *buf, size_t n);

/* Patterns shared by both languages. */
#define SCHEMA_ID "[A-Za-z_][A-Za-z0-9_\\-]*"
#define SCHEMA_NUM "[+\\-]?([0-9]+(\\.[0-9]*)?|\\.[0-9]+)([eE][+\\-]?[0-9]+)?"
#define SCHEMA_EXPR "\\{[^{](.|\\n|\\r)*\\}"

#endif
