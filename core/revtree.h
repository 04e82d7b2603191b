/* revtree - the files of a revision of git, laid out below the cache as a checkout would have
 * them.
 *
 * Files that are the same in the working tree, and files that git does not know (clips often
 * are), are links to those on disk; what differs is written out by git. The tree is removed at
 * the end. git is run by argument list, and neither the repository nor the working tree is
 * written to. Threads: one.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_REVTREE_H
#define IN_REVTREE_H

#include "err.h"

struct revtree { char *dir, *scene; };   /* scene: where path lies in the tree */

/* path is looked for from the top of the repository, as git does, then from the current folder,
 * then from the folder of near, whose repository it is. E_INPUT when there is no such revision or
 * file. */
int revtree_open(struct revtree *t, const char *cache, const char *near, const char *rev,
                 const char *path,
                 struct err *e);
void revtree_close(struct revtree *t);

#endif
