/* nn_proto - protocol buffers as they lie in a file, read field by field and never beyond their end.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NN_PROTO_H
#define IN_NN_PROTO_H

#include <string.h>

#include "base.h"

struct pb { const unsigned char *p, *end; };
/* wire 0: v; 1, 5: v holds the 8 or 4 bytes; 2: sub. */
struct pb_field { unsigned id, wire; uint64_t v; struct pb sub; };

static inline bool pb_varint(struct pb *b, uint64_t *v)
{
	*v = 0;
	for (int shift = 0; shift < 64 && b->p < b->end; shift += 7) {
		unsigned char c = *b->p++;
		*v |= (uint64_t)(c & 0x7f) << shift;
		if (c < 0x80) return true;
	}
	return false;
}

static inline bool pb_fixed(struct pb *b, unsigned n, uint64_t *v)
{
	*v = 0;
	if ((size_t)(b->end - b->p) < n) return false;
	for (unsigned i = 0; i < n; i++) *v |= (uint64_t)b->p[i] << 8 * i;
	b->p += n;
	return true;
}

/* 1: f is the next field; 0: none; -1: it is damaged. */
static inline int pb_next(struct pb *b, struct pb_field *f)
{
	uint64_t tag, n;
	if (b->p >= b->end) return 0;
	if (!pb_varint(b, &tag) || tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return -1;
	f->id = (unsigned)(tag >> 3);
	f->wire = (unsigned)(tag & 7);
	switch (f->wire) {
	case 0: return pb_varint(b, &f->v) ? 1 : -1;
	case 1: return pb_fixed(b, 8, &f->v) ? 1 : -1;
	case 5: return pb_fixed(b, 4, &f->v) ? 1 : -1;
	case 2: break;
	default: return -1;
	}
	if (!pb_varint(b, &n) || n > (uint64_t)(b->end - b->p)) return -1;
	f->sub = (struct pb){ b->p, b->p + n };
	b->p += n;
	return 1;
}

static inline float pb_float(uint64_t bits)
{
	uint32_t u = (uint32_t)bits;
	float f;
	memcpy(&f, &u, sizeof f);
	return f;
}
static inline size_t pb_size(struct pb b) { return (size_t)(b.end - b.p); }
static inline bool pb_is(struct pb b, const char *s)
{ return pb_size(b) == strlen(s) && memcmp(b.p, s, strlen(s)) == 0; }
static inline bool pb_same(struct pb a, struct pb b)
{
	return pb_size(a) == pb_size(b) && (!pb_size(a) || memcmp(a.p, b.p, pb_size(a)) == 0);
}

#endif
