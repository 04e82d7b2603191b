/* param - declared, typed parameters of nodes: parsing, ranges, canonical text.
 *
 * A node declares a struct and a table; the core fills the struct from XML or Lua text, at a frame,
 * checks ranges, prints it canonically into keys, and generates schema and reference from the table.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_PARAM_H
#define IN_PARAM_H

#include "base.h"
#include "err.h"
#include "hash.h"
#include "mem.h"

enum ptype {
	PT_END, PT_FLOAT, PT_INT, PT_BOOL, PT_ENUM, PT_STRING, PT_PATH, PT_COLOUR, PT_VEC,
	PT_LENGTH, PT_CURVE
};
enum pflag {
	PF_STATIC = 1,      /* may not be animated or depend on frame (geometry, files, structure) */
	PF_FILE = 2,        /* path of an input file: its content's SHA-256 enters the key, not its name */
	PF_SOLVED = 4,      /* written by `interneg solve` */
	PF_NOKEY = 8,       /* does not change pixels (output paths, notes) */
	PF_REQUIRED = 16,
	PF_OUTPUT = 32,     /* path of an output */
	PF_HIDDEN = 64,
	PF_MEDIA = 128,     /* path of a source that .content hashes itself (clips, sequences) */
	PF_LATER = 256,     /* came after the type's first keys: enters the key only when it is not the default */
	PF_EDIT = 512,      /* an edit decision (cut, trim, speed): under picture lock on any node; of sources, retimes
	                     * and dissolves every keyed parameter is one */
	PF_MARKS = 16384,   /* text in which {shot} {tc} {source} {source_tc} {rev} {state} are literal, for the node to fill in */
	PF_PLACES = 32768,  /* text in which {in} {out} {first} {last} are literal, for the node to fill in */
	PF_SPACE = 65536,   /* name of a colour space; the reference lists them (other words may be taken beside them) */
	PF_WAS_BOOL = 1024  /* two choices, once no and yes: takes those words still, and is keyed as they were */
};

/* Types in the node's struct: FLOAT, LENGTH double; INT, BOOL, ENUM int (enum: index of choice);
 * STRING, PATH const char * (never NULL; paths are made relative to the scene file, i.e. openable);
 * COLOUR double[3]; VEC double[n]; CURVE struct curve. LENGTH arrives in pixels of this render. */
struct curve { int n; double x[32], y[32]; };   /* x ascending; n 0: identity */

struct param {
	const char *name; enum ptype type; size_t off; int n;
	double def[4]; const char *sdef;             /* sdef: strings, enums, curves, lengths ("2%h") */
	double min, max; const char *unit, *choices; /* choices: "a|b|c" */
	unsigned flags; const char *doc;
};

#define P_FLOAT(S, f, d, lo, hi, u, doc_)  { #f, PT_FLOAT, offsetof(struct S, f), 1, {d}, NULL, lo, hi, u, NULL, 0, doc_ }
#define P_FLOATX(S, f, d, lo, hi, u, fl, doc_) { #f, PT_FLOAT, offsetof(struct S, f), 1, {d}, NULL, lo, hi, u, NULL, fl, doc_ }
#define P_INT(S, f, d, lo, hi, u, fl, doc_) { #f, PT_INT, offsetof(struct S, f), 1, {d}, NULL, lo, hi, u, NULL, fl, doc_ }
#define P_BOOL(S, f, d, fl, doc_)          { #f, PT_BOOL, offsetof(struct S, f), 1, {d}, NULL, 0, 1, "", NULL, fl, doc_ }
#define P_ENUM(S, f, d, ch, fl, doc_)      { #f, PT_ENUM, offsetof(struct S, f), 1, {0}, d, 0, 0, "", ch, fl, doc_ }
#define P_STRING(S, f, d, fl, doc_)        { #f, PT_STRING, offsetof(struct S, f), 1, {0}, d, 0, 0, "", NULL, fl, doc_ }
#define P_PATH(S, f, fl, doc_)             { #f, PT_PATH, offsetof(struct S, f), 1, {0}, "", 0, 0, "", NULL, fl, doc_ }
#define P_VEC3(S, f, a, b, c, lo, hi, u, fl, doc_) { #f, PT_VEC, offsetof(struct S, f), 3, {a,b,c}, NULL, lo, hi, u, NULL, fl, doc_ }
#define P_VEC2(S, f, a, b, lo, hi, u, fl, doc_) { #f, PT_VEC, offsetof(struct S, f), 2, {a,b}, NULL, lo, hi, u, NULL, fl, doc_ }
#define P_COLOUR(S, f, a, b, c, fl, doc_)  { #f, PT_COLOUR, offsetof(struct S, f), 3, {a,b,c}, NULL, -1e6, 1e6, "", NULL, fl, doc_ }
#define P_LENGTH(S, f, d, lo, hi, fl, doc_) { #f, PT_LENGTH, offsetof(struct S, f), 1, {0}, d, lo, hi, "pixels", NULL, fl, doc_ }
#define P_CURVE(S, f, fl, doc_)            { #f, PT_CURVE, offsetof(struct S, f), 1, {0}, "", -1e6, 1e6, "", NULL, fl, doc_ }
#define P_VEC3X(S, f, a, lo, hi, u, fl, doc_) P_VEC3(S, f, a, a, a, lo, hi, u, fl, doc_)
#define P_END { NULL, PT_END, 0, 0, {0}, NULL, 0, 0, NULL, NULL, 0, NULL }

/* One parsed value. str points into the arena given to value_parse. */
struct value { enum ptype type; int n; double v[4]; const char *s; struct curve *curve; bool percent_h; };

const struct param *param_find(const struct param *table, const char *name);
int param_count(const struct param *table);
/* Parses text for p (no `{}` left in it): type, range, choice. E_SCENE message names the value, what was
 * expected, the range, the nearest choice. One number for a vector or colour means all components;
 * colours also "#rrggbb" (as given, 0..1). Curve: "x,y x,y ...". */
int value_parse(const struct param *p, const char *text, struct arena *a, struct value *out, struct err *e);
int value_default(const struct param *p, struct arena *a, struct value *out);
/* "0..500 pixels", "at least 0 stops", "any number". */
void param_range(const struct param *p, char *out, size_t n);
/* Range check of a computed value (animation, expression). */
int value_check(const struct param *p, const struct value *v, struct err *e);
/* Stores into the node's struct; height and scale resolve lengths: pixels * scale, or percent of height. */
void value_store(const struct param *p, const struct value *v, void *dst, double height, double scale);
/* Blends two values of one type for animation: numbers componentwise, others hold a. */
void value_mix(const struct value *a, const struct value *b, double t, struct value *out);
/* The canonical text: parses back to the same value; used by fmt, solve and docs. */
char *value_print(const struct param *p, const struct value *v, struct arena *a);
/* The value that a filled struct holds, in canonical words: the opposite of value_store, lengths in pixels. */
const char *param_text(const struct param *p, const void *v, struct arena *a);
/* Adds name and value of every keyed parameter of the filled struct to s; PF_FILE paths by content. */
int params_hash(struct sha *s, const struct param *table, const void *v, struct err *e);
/* Fills v with defaults. */
void params_default(const struct param *table, void *v, struct arena *a, double height);

/* Monotone cubic (Fritsch-Carlson) through the curve's points, straight beyond its ends. */
double curve_eval(const struct curve *c, double x);

#endif
