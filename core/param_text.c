/* param_text - the value in a filled parameter struct as canonical words.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <string.h>

#include "mathx.h"
#include "param.h"

const char *param_text(const struct param *p, const void *v, struct arena *a)
{
	const char *at = (const char *)v + p->off, *text;
	struct value x = { .type = p->type, .n = p->n };
	int i;
	switch (p->type) {
	case PT_STRING: case PT_PATH:
		memcpy(&text, at, sizeof text);
		return text && *text ? text : "\"\"";
	case PT_INT: case PT_BOOL: case PT_ENUM:
		memcpy(&i, at, sizeof i);
		if (p->type == PT_INT) return arena_printf(a, "%d", i);
		if (p->type == PT_BOOL) return i ? "yes" : "no";
		text = p->choices ? p->choices : "";
		for (; i > 0 && *text; i--) {
			text += strcspn(text, "|");
			text += *text == '|';
		}
		return arena_strndup(a, text, strcspn(text, "|"));
	case PT_CURVE:
		x.curve = (struct curve *)(void *)((char *)(uintptr_t)at);
		return x.curve->n ? value_print(p, &x, a) : "straight";
	default:
		memcpy(x.v, at, sizeof(double) * (size_t)p->n);
		text = "";
		for (i = 0; i < p->n; i++) {
			char num[40];
			mx_print(x.v[i], num);
			text = arena_printf(a, "%s%s%s", text, i ? " " : "", num);
		}
		return text;
	}
}
