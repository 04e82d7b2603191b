/* media_out - what the writing media files share; nobody else includes it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEDIA_OUT_H
#define IN_MEDIA_OUT_H

#include "media_int.h"
#include "media_write.h"

/* ---- media_tags.c ---- */
struct colour_tags { enum AVColorPrimaries pri; enum AVColorTransferCharacteristic trc;
                    enum AVColorSpace spc; enum AVColorRange range; enum AVChromaLocation loc; };
struct colour_tags tags_of(const struct write_spec *s);

/* ---- media_audio.c: the sound of another file, cut to the written range ---- */
struct sound;
/* Adds a stream to the muxer. *out stays NULL when the file has no sound (or cannot be read: a
 * warning). */
int  sound_open(struct sound **out, const struct sound_job *j, const char *encoders,
                struct rational fps, int nframes,
                AVFormatContext *mux, struct err *e);
/* Writes sound up to the time of output frame n (all of it: INT_MAX). */
int  sound_pump(struct sound *s, int frame, struct err *e);
void sound_free(struct sound **s);

#endif
