/* scope_int - what the scopes share among themselves; nobody else includes it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SCOPE_INT_H
#define IN_SCOPE_INT_H

#include "scope.h"

/* A plot inside its cell. */
struct plot { const struct canvas *c; struct rect cell,
             box; const struct signal *s; struct err *e; };

static const struct ink scope_back = { 12, 12, 14, 255 }, scope_line = { 150, 150, 160, 110 };
static const struct ink scope_text = { 190, 190, 196, 255 }, scope_dim = { 122, 122, 130, 255 };
static const struct ink scope_mark = { 226, 172, 74, 255 };
extern const struct ink scope_rgb[4];

/* 0..255 for count of about n samples a line: a single pixel is seen, a flat field does not flare.
 * */
int scope_glow(uint64_t count, uint64_t n);
/* Adds light of that colour to a pixel that was drawn before; held at 255. */
void scope_add(const struct canvas *c, int x, int y, struct ink k, int glow);
/* Lines and labels of a level scale over box, whose rows run through all codes. */
void scope_levels(const struct plot *p);
/* Row of a code inside box. */
int scope_row(const struct plot *p, double code);
/* A line of numbers at the foot of the cell. */
void scope_foot(const struct plot *p, const char *fmt, ...) IN_PRINTF(2, 3);

int scope_wave(struct plot *p, enum scope_kind kind);
int scope_histogram(struct plot *p);
int scope_vector(struct plot *p);
int scope_cie(struct plot *p, bool uv);
int scope_image(struct plot *p, enum scope_kind kind);

#endif
