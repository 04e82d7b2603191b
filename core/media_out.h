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

/* ---- media_encode.c ---- */
/* apart: a frame sent gives its packet at once, and what is sent is read only until then. Zero-initialise
 * but for grain_fd, -1. Threads: worker. */
struct encoder {
	AVCodecContext *enc; AVPacket *pkt;
	bool apart;
	int grain_fd;                        /* the film grain table in memory, or -1 */
};
int  encoder_open(struct encoder *w, const struct write_spec *s, bool global_header, struct err *e);
void encoder_close(struct encoder *w);
int  encoder_send(struct encoder *w, const struct planes *p, int64_t pts, const char *path, struct err *e);
int  encoder_err(struct err *e, int rc, const char *path, const char *what);

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
