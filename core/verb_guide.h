/* verb_guide - what the files of `interneg guide` share. Private to verb_guide*.c. Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_VERB_GUIDE_H
#define IN_VERB_GUIDE_H

#include "session.h"
#include "skin.h"

enum { GUIDE_STEPS = 8, GUIDE_FRAMES = 4 };

/* A shot as a chain of nodes, from its last picture up along first inputs. */
struct guide {
	struct session *s;
	const char *shot;
	struct attr put[16]; int nput;       /* of this step, for the node `on` */
	const char *on;                      /* id of the node proposed for, or NULL */
	char said[1200];                     /* what was measured, and why nothing is proposed */
	struct net_node *end;                /* in the net as it is now */
	struct pool *pool;
};

/* The lowest node of a type in the shot, or NULL. */
struct net_node *guide_node(const struct guide *g, const char *type);
/* The eight steps, in order. Each measures and fills said, on, put. */
struct guide_step { const char *name; int (*run)(struct guide *g, struct err *e); };
extern const struct guide_step guide_steps[GUIDE_STEPS];
void guide_say(struct guide *g, const char *fmt, ...) IN_PRINTF(2, 3);

/* Frames of a node spread over the shot, GUIDE_FRAMES at most. The caller unrefs them. */
int guide_frames(struct guide *g, struct net_node *nn, struct image *im[GUIDE_FRAMES], int *n, struct err *e);
/* One frame of the shot's last picture, as displayed, at most 720 pixels wide. */
int guide_picture(struct guide *g, int frame, struct image **out, struct err *e);
/* Both side by side. */
int guide_save(struct guide *g, const char *path, const struct image *before,
               const struct image *after, struct err *e);

#endif
