/* exr_ours - what the bench's C++ half calls.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef EXR_OURS_H
#define EXR_OURS_H
#ifdef __cplusplus
extern "C" {
#endif
struct image;
struct image *ours_load(const char *path, int threads);
struct image *ours_like(const struct image *im);
void ours_size(const struct image *im, int *w, int *h, int *nch, const char **names, float **planes, long *stride);
void ours_halve(struct image *im);
int ours_equal(const struct image *a, const struct image *b);
/* level 0: the usual one; sync: fsync before the rename */
int ours_write(const char *path, const struct image *im, const char *compression, int level, int half, int sync,
               int threads);
int ours_read(const char *path, struct image *into, int threads);
#ifdef __cplusplus
}
#endif
#endif
