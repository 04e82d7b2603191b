/* lua_hand - the grade of lua.c by hand: what a C compiler makes of the same arithmetic; built once per instruction set.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "px_math.h"

void ISA(hand_grade)(const float *const in[3], float *const out[3], const float u[14], int n);

/* What is written may lie where it is read. */
static void rows(const float *r_in, const float *g_in, const float *b_in, float *r_out, float *g_out, float *b_out,
                 const float u[14], int n)
{
	const float gr = u[0], gg = u[1], gb = u[2], ar = u[3], ag = u[4], ab = u[5], sat = u[6], pivot = u[7],
	    contrast = u[8], top = u[9], wr = u[11], wg = u[12], wb = u[13];
#pragma GCC ivdep
	for (int i = 0; i < n; i++) {
		float r = px_max(r_in[i] * gr + ar, 0.0f), g = px_max(g_in[i] * gg + ag, 0.0f),
		    b = px_max(b_in[i] * gb + ab, 0.0f);
		float y = r * wr + g * wg + b * wb;
		r = y + (r - y) * sat;
		g = y + (g - y) * sat;
		b = y + (b - y) * sat;
		r_out[i] = px_min((r - pivot) * contrast + pivot, top);
		g_out[i] = px_min((g - pivot) * contrast + pivot, top);
		b_out[i] = px_min((b - pivot) * contrast + pivot, top);
	}
}

void ISA(hand_grade)(const float *const in[3], float *const out[3], const float u[14], int n)
{
	rows(in[0], in[1], in[2], out[0], out[1], out[2], u, n);
}
