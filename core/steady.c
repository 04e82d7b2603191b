/* steady - see steady.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "steady.h"

#include <stdio.h>

/* The motion to the frame k away, with how far it is to be believed. */
static struct xnode *trusted(struct expand *x, struct xnode *source, int k,
                             const struct steady_ask *a, struct err *e)
{
	char name[32];
	double offset = k;
	snprintf(name, sizeof name, "flow%d", k + STEADY_REACH);
	struct xnode *flow = expand_node(x, "flow", name, e);
	if (!flow || expand_connect(x, flow, "image", source, e) < 0 ||
	    expand_set_num(x, flow, "offset", &offset, 1, e) < 0)
		return NULL;
	snprintf(name, sizeof name, "trust%d", k + STEADY_REACH);
	struct xnode *t = expand_node(x, "steady_trust", name, e);
	if (!t || expand_connect(x, t, "image", source, e) < 0 ||
	    expand_connect(x, t, "flow", flow, e) < 0 ||
	    expand_set_num(x, t, "offset", &offset, 1, e) < 0 ||
	    expand_set_num(x, t, "tolerance", &a->tolerance, 1, e) < 0)
		return NULL;
	return t;
}

struct xnode *steady_expand(struct expand *x, struct xnode *image, struct xnode *source,
                            const struct steady_ask *a, struct err *e)
{
	struct xnode *motion[2 * STEADY_REACH], *b;
	double reach = a->reach;
	int n = 0;
	for (int k = -a->reach; k <= a->reach; k++)
		if (k && !(motion[n++] = trusted(x, source, k, a, e))) return NULL;
	/* nodes are made in this order: it reads the others */
	b = expand_node(x, "steady_blend", "steady", e);
	if (!b || expand_connect(x, b, "image", image, e) < 0 ||
	    expand_set_num(x, b, "amount", &a->amount, 1, e) < 0 ||
	    expand_set_num(x, b, "change", &a->change, 1, e) < 0 ||
	    expand_set_num(x, b, "reach", &reach, 1, e) < 0)
		return NULL;
	for (int i = 0; i < n; i++)
		if (expand_connect(x, b, "motion", motion[i], e) < 0) return NULL;
	return b;
}
