/* node - what a node type is: one const struct in one file under nodes/.
 *
 * A type declares parameters, slots and pure functions (format, needs, identity), and has exactly one of
 * tile (a rect of the output from declared rects of the inputs), frame (a whole frame, may do I/O),
 * or expand (composes other nodes at plan time); where expand may decline, tile stands beside it.
 * The core derives keys, conversions, masks, docs, schema and tests from the declaration.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_NODE_H
#define IN_NODE_H

#include <stdatomic.h>

#include "base.h"
#include "colour.h"
#include "err.h"
#include "hash.h"
#include "image.h"
#include "param.h"

enum { NODE_MAX_SLOTS = 8, NODE_MAX_CONN = 64, NODE_MAX_NEEDS = 128 };

/* Traits, for the pass rules; composites (use, build, expand) inherit the union. */
enum trait {
	TR_AI = 1, TR_UPSCALE = 2, TR_NEUTRAL = 4, TR_GRADE = 8, TR_LUT = 16, TR_BLUR = 32, TR_TONE = 64,
	TR_GRAIN = 128, TR_RESIZE = 256, TR_RETIME = 512, TR_CLIPS = 1024, TR_OUTPUT = 2048,
	TR_SOURCE = 4096, TR_CONVERT = 8192, TR_GEOMETRY = 16384, TR_CLEANUP = 32768, TR_DISSOLVE = 65536,
	TR_VIEW = 131072
};

/* The space a node works in; the core converts image inputs to it and labels the output with it. */
enum want { WANT_ANY, WANT_LINEAR, WANT_LOG, WANT_ENCODED };
/* LINEAR: the graph's working space (scene linear). LOG: acescct. ENCODED: format.encoded. ANY: as it
 * comes (further image inputs are brought to the first one's). */

enum node_flag {
	/* The node sees planes R,G,B only (out and all image inputs; "mask" inputs keep their channels). Other
	 * channels of input 0 are passed on by the core. Input colours are unpremultiplied before and the
	 * output premultiplied after, by input 0's alpha, unless NF_PREMULT. */
	NF_RGB = 1,
	NF_PREMULT = 2,
	/* The type has a "mask?" slot that the core serves: out = in + (node(in) - in) * mask * mix, with the
	 * common parameters mix and mask_invert. The node itself never sees the mask. Needs equal windows. */
	NF_MASKED = 4,
	NF_TIME = 8,       /* output depends on the frame number itself, which is then in the key */
	NF_SINK = 16,      /* consumes frames in order (write); has begin, frame, end; no output */
	NF_HIDDEN = 32,    /* made by the core, not writable in scenes (convert made implicit, tests) */
	NF_SOLVE = 64,     /* must be solved or set by hand before it renders */
	NF_PAST = 128      /* reads no output back; with call->run it goes past the caches, NaNs canonical */
};
struct lut_store;
struct grain_store;
struct skin_ref;
struct external_leave;

/* What pure functions see. in[i] is NULL for an absent optional input. Threads: frozen. */
struct node_ctx {
	const struct node_type *type;
	const char *id;                      /* full path, "s010.graded" */
	const void *v;                       /* filled parameter struct (type->size) */
	void *state;                         /* from open; immutable for tile nodes */
	int nconn;                           /* inputs: slot order; a list slot comes last and may repeat */
	const struct format *in[NODE_MAX_CONN];
	const struct format *out;            /* NULL while format() runs */
	int working;                         /* the graph's linear working space */
	double scale;                        /* 1/proxy */
	struct rational fps;                 /* graph rate, 0/1 while unknown */
	/* 0, or hash of the enclosing use's path: only NF_TIME types may read it */
	uint64_t instance;
	const char *base;                    /* folder of the scene file */
	struct lut_store *luts;              /* LUT files read for this net (lut.h); NULL: none are kept */
	/* grain shapes made for this net (grain_kernel.h); NULL: none are kept */
	struct grain_store *grains;
	const struct external_leave *leave;  /* which programs may be run (external.h); NULL: none */
	const char *ocio;                    /* OpenColorIO config that the graph names, openable, or NULL */
	/* what the hold_skin slot declares (skin.h); NULL: nothing is connected */
	const struct skin_ref *skin;
};

struct need { int conn, frame; struct rect rect; };
/* ncore: how many at the end the core itself asked for (pass-through channels, alpha, mask). */
struct needs { int n; struct need v[NODE_MAX_NEEDS]; int ncore; };
/* Appends; rect may exceed the data window (the core clips it), frame may exceed the range (clamped). */
void need_add(struct needs *n, int conn, int frame, struct rect rect);

/* One call of tile or frame. in[i] belongs to need[i]; a view covers exactly the clipped need
 * (empty r for absent inputs and needs outside the data window). */
struct call {
	const struct node_ctx *n;
	int frame;                           /* 0 unless NF_TIME, source or sink */
	int nin;
	const struct need *need;
	const struct view *in;
	const struct view *out;              /* covers exactly the rect to write; NULL for sinks */
	void *scratch;                       /* type->scratch(n, rect) bytes, 64-byte aligned */
	void *run;                           /* sinks: what begin made; NF_PAST: see there */
	struct pixhash *hash;                /* sinks: hash of what was handed to the encoder */
	void *packed;                        /* sinks that pack: the frame as it enters the encoder */
	void **coded;                        /* sinks that code: what code makes of it and frame takes */
	int worker;                          /* of sink_job.threads, the one that calls code */
	/* sinks without order: what marks this frame's own file, 64 hex digits */
	const char *root;
	const atomic_int *cancel;            /* poll every 50 ms of work; return -1 when set */
	struct err *err;
};

/* begin of a sink. audio: the nearest read upward along first slots (NULL: none). */
struct sink_job {
	const struct node_ctx *n;
	const int *frames; int nframes;      /* output frames asked for, ascending */
	bool whole;                          /* they are the node's whole range */
	bool part;                           /* some frames of a clip: packed for the journal, nothing is written */
	bool overwrite;
	bool dry;                            /* only hashes are wanted: no file is looked at or written */
	int threads;                         /* of the whole process, codec threads included */
	const char *rev;                     /* git description for {rev}, or "" */
	const char *root_key;                /* 64 hex digits: equal means the same pixels */
	const char *audio_file;              /* or NULL */
	struct rational audio_fps; int audio_first;  /* source frame that output frame frames[0] shows */
	const char *outpath;                 /* override by -o, or NULL */
	const char *class;                   /* "draft" or "final", "" where the scene speaks of neither */
};

/* How a sink takes its frames. PACKS: pack turns a picture into what enters the encoder, in any
 * order and on any worker, and frame takes that; without it frame takes the picture. ORDERED: frame
 * is called in order, one call at a time (clips); without it every frame is a file of its own and
 * frame is called as frames come, at once. CODES, with both: code encodes packed frames, each for
 * itself, in any order and on any worker, and frame takes what came of it. */
enum sink_kind { SINK_PACKS = 1, SINK_ORDERED = 2, SINK_CODES = 4 };
/* A packed frame begins with this many bytes of the sink's own, of which the first are the frame's
 * struct pixhash; 16-bit words follow. */
enum { SINK_PACKED_HEAD = 128 };

/* solve: measured frames in, attribute texts out. */
struct solve_sample {
	int frame; const struct image *in, *reference;
	const struct image *region, *reference_region;       /* masks of what is to be measured, or NULL */
};
struct solve_attr { const char *name; char value[256]; };
struct solve_call {
	const struct node_ctx *n;
	int nsamples; const struct solve_sample *sample;   /* in the space the node wants, full resolution */
	struct solve_attr attr[16]; int nattr;
	double confidence;                   /* 0..1 */
	char note[900];                      /* what was measured, which limits were hit */
	/* malloced text of a LUT for the path in bake=, or NULL; --apply writes it */
	char *table;
};

struct expand;                               /* net.h */

struct node_type {
	const char *name, *doc;              /* doc: the headline sentence */
	const char *more;                    /* further paragraphs of the reference, or NULL */
	const char *category;                /* source image colour composite geometry time output */
	int version;                         /* raise when pixels change */
	size_t size;                         /* of the parameter struct */
	const struct param *params;
	const char *inputs;                  /* "image mask?", "image over mask?", "image*", "" */
	unsigned flags, traits;
	enum want want;
	int lanes;                           /* >0: at most that many concurrent calls of one instance */
	const char *example;                 /* XML snippet for the reference */

	/* beside .version, of these parameters alone: raise when what only they do changes; 0: nothing to tell apart */
	int (*revision)(const struct node_ctx *n);
	unsigned (*traits_of)(const struct node_ctx *n);               /* beside .traits; parameters only */
	/* instead of .want; where a mask or mix stands over the node, WANT_ANY means .want */
	enum want (*want_of)(const struct node_ctx *n, int conn);
	/* output space id; default: input 0's (after conversion) */
	int (*out_space)(const struct node_ctx *n);
	int (*open)(struct node_ctx *n, struct err *e);                /* sets n->state; inputs' formats known */
	void (*close)(struct node_ctx *n);
	int (*format)(const struct node_ctx *n, struct format *out, struct err *e);  /* *out starts as input 0's */
	/* default: same of all */
	void (*needs)(const struct node_ctx *n, int frame, struct rect r, struct needs *out);
	/* output IS input 0, same frame, same format */
	bool (*identity)(const struct node_ctx *n);
	/* the same planes as input 0 under another format: nothing is computed */
	bool (*relabel)(const struct node_ctx *n);
	size_t (*scratch)(const struct node_ctx *n, struct rect r);    /* bytes tile needs for r */
	/* tile may get the planes of an image input of the same channels as out: what a pixel is made of is that pixel
	 * of the inputs alone, and is read before it is written */
	bool (*in_place)(const struct node_ctx *n);
	/* bytes a codec or model holds beside pixels */
	size_t (*reserve)(const struct node_ctx *n);
	/* per output pixel, for the planner; default 20 */
	double (*flops)(const struct node_ctx *n);
	/* operations of a tile where its border costs much: the planner then makes tiles large; default:
	 * flops times its pixels */
	double (*work)(const struct node_ctx *n, struct rect r);
	/* sources: what frame holds */
	int (*content)(const struct node_ctx *n, int frame, struct sha *s, struct err *e);
	/* sources: what decodes them, with its version; keyed by the core */
	const char *(*decoder)(const struct node_ctx *n);
	/* sources: hash of what frame decodes to, before any colour; out NULL: from now on frame()
	 * notes it. Not while rendering. */
	int (*decoded)(const struct node_ctx *n, int frame, struct pixhash *out, struct err *e);
	/* why its pixels lie outside the promise of equal bits, or NULL */
	const char *(*outside)(const struct node_ctx *n);
	/* files read beside those that parameters name, for the lock: the i-th one's
	 * name and path; 0: there is none */
	int (*files)(const struct node_ctx *n, int i, char *name, size_t size, const char **path);
	int (*tile)(const struct call *c, struct rect r);
	int (*frame)(const struct call *c);
	/* sinks: the type of a node that stands before it, behind the conversion to its space, or NULL;
	 * name, value, ..., NULL in attrs, of static storage. */
	const char *(*front)(const struct node_ctx *n, const char *const **attrs);
	int (*expand)(struct expand *x, const struct node_ctx *n, struct err *e);   /* with tile: may decline */
	int (*begin)(const struct sink_job *j, void **run, struct err *e);
	unsigned (*sink)(const struct sink_job *j);                    /* sink_kind flags */
	/* bytes of a packed frame, or that frame takes beside the picture */
	size_t (*packed)(const struct sink_job *j);
	/* fills c->packed and c->hash; c->scratch as declared */
	int (*pack)(const struct call *c);
	/* c->packed, which it only reads, to *c->coded: no larger than that */
	int (*code)(const struct call *c);
	void (*uncode)(void *coded);         /* frees one that frame did not take; it clears what it took */
	/* ordered: the finished file with this root key is there */
	bool (*fresh)(const struct sink_job *j);
	/* not ordered: that frame's file is */
	bool (*frame_fresh)(const struct sink_job *j, int frame, const char *root);
	/* sinks: the file that holds the frame; malloced */
	char *(*file)(const struct sink_job *j, int frame);
	/* sinks: per frame asked for, the hash of what the finished file holds, as frame() told it. 1:
	 * the file is lossy and there are no hashes, but all of them decode. E_INPUT: it is damaged. */
	int (*held)(const struct sink_job *j, struct pixhash *out, struct err *e);
	int (*end)(void *run, bool commit, struct err *e);             /* commit false: leave nothing behind */
	int (*solve)(struct solve_call *s, struct err *e);
	const void *user;                    /* script types: their program */
	const char *source_hash;             /* script types: SHA-256 of the source, part of the key */
};

/* in_place of types that can always. */
static inline bool node_in_place(const struct node_ctx *n) { (void)n; return true; }

/* Common parameters of NF_MASKED types. */
struct node_common { double mix; int mask_invert; };
extern const struct param node_common_params[];

/* Slots of a type, parsed from .inputs. */
/* image: takes part in space conversion (not masks). apart: of any size, rate
 * and range (reference, plate). */
struct slot { char name[24]; bool optional, list, image, apart; };
int node_slots(const struct node_type *t, struct slot out[NODE_MAX_SLOTS]);
/* Slots that solve and check look at and no render reads: exempt from size, range and rate. */
bool slot_measured(const char *name);

/* Static types of the chosen instruction set, sorted by name. */
const struct node_type *const *node_types(int *n);
const struct node_type *node_type_find(const char *name);
/* Chooses the copies; ISA_AUTO takes the best the CPU has. -1 when the CPU lacks it. Before anything else. */
int node_isa_set(enum isa isa, struct err *e);
const char *node_isa_name(void);

#endif
