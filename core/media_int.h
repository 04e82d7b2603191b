/* media_int - what the media files share; nobody else includes it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEDIA_INT_H
#define IN_MEDIA_INT_H


#include "ffload.h"
#include "media.h"

int media_threads(void);
/* "name: text" of an AVERROR. */
const char *media_averr(int rc, char buf[128]);
struct rational media_rational(AVRational r);
/* Sets E_INPUT (or E_MEMORY for ENOMEM) with FFmpeg's cause; returns -1. */
int media_err(struct err *e, int rc, const char *what);

/* ---- media_io.c: an open demuxer over a file descriptor ---- */
struct demux { AVFormatContext *fmt; AVIOContext *io; int fd; int64_t size; };
int  demux_open(struct demux *d, const char *path, const char *raw, struct err *e);
void demux_close(struct demux *d);
/* The n-th video stream that is not a cover picture; -1. count gets their number. */
int  demux_video(const struct demux *d, int n, int *count);

/* ---- media_index.c: which coded frames there are ---- */
struct packet_ref { int64_t pts, dts, pos; int size; int slot; int key_at; bool key, discard,
                   corrupt; };
/* key_at: the last keyframe packet up to this one. */
struct slot_ref {
	int64_t pts;                     /* stream time base; AV_NOPTS_VALUE in order-only indices */
	int packet;                      /* index of its packet, -1 when unknown (order-only, cut off) */
	int gop;                         /* packet index of the keyframe decoding starts from */
	/* the latest slot whose packet was decoded before this one's, or itself */
	int until;
	bool bad;                        /* known unreadable before decoding */
};
struct media_index {
	struct packet_ref *pkt; int npkt;
	struct slot_ref *slot; int nslot;
	bool by_order;                   /* no usable time stamps: frames are counted from the start */
	bool scanned;
	AVRational tb;
};
struct media;
struct cached;
int  index_build(struct media *m, struct err *e);
void index_free(struct media_index *x);
/* Slot with this pts, or -1. */
int  index_slot(const struct media_index *x, int64_t pts);

/* ---- media_torn.c: does the file end before its container says? ---- */
bool media_torn(const struct media *m, const struct demux *d);

/* ---- media_rate.c: the grid ---- */
void rate_decide(struct media *m);
struct rational rate_snap(double fps);
int  rate_slot(const struct media *m, int n);

/* ---- media_cursor.c: one demuxer and one decoder under way ---- */
struct cursor {
	struct demux in;
	AVCodecContext *dec;
	AVPacket *pkt;
	AVFrame *frame;
	bool open, from_start, draining, synced;
	int packet;                      /* index of the next packet to send */
	/* slot expected next; every earlier one of this run has been decided */
	int next;
	int order;                       /* frames output since the start */
	int first_slot;                  /* slots below it are not this run's to judge */
	bool fault;                      /* the decoder has reported an error not yet laid to a slot */
	bool has_bad; int bad_gop;       /* the group in which a run not from the start met damage last */
	/* slots below it have been judged with all they were predicted from */
	int verified;
	uint64_t used;                   /* for choosing the oldest */
};
/* Opens (at the start) or moves to keyframe packet `key` (-1: the start). */
int  cursor_seek(struct media *m, struct cursor *c, int key, struct err *e);
void cursor_close(struct cursor *c);
/* The next frame output: 1 and *slot (-1 when it belongs to none), 0 at the end, -1 on an error
 * that ends all. */
int  cursor_next(struct media *m, struct cursor *c, int *slot, bool *damaged, struct err *e);

AVCodecContext *decoder_open(const AVCodecParameters *par, AVRational tb, int threads, bool no_grain,
                             struct err *e);

/* ---- media_planes.c ---- */
/* What a pixel format holds; E_INPUT by name when it cannot be read. */
int planes_describe(enum AVPixelFormat f, int w, int h, struct plane_desc *d, struct err *e);
/* Unpacks a decoded frame into p (which has the memory for it). */
int planes_unpack(const AVFrame *f, struct planes *p, struct err *e);

/* ---- media_still.c ---- */
/* Whether the name ends like an image file. */
bool still_is(const char *path);
/* Decodes one image file; the frame is the caller's. */
int still_load(const char *path, AVFrame **frame, char codec[24], struct err *e);

/* ---- media_traits.c ---- */
/* HDR metadata that a frame, or the container, carries. */
void traits_hdr(struct media_tags *t, const AVFrame *f);
void traits_hdr_stream(struct media_tags *t, const AVStream *st);
void traits_fill(struct media *m, const AVFrame *f, const AVCodecParameters *par);
/* chroma: 8 doubles or NULL. */
void traits_exr(struct media_info *in, const double *chroma);

/* Colour space that interneg itself noted in the file; NULL: none. */
void traits_own(struct media_info *in, const char *space);

/* ---- media_open.c ---- */
/* Describes the pictures from the first one decoded; the cache is sized by it. */
int  media_describe(struct media *m, const AVFrame *f, const AVCodecParameters *par, struct err *e);

/* ---- media_root.c ---- */
void root_of_meta(const AVDictionary *meta, char root[65]);

/* ---- media_files.c: stills and sequences ---- */
int  files_open(struct media *m, struct err *e);
enum media_status files_frame(struct media *m, int slot, struct cached *c, struct err *e);
bool exr_is(const char *path);

/* seen: decoded, not yet judged */
enum slot_state { SLOT_UNKNOWN, SLOT_GOOD, SLOT_MISSING, SLOT_SEEN };
struct cached { struct planes p; int slot; uint64_t used; };
enum { MEDIA_CURSORS = 2, MEDIA_CACHE_MAX = 24 };

struct media {
	char *path, *raw;
	struct media_opts o;
	struct media_info info;
	struct yuv_coef coef;
	struct media_index x;
	AVCodecParameters *par;
	int stream;                      /* absolute index of the stream */
	enum AVPixelFormat pixfmt;
	struct rational fps_given;
	struct cursor cur[MEDIA_CURSORS];
	struct cached cache[MEDIA_CACHE_MAX];
	int ncache;
	uint64_t clock;
	int *grid;                       /* variable rate: slot of each grid frame */
	int *number, nnumber;            /* sequences: file numbers */
	uint8_t *state;                  /* per slot: enum slot_state */
	/* per keyframe packet: first damaged packet of its group, or INT_MAX */
	int *gop_bad;
};

#endif
