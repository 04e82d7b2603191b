/* session - a scene at work in one verb: script host, loaded scene, net, cache, findings.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SESSION_H
#define IN_SESSION_H

#include "cli.h"
#include "external.h"
#include "render.h"

struct session {
	const struct cli *c;
	const char *file;
	struct script_host *host;
	struct scene *scene;
	struct net *net;
	struct cache *cache;
	struct diags d;
	struct solve_over *over; int nover;  /* proposed attributes in force */
	struct solve_shots *shots;           /* of the clips looked at */
	int nrefused;                        /* proposals that were not sure enough */
	double confidence; char said[900];   /* of the last one measured */
	struct settings settings; struct external_leave leave;   /* what the user allows */
	char *rev;                           /* for {rev}, when some write asks */
	struct arena *a;
	struct pool *pool;                   /* pictures that a verb holds beside a render */
};

/* A proposal of less confidence is told and not applied. */
#define SOLVE_SURE 0.25

enum session_want { WANT_SCENE, WANT_NET, WANT_RENDER };
/* Loads the scene and, when asked, builds its net and applies the pass rules; for WANT_RENDER
 * unsolved nodes are errors. Findings are printed. -1: e has the status and an empty message
 * when everything was said already. */
int session_open(struct session *s, const struct cli *c, const char *file, enum session_want want,
                 struct err *e);
/* Builds (again) the net with the overrides in force. */
int session_net(struct session *s, const char *only, struct err *e);
int session_rules(struct session *s, bool unsolved_is_error, struct err *e);
void session_close(struct session *s);
void solve_forget(struct session *s);     /* part of it: what solve remembers of clips */
/* Prints the findings so far and empties the list; -1 with the status when errors are among them. */
int session_say(struct session *s, struct err *e);

/* Measures every unsolved node (or the one named; NULL: all that want solving)
 * in order and puts the proposals into s->over; prints them when tell. The net is
 * rebuilt. Returns how many, or -1. */
int session_solve(struct session *s, const char *node, bool only_unsolved, bool tell, struct err *e);
bool node_is_unsolved(const struct net_node *nn);
/* The key of what would be measured for nn: 16 hex digits. */
int solve_key(struct session *s, struct net_node *nn, char out[65], struct err *e);

/* After a render: tells of every LUT that clamps which share of the pixels of some of the frames
 * lies outside its domain. The net is rebuilt. */
int session_lut_share(struct session *s, struct err *e);

struct render_opts session_opts(const struct session *s);
/* The signal that asked to stop, 0 if none; set by main's handlers. */
extern atomic_int session_cancel;

/* git's description of the scene, asked for once. */
const char *session_rev(struct session *s);

/* By element id, pass id (its result) or full path; E_USAGE with the nearest name. */
struct net_node *session_find(const struct session *s, const char *id, struct err *e);

#endif
