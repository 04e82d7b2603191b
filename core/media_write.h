/* media_write - clips out: planes of codes to an encoder and a muxer, with sound, tags and the
 * root key.
 *
 * Encoders get pinned thread counts and bit-exact flags, so that equal planes give equal bytes
 * on one machine (ProRes, DNxHR and FFV1 on every machine). The file appears when it is whole.
 * Threads: worker.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEDIA_WRITE_H
#define IN_MEDIA_WRITE_H

#include "image.h"
#include "yuv.h"

enum preset_kind { PRESET_CLIP, PRESET_PNG, PRESET_EXR };

struct preset {
	const char *name, *doc;
	enum preset_kind kind;
	const char *encoder, *options;       /* FFmpeg's names; options "key=value:key=value" */
	const char *exts;                    /* allowed endings, the usual first: "mov" or "mp4 mov mkv" */
	const char *sound;                   /* encoders in order of preference */
	int bits, bits_max;                  /* usual and greatest depth */
	bool burnin;                         /* shot, timecodes, revision and state are burnt in */
	int lw, lh; bool rgb, alpha, even;   /* even: sides must be multiples of the subsampling */
	int threads, min_w, min_h, profile;  /* profile: FFmpeg's number where no option names it */
	double crf;                          /* usual quality; < 0: none */
	/* > 0: frames can be encoded each for itself, with the same bytes whatever the encoder has had
	 * before, by so many encoders side by side within encoder_bytes */
	int apart;
};
const struct preset *preset_find(const char *name);          /* NULL if none */
/* Frames that the encoder looks ahead (0: none) and its threads: fixed by preset and size alone, so
 * that bytes repeat; fewer for large pictures, so that 4K fits in 1 GiB. */
int encoder_lookahead(const struct preset *p, int w, int h);
int encoder_threads(const struct preset *p, int w, int h);
size_t encoder_bytes(const struct preset *p, int w, int h);            /* memory it takes, about */
/* By the ending of path: master-prores for .mov, h264 for .mp4 ..; NULL when nothing fits. */
const struct preset *preset_for(const char *path);
/* E_SCENE when path does not end as the preset's files do. */
int preset_ending(const struct preset *p, const char *path, struct err *e);
#define PRESET_CHOICES "auto|master-prores|prores-4444|master-dnxhr|h264|h265|ffv1|png|exr|prores-fast|av1|review"

/* Sound that goes with a clip. */
struct sound_job {
	const char *file;                    /* NULL: none */
	/* the written range starts at frame `first` (0-based) of this rate */
	struct rational fps; int first;
};

/* HDR metadata of a clip: the mastering display (x, y of R, G, B and white;
 * nits), and light levels in nits. */
struct hdr_spec { bool mastered; double xy[8], nits_max, nits_min; int max_cll, max_fall; };

struct write_spec {
	const char *path;
	const struct preset *preset;
	struct plane_desc desc;              /* of the planes that will come */
	struct rational par, fps;
	int space;                           /* colour space id, for the tags */
	enum yuv_matrix matrix; enum yuv_range range; enum yuv_siting siting;
	double crf;                          /* < 0: the preset's */
	int nframes;
	const char *root;                    /* 64 hex digits or "" */
	const char *class;                   /* draft, final or "": told in the metadata */
	struct sound_job sound;
	struct hdr_spec hdr;
	const char *timecode;                /* of the first frame, or "" */
	const char *grain;                   /* av1: a filmgrn1 table that goes along as metadata, or NULL */
	bool check;                          /* decode first and last frame back before the file appears */
	/* who calls media_writer_code, at most preset->apart; 0: frames come to media_writer_frame, in turn,
	 * and the encoder has threads of its own */
	int coders;
};

/* Whether preset has codes of so many bits; 0: its usual ones. */
int preset_bits(const struct preset *p, int bits, struct err *e);
/* Planes that preset takes for a picture of w x h; bits 0: the usual depth. */
int preset_desc(const struct preset *p, int w, int h, int bits, bool alpha, struct plane_desc *d,
                struct err *e);

struct media_writer;
int media_writer_open(const struct write_spec *s, struct media_writer **out, struct err *e);
int media_writer_frame(struct media_writer *w, const struct planes *p, struct err *e);
/* Where there are coders, instead of media_writer_frame: any frame to its packet by coder
 * 0..coders-1, each of which has one caller at a time; then the packets in order. first, last: that
 * frame of the clip. put takes *p. */
struct AVPacket;
int media_writer_code(struct media_writer *w, int coder, const struct planes *p, bool first, bool last,
                      struct AVPacket **out, struct err *e);
int media_writer_put(struct media_writer *w, struct AVPacket **p, struct err *e);
void media_packet_free(struct AVPacket **p);
/* Flushes, finishes and renames (commit), or leaves nothing behind. Frees in any case. */
int media_writer_close(struct media_writer **w, bool commit, struct err *e);

/* One PNG of R,G,B(,A) planes, 8 or 16 bits, with text chunks (key, value, ..., NULL); atomic. */
int media_png_write(const char *path, const struct planes *p, struct rational par,
                    const char *const *text, struct err *e);

/* Creates the folders above path. */
int make_folders(const char *path, struct err *e);

#endif
