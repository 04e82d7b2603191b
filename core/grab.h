/* grab - one frame of any point: of an open scene, of a clip or still, of a scene in another
 * revision of git.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_GRAB_H
#define IN_GRAB_H

#include "session.h"

/* What was grabbed. The pool outlives the picture. */
struct grab {
	struct pool *pool; struct image *im;
	int frame;
	char name[96];                       /* for titles */
};

/* The node or pass of that name, or what a write of that name is given. */
struct net_node *grab_find(struct session *s, const char *id, struct err *e);
/* The first frame that -F names, or without it the middle of the node's range. */
int grab_frame_of(const struct cli *c, const struct net_node *nn, int *frame, struct err *e);
/* frame is held within the node's range. The picture comes in the node's own space. */
int grab_node(struct session *s, struct net_node *nn, int frame, struct grab *g, struct err *e);
/* Any file that `read` reads. frame 0 and less: the middle one. */
int grab_file(const struct cli *c, const char *file, int frame, struct grab *g, struct err *e);

/* [REV:]PATH.xml[:NODE]: another scene, in git's revision REV or as it lies on disk. */
bool grab_is_scene(const char *spec);
/* The scene of a revision is read with the files of that revision; files that git does not know
 * are those on disk.
 * Nothing is written but below the cache. node: asked for where the spec names none. */
int grab_scene(const struct cli *c, const char *cache, const char *spec, const char *node,
               int frame, struct grab *g,
               struct err *e);

/* The number of an option, or what out held before where text is NULL. E_USAGE outside lo..hi. */
int grab_number(const char *option, const char *text, double lo, double hi, double *out,
                struct err *e);

/* Brings R, G, B to space, in place. */
void grab_convert(struct image *im, int space);
/* As displayed: the source's own display encoding, rec709 for scene-linear work. */
void grab_to_display(struct image *im);

#endif
