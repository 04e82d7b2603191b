/* graph - a scene as written: elements, attributes, references, passes, with their lines.
 *
 * scene_load parses and validates against the registry without running code or opening media; net.h
 * turns a scene into runnable nodes. Everything lives in one arena. Threads: frozen after loading.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAPH_H
#define IN_GRAPH_H

#include "base.h"
#include "err.h"
#include "mem.h"
#include "node.h"

struct attr { const char *name, *value; int line; };

enum ease { EASE_LINEAR, EASE_SMOOTH, EASE_HOLD, EASE_BEZIER };
struct anim_key { double frame; const char *value; enum ease ease; double bezier[4]; int line; };
struct anim { const char *param; struct anim_key *key; int nkey, line; };   /* keys ascending */

struct ref { const char *slot; int index; const char *target; int line; bool implied; };
/* index: position within a list slot. implied: in= left out inside a pass. target: id in the same scene;
 * for an `input` face element's users the target is that input's id. */

struct set { const char *node; struct attr *attr; int nattr; int line; };

/* A node element, or <use>, or <input>. */
struct elem {
	const char *tag, *id; int line;
	const struct node_type *type;        /* NULL for use, input */
	struct attr *attr; int nattr;        /* parameters as text; not id, not slots */
	struct ref *ref; int nref;           /* for use: slot is the name of the inner <input> */
	struct anim *anim; int nanim;
	int pass;                            /* index into scene.pass, or -1 */
	struct scene *used;                  /* use: the loaded graph (a scene of its own per instance) */
	struct set *set; int nset;
};

struct pass {
	/* kind: geometry cleanup detail motion neutral look integrate deliver, or "" */
	const char *id, *kind;
	const char *keep;                    /* auto always never */
	const char *depth;                   /* float half */
	const char *path;                    /* file pattern for the intermediates, or NULL */
	const char *out;                     /* id of the result element (given or the last one) */
	const char *note; int line;
};

struct sparam {
	const char *name; enum ptype type; const char *value, *doc; double min, max;
	const char *choices; int line;
};
struct script_ref { const char *file; int line; const char *sha256; };
struct waive { const char *rule, *node, *reason; int line; };
/* shot: id of the <use>, "" for the scene itself; pass: id within it, or "picture". */
enum { APPROVE_DIGITS = 32 };
struct approve { const char *shot, *pass, *by, *role, *hash, *note; int line; };
/* A still that shots are looked at beside: who somebody is, how it is lit, through which
 * lens. shot: id of a <use>, "": all. */
struct reference { const char *kind, *file, *shot, *note; int line; };
struct face { const char *id, *node; int line; };          /* <output id= in=> */

struct scene {
	struct arena *a;
	const char *file, *dir;              /* as given; folder of the file ("." when none) */
	const char *name, *version, *working;/* working: linear space name, default acescg */
	struct rational fps; bool has_fps;   /* fps="24", "24000/1001", "23.976" */
	bool picture_locked; const char *sequence;
	const char *ocio;                    /* OpenColorIO config, as written, or "" */
	struct elem *elem; int nelem;        /* document order; <input>s of a used graph included */
	struct pass *pass; int npass;
	struct sparam *param; int nparam;
	struct script_ref *script; int nscript;
	struct waive *waive; int nwaive;
	struct approve *approve; int napprove;
	struct reference *reference; int nreference;
	struct face *output; int noutput;
	struct registry *reg;
	struct key text_hash;                /* of the file's bytes */
	void *index;                         /* ids of elements, passes and outputs (xml_index.c) */
};

/* Types known to one scene: the static ones and those of its scripts. */
struct registry { const struct node_type **extra; int nextra; struct script_host *host; };
const struct node_type *registry_find(const struct registry *r, const char *name);
/* All visible types, sorted by name, n of them; malloced. */
const struct node_type **registry_all(const struct registry *r, int *n);

/* What the script layer (above) provides to the loader and the net (below). All calls from one thread. */
struct eval_env {
	double frame, fps; bool has_frame;   /* has_frame false: an expression that reads frame is an error */
	const struct sparam *param; const struct value *pvalue; int nparam;
	bool *used_frame;                    /* set when the expression read frame */
};
struct script_host {
	void *self;
	/* Loads a script file: adds node types to reg, remembers rules. Errors into d
	 * with the script's own lines. */
	int (*load)(struct script_host *h, struct registry *reg, const char *path,
	            const char *from_file, int line, struct diags *d);
	/* Evaluates the inside of {...}; result coerced to p's type, or to text when p is NULL. */
	int (*eval)(struct script_host *h, const char *expr, const struct eval_env *env, const struct param *p,
	            struct arena *a, struct value *out, struct err *e);
};

struct load_opts {
	struct script_host *host;            /* may be NULL: <script> and {} are errors then */
	const struct attr *set; int nset;    /* --set name=value: over <param> */
};

/* Loads file (or text, when not NULL: len bytes) and every graph it uses. All findings into d,
 * errors included; returns the scene even with errors when it could be parsed (for fmt-like verbs),
 * else NULL. No DOCTYPE, no entities, no network, size at most 64 MiB. */
struct scene *scene_load(const char *file, const char *text, size_t len, const struct load_opts *o,
                         struct diags *d);
void scene_free(struct scene **s);
struct elem *scene_elem(const struct scene *s, const char *id);
struct pass *scene_pass(const struct scene *s, const char *id);
/* A scene file's bytes, malloced, of at most the allowed size; NULL with a message. */
char *scene_read(const char *file, size_t *len, struct err *e);
/* The i-th reference still that goes with a shot (every one for ""), or NULL; path: openable, in a. */
const struct reference *scene_reference(const struct scene *s, const char *shot, int i,
                                        struct arena *a, const char **path);
/* A file named in the scene, openable: relative paths start at the scene's folder. */
char *scene_path(const struct scene *s, const char *path, struct arena *a);
/* The declaration that a <param> amounts to, for value_parse and value_check. */
void sparam_declare(const struct sparam *sp, struct param *out);
/* "24", "24000/1001", "23.976" (the nearest NTSC rate); 0 or -1. */
int fps_parse(const char *text, struct rational *out);
/* "in" for the slot called image, else the slot's name. */
const char *slot_attr(const struct slot *s);
/* Adds a type of a script; -1 when the name is taken or no XML name. reg->extra
 * is malloced, freed with the scene. */
int registry_add(struct registry *r, const struct node_type *t, struct err *e);

/* Attribute text as pieces: literal text ("{{" and "}}" made single braces) and the insides of {...}. */
struct expr_piece { bool expr; const char *text; };
/* The pieces, in a; -1 with a message when a brace has no partner. Text without braces is one literal
 * piece. p (may be NULL): in PF_OUTPUT paths "{rev}" and "{class}" are literal
 * text, for the node to fill in. */
int expr_split(const struct param *p, const char *text, struct arena *a,
               struct expr_piece **piece, int *n, struct err *e);
/* "<blur id=\"soft\">" for messages. */
const char *elem_where(const struct elem *el, char *buf, size_t n);

/* The canonical form: comments kept, attributes in declared order, canonical numbers, in= written out.
 * Formatting twice changes nothing. malloced text. */
char *scene_fmt(const char *file, const char *text, size_t len, const struct load_opts *o, struct diags *d);

/* Puts <tag attr.../> under <graph>: the one whose attributes are those of key gets these ("":
 * taken out), else a new one follows the last of its kind or all elements. attr NULL: takes that
 * one out with its line; E_SCENE when there is none. Everything else stays byte for byte. */
char *scene_put(const char *text, size_t len, const char *tag, const struct attr *key, int nkey,
                const struct attr *attr, int nattr, struct err *e);
/* Writes attributes into one element of the text, keeping everything else byte for byte (solve --apply). */
char *scene_patch(const char *text, size_t len, const char *elem_id, const struct attr *attr,
                  int nattr, struct err *e);

#endif
