/* script_int - what the files of the Lua layer share; not for others.
 * Threads: worker (each state belongs to the call that made it).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_SCRIPT_INT_H
#define IN_SCRIPT_INT_H

#include <lua.h>
#include <stdatomic.h>

#include "pixprog.h"
#include "script.h"

enum { SCRIPT_MAX_BYTES = 1 << 20, SCRIPT_MAX_STRING = 1 << 15, SCRIPT_MAX_REFUSALS = 64 };
#define SCRIPT_MEMORY ((size_t)64 << 20)
#define SCRIPT_STEPS  ((uint64_t)20000000)
/* Raise when the meaning of a script's text changes: part of every script type's key. */
#define SCRIPT_VERSION "interneg-lua 1"

/* Compiled Lua with its line numbers; in an arena. */
struct code { const char *v; size_t n; };
struct host;

/* One Lua state with its budgets. steps count VM instructions, pattern steps and bytes of work. */
struct script_vm {
	lua_State *L;
	size_t mem, mem_cap;
	int refusals;                        /* allocations refused so far; many end the script */
	uint64_t steps, limit;
	/* a budget is spent: every further instruction is an error */
	bool dead;
	const char *why;
	const atomic_int *cancel;
	const char *path;                    /* of the script, for messages */
	int err_line, decl_line;             /* of the error; of the node{ or rule{ being read */
	double luma[3];
	struct trace *trace;                 /* while a pixel function is traced */
	void *call;                          /* what the running entry works on */
};

/* script_sandbox.c */
/* sandbox and prelude, nothing of the user's; after host_prelude */
struct script_vm *vm_new(const struct host *h, const char *path, struct err *e);
void vm_free(struct script_vm **vm);
struct script_vm *vm_of(lua_State *L);
/* Runs f(L) protected, ud reachable as vm->call. -1 with E_SCRIPT "path:line: message". */
int vm_run(struct script_vm *vm, lua_CFunction f, void *ud, struct err *e);
/* Counts work; raises a Lua error when the budget is spent. */
void vm_charge(lua_State *L, uint64_t steps);
/* Push a chunk: of text, which is compiled, and of what was compiled before. Inside vm_run. */
void vm_text(lua_State *L, const char *text, size_t len, const char *name);
void vm_code(lua_State *L, const struct code *c, const char *name);
/* "table", "3.5", "nil": never an address. Pushes one string. */
const char *vm_tostring(lua_State *L, int idx);
/* Puts a read-only stand-in for the table on top of the stack in its place. */
void vm_freeze(lua_State *L);
/* Like pairs in C: pushes an array of the keys of the table at idx in the sandbox's order; their
 * number. */
lua_Integer vm_keys(lua_State *L, int idx);
int script_pairs(lua_State *L);          /* pairs and next of the sandbox */
int script_next(lua_State *L);

/* script_string.c, script_math.c, script_trace.c: one table each on the stack. */
int open_string(lua_State *L);
void add_patterns(lua_State *L);         /* find, match, gmatch, gsub into the table on the stack */
int open_utf8(lua_State *L);
int open_math(lua_State *L);
void open_trace(lua_State *L);           /* the metatable of traced values */

/* A number that is being traced? Then operations build the program instead of computing. */
bool trace_is(lua_State *L, int idx);
/* Pushes the traced result of op on the n arguments from idx on. */
int trace_op(lua_State *L, enum pp_op op, int idx, int n);
int trace_select(lua_State *L);          /* (a, op, b, yes, no) */

/* --- script.c: one file and its declarations --- */
enum script_kind { SCRIPT_BUILD, SCRIPT_PIXEL, SCRIPT_FRAME };
struct script_file {
	struct script_file *next;
	struct host *host;
	const char *path, *shown, *text; size_t len;   /* path: real; shown: as the scene writes it */
	struct code code;                    /* of the text, from its declaration on */
	struct key hash; char hex[65];
	const struct node_type **type; int ntype;
	struct script_rule *rule; int *rule_index; int nrule;
};
struct trace_cache;
/* node_type.user of script types. */
struct script_type {
	const struct script_file *file;
	int index;                           /* of the declaration in the file's result */
	enum script_kind kind;
	bool rgba, time;
	struct node_type type;
	struct trace_cache *cache;           /* pixel: programs traced so far, by their constants */
};
struct host {
	struct script_host face;
	struct arena *a;
	struct script_file *file;            /* newest first */
	struct script_vm *eval;
	struct script_type **types; int ntypes; size_t ctypes;
	struct code prelude;                 /* empty until host_prelude */
	const char *prelude_text; size_t prelude_len;
	bool relock;
};

/* script_code.c */
/* The prelude, read and compiled once; 0, or -1 with E_SCRIPT. */
int host_prelude(struct host *h, struct err *e);
/* Keeps the function on top of the stack, which stays there. */
void code_take(lua_State *L, struct arena *a, struct code *c);
/* A file's text from the arena, or NULL with E_SCRIPT: none there, over SCRIPT_MAX_BYTES. */
char *script_text(const char *path, struct arena *a, size_t *len, struct err *e);

int script_read(struct host *h, const char *path, struct script_file **out, struct err *e);
/* Reads and declares a script once; errors into d, with the script's own lines. */
int script_add(struct host *h, const char *path, struct script_file **out, struct diags *d,
               const char *from, int from_line);
/* A fresh state in which the file has run; its declarations are the array at the top of the stack
 * when an entry run by vm_run calls vm_decls. */
struct script_vm *script_open(const struct script_file *f, struct err *e);
void vm_decls(lua_State *L);             /* pushes the array of declarations */
/* pushes field of declaration index */
void vm_decl(lua_State *L, int index, const char *field);
/* Pushes the table p of a node's parameters: numbers, booleans, strings, arrays. floats traced:
 * as uniforms. */
void vm_params(lua_State *L, const struct node_ctx *n);

/* script_eval.c */
int script_eval(struct script_host *h, const char *expr, const struct eval_env *env,
                const struct param *p, struct arena *a, struct value *out, struct err *e);

/* Names of the bits of enum trait, in order. */
enum { SCRIPT_TRAITS = 18 };
extern const char *const script_traits[SCRIPT_TRAITS];

/* script_decl.c: the declaration table on top of the stack becomes st->type. */
void decl_node(lua_State *L, struct host *h, struct script_type *st);

/* Pushes the prelude's function that gives a raw graph table its methods. */
void vm_graph_methods(lua_State *L);

/* script_build.c, script_frame.c, script_trace.c: what node types of scripts run. */
int script_expand(struct expand *x, const struct node_ctx *n, struct err *e);
int script_frame(const struct call *c);
int script_pixel_open(struct node_ctx *n, struct err *e);
void script_pixel_close(struct node_ctx *n);
struct trace_cache *trace_cache_new(void);
void trace_cache_free(struct trace_cache **c);

#endif
