/* script - Lua 5.4 inside the program: node types, expressions and pass rules, in a sandbox.
 *
 * A script can compute and nothing else: no files, clocks, addresses or order of hashing; memory,
 * instructions, pattern matching and string work are budgeted. Every call into a node's functions
 * gets a fresh state, so they are pure functions of their arguments. Only expressions keep a
 * state, whose globals are read-only.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SCRIPT_H
#define IN_SCRIPT_H

#include "graph.h"

struct net;

/* The host that scene_load and the net call. It owns the node types of its scripts and must
 * outlive every scene and net that uses them. load, eval: one thread at a time (the net's lock);
 * node functions: any thread. */
struct script_host *script_host_new(void);
void script_host_free(struct script_host **h);

/* The folder of the program's own Lua: $INTERNEG_SHARE/lua, else ../share/interneg/lua, lua or
 * ../lua beside the executable. 0, or -1 with E_SCRIPT when none holds prelude.lua. */
int script_share(char *out, size_t size, struct err *e);

/* Runs the built-in pass rules (rules_dir/isolated_passes.lua; NULL: the program's own folder)
 * and those of the host's scripts over the net. Findings go to d with rule, node and place; the
 * scene's waivers mark theirs. lock_text: the text of SCENE.lock, or NULL. 0, or -1 when a rule
 * could not run (also in d). */
int script_rules(struct script_host *h, const struct net *n, const char *rules_dir,
                 const char *lock_text, struct diags *d);

/* The rules that compare with SCENE.lock let everything through: it is about to be written anew. */
void script_relock(struct script_host *h, bool relock);

/* What `check` and the reference list: id and headline of every rule that script_rules would run,
 * in order;
 * strings live as long as the host. n of them, malloced. */
struct script_rule { const char *id, *doc, *file; };
struct script_rule *script_rule_list(struct script_host *h, const char *rules_dir, int *n,
                                     struct err *e);

#endif
