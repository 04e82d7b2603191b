/* lut_int - what the readers of LUT files share. Private to lut*.c. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_LUT_INT_H
#define IN_LUT_INT_H

#include "lut.h"

enum { LUT_WORDS = 6, LUT_WORD_MAX = 64 };

/* A text file line by line. */
struct lut_text {
	const char *name, *p, *end;
	int line;                               /* of the words */
	const char *begin, *eol;                /* that line */
	char word[LUT_WORDS][LUT_WORD_MAX];
	int nword;                              /* LUT_WORDS + 1: more */
	bool long_word;
	struct err *e;
};
void lut_text_init(struct lut_text *t, const char *name, const char *text, size_t len, struct err *e);
/* The next line that holds words; false at the end. Comments begin with '#'. */
bool lut_text_next(struct lut_text *t);
int lut_text_bad(const struct lut_text *t, const char *fmt, ...) IN_PRINTF(2, 3);     /* -1 */
int lut_text_number(const struct lut_text *t, int word, double *v);  /* finite, within floats; or -1 */

/* New steps at the end of l, their tables zeroed; NULL: E_MEMORY, or too many. */
struct lut_op *lut_add(struct lut *l, enum lut_kind kind, const char *name, struct err *e);
struct lut_1d *lut_add_1d(struct lut *l, int n, const char *name, struct err *e);
struct lut_3d *lut_add_3d(struct lut *l, int n, const char *name, struct err *e);
/* min and scale from a domain; false when it is empty or its slope is no sound float. */
bool lut_domain(double lo, double hi, int n, float *min, float *scale);
/* The node that is i-th where blue runs fastest. */
IN_INLINE float *lut_blue_fastest(const struct lut_3d *t, size_t i)
{
	size_t n = (size_t)t->n, b = i % n, g = i / n % n, r = i / n / n;
	return t->t + 4 * (r + n * (g + n * b));
}

/* The formats: fill l. 0 or -1. */
int lut_read_cube(struct lut *l, const char *name, const char *text, size_t len, struct err *e);
int lut_read_3dl(struct lut *l, const char *name, const char *text, size_t len, struct err *e);
int lut_read_spi1d(struct lut *l, const char *name, const char *text, size_t len, struct err *e);
int lut_read_spi3d(struct lut *l, const char *name, const char *text, size_t len, struct err *e);
int lut_read_clf(struct lut *l, const char *name, const char *text, size_t len, struct err *e);

/* --- lut_xml.c: a small tree with lines, for CLF --- */
struct lut_elem {
	char *tag; int line;
	char **attr; int nattr;                 /* name, value, name, value ... */
	char *text; size_t ntext, ctext; int text_line;
	struct lut_elem *child, *last, *next, *parent;
};
/* NULL with a message; lut_xml_free frees. */
struct lut_elem *lut_xml_read(const char *name, const char *text, size_t len, struct err *e);
void lut_xml_free(struct lut_elem **x);
const char *lut_xml_attr(const struct lut_elem *x, const char *name);    /* or NULL */

/* --- lut_clf.c and lut_clfops.c --- */
struct lut_clf { struct lut *l; const char *name; struct err *e; double in_max, out_max; };
int lut_clf_bad(const struct lut_clf *c, int line, const char *fmt, ...) IN_PRINTF(3, 4);
/* The text of x as n numbers, no more and no fewer; odd: inf and nan too. */
int lut_clf_numbers(const struct lut_clf *c, const struct lut_elem *x, size_t n, bool odd, double *v);
int lut_clf_attr_number(const struct lut_clf *c, const struct lut_elem *x, const char *name, double *v);
/* The child of that tag, the only one; NULL when absent; *rc -1 when there are two. */
const struct lut_elem *lut_clf_child(const struct lut_clf *c, const struct lut_elem *x, const char *tag,
	int *rc);
int lut_clf_log(struct lut_clf *c, const struct lut_elem *x);
int lut_clf_exponent(struct lut_clf *c, const struct lut_elem *x);
int lut_clf_cdl(struct lut_clf *c, const struct lut_elem *x);
int lut_clf_range(struct lut_clf *c, const struct lut_elem *x);

#endif
