/* cli - the command line: verbs, options in any order, help text; one table of each.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_CLI_H
#define IN_CLI_H

#include "err.h"
#include "graph.h"

enum progress { PROGRESS_AUTO, PROGRESS_PLAIN, PROGRESS_JSON, PROGRESS_NONE };

struct cli {
	const struct verb *verb;
	const char *arg[256]; int narg;      /* what is no option: scene, node, clips */
	const char *frames, *only, *out, *cache, *isa, *trace, *against, *along, *crop, *raw, *solve_node;
	int threads, proxy, tile, sample;
	size_t memory;
	struct attr set[64]; int nset;
	enum progress progress;
	bool allow_external, cuts, flicker, log_json; unsigned debug;
	bool oracle, keep_all, solve, apply, overwrite, no_fuse, json, wipe, side, diff, rng, xsd, markdown, write,
	     check_only, verbose, stages, no_cache, dry, outputs, textconv, help, relock, list,
		remove, unsure;
	     int step;
	const char *kind, *node, *range, *matrix, *space, *scale, *gain, *zoom, *skin, *zebra;   /* scope, still */
	int width, height, columns, bits;    /* scope, sheet */
	const char *picture, *reference, *name, *at, *shot, *pass, *by, *role, *note;
	size_t to;
	int cube; bool clf, cdl; const char *shaper, *space_in, *space_out;   /* bake */
	bool compare; const char *method, *table, *plot;                      /* grain */
};

struct verb { const char *name, *args, *doc; const char *options; int (*run)(struct cli *c, struct err *e); };

/* Fills c from argv; E_USAGE with the nearest option or verb. */
int cli_parse(int argc, char **argv, struct cli *c, struct err *e);
void cli_help(const struct verb *v);    /* NULL: the whole program */
extern const struct verb cli_verbs[];

/* The verbs: 0 or -1 with e; findings are printed by themselves. */
int verb_render(struct cli *c, struct err *e);
int verb_solve(struct cli *c, struct err *e);
int verb_still(struct cli *c, struct err *e);
int verb_check(struct cli *c, struct err *e);
int verb_plan(struct cli *c, struct err *e);
int verb_graph(struct cli *c, struct err *e);
int verb_fmt(struct cli *c, struct err *e);
int verb_nodes(struct cli *c, struct err *e);
int verb_schema(struct cli *c, struct err *e);
int verb_probe(struct cli *c, struct err *e);
int verb_model(struct cli *c, struct err *e);
int verb_lock(struct cli *c, struct err *e);
int verb_verify(struct cli *c, struct err *e);
int verb_cache(struct cli *c, struct err *e);
int verb_diff(struct cli *c, struct err *e);
int verb_explain(struct cli *c, struct err *e);
int verb_approve(struct cli *c, struct err *e);
int verb_new(struct cli *c, struct err *e);
int verb_version(struct cli *c, struct err *e);
int verb_bake(struct cli *c, struct err *e);
int verb_grain(struct cli *c, struct err *e);
int verb_scope(struct cli *c, struct err *e);
int verb_sheet(struct cli *c, struct err *e);
int verb_guide(struct cli *c, struct err *e);

#endif
