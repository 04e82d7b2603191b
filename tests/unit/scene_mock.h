/* scene_mock - a few node types and a script host for the tests of scenes, schemas and docs.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SCENE_MOCK_H
#define IN_SCENE_MOCK_H

#include "graph.h"
#include "test.h"

struct mread { const char *file; int first; };
static const struct param mread_params[] = {
	P_PATH(mread, file, PF_REQUIRED | PF_MEDIA | PF_STATIC, "the clip"),
	P_INT(mread, first, 1, -100000, 100000, "frames", PF_STATIC, "number of its first frame"), P_END
};
struct mblur { double sigma, off[2], col[3], len; int filter, on; struct curve tone; const char *note; };
static const struct param mblur_params[] = {
	P_FLOAT(mblur, sigma, 1, 0, 500, "pixels", "width of the blur & <more>"),
	P_ENUM(mblur, filter, "gauss", "gauss|box|lanczos3", PF_STATIC, "kernel"),
	P_VEC2(mblur, off, 0, 0, -10, 10, "pixels", 0, "shift"),
	P_COLOUR(mblur, col, 1, 1, 1, 0, "tint"),
	P_LENGTH(mblur, len, "2%h", 0, 4000, 0, "reach"),
	P_BOOL(mblur, on, 1, 0, "switch"),
	P_CURVE(mblur, tone, 0, "tone curve"),
	P_STRING(mblur, note, "", PF_NOKEY, "words"), P_END
};
struct mwrite { const char *file; };
static const struct param mwrite_params[] = {
	P_PATH(mwrite, file, PF_REQUIRED | PF_OUTPUT | PF_NOKEY | PF_STATIC, "where to"), P_END
};
static const struct param mnone_params[] = { P_END };

static const struct node_type mock_types[] = {
	{ .name = "mread", .doc = "Reads a mock clip.", .category = "source", .version = 1, .size = sizeof(struct mread),
	  .params = mread_params, .inputs = "", .traits = TR_SOURCE },
	{ .name = "mblur", .doc = "Blurs.", .more = "Twice over.", .category = "image", .version = 1,
	  .size = sizeof(struct mblur), .params = mblur_params, .inputs = "image mask?", .flags = NF_RGB | NF_MASKED,
	  .traits = TR_BLUR, .want = WANT_LINEAR, .example = "<mblur id=\"soft\" in=\"plate\" sigma=\"2\"/>" },
	{ .name = "mmerge", .doc = "Lays one picture over another.", .category = "composite", .version = 1,
	  .params = mnone_params, .inputs = "image over mask?" },
	{ .name = "mlist", .doc = "Adds pictures.", .category = "composite", .version = 1, .params = mnone_params,
	  .inputs = "image*" },
	{ .name = "mwrite", .doc = "Writes.", .category = "output", .version = 1, .size = sizeof(struct mwrite),
	  .params = mwrite_params, .inputs = "image", .flags = NF_SINK, .traits = TR_OUTPUT },
	{ .name = "mhidden", .doc = "Not seen.", .category = "image", .version = 1, .params = mnone_params,
	  .inputs = "image", .flags = NF_HIDDEN },
};

static int mock_load(struct script_host *h, struct registry *reg, const char *path, const char *from, int line,
                     struct diags *d)
{
	(void)h;
	struct err e = ERR_INIT;
	if (!strstr(path, "mock.lua")) {
		diag_add(d, DIAG_ERROR, E_SCRIPT, from, line, "<script>", "", "no such script: %s", path);
		return -1;
	}
	for (size_t i = 0; i < IN_COUNT(mock_types); i++)
		if (registry_add(reg, &mock_types[i], &e) < 0)
			diag_add(d, DIAG_ERROR, E_SCRIPT, from, line, "<script>", "", "%s", e.msg);
	return 0;
}
static int mock_eval(struct script_host *h, const char *expr, const struct eval_env *env, const struct param *p,
                     struct arena *a, struct value *out, struct err *e)
{
	(void)h; (void)expr; (void)env; (void)p; (void)a; (void)out; (void)e;
	return -1;
}
__attribute__((unused)) static struct script_host mock_host = { NULL, mock_load, mock_eval };

/* The body wrapped as a whole scene with the mock types. */
#define SCENE(body) "<graph version=\"1\" name=\"t\">\n<script file=\"mock.lua\"/>\n" body "\n</graph>\n"

/* Some finding has this line (0: any) and this text in message or hint? */
__attribute__((unused))
static bool mock_found(const struct diags *d, int line, const char *part)
{
	for (size_t i = 0; i < d->n; i++)
		if ((!line || d->v[i].line == line) && (strstr(d->v[i].msg, part) || strstr(d->v[i].hint, part)))
			return true;
	return false;
}
__attribute__((unused))
static const char *mock_first(const struct diags *d)
{
	return d->n ? d->v[0].msg : "no finding";
}

#endif
