/* media - clips, stills and image sequences in: what they are, and their frames exactly.
 *
 * Reading goes through FFmpeg's demuxers and decoders over a plain file descriptor: no
 * protocols, no formats that open other files. Frame n is the n-th that a full decode outputs,
 * edit lists applied, whichever frames were asked before; variable-rate streams are laid on a
 * grid. Planes come as they stand in the file; px_yuv.h turns them into R,G,B. Threads: worker
 * (a struct media belongs to one caller at a time).
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_MEDIA_H
#define IN_MEDIA_H

#include <stdio.h>

#include "err.h"
#include "hash.h"
#include "image.h"
#include "seqname.h"
#include "yuv.h"

/* Once at start-up, before anything is opened: threads per decoder of stand-alone pictures (default
 * 1), FFmpeg's log lines to log_debug. */
void media_setup(int threads);

/* A property that a file may state or leave open. */
struct media_trait { char value[24]; bool tagged; char why[128]; };

/* Code points of ITU-T H.273 as the stream or its first frame says them (2: unspecified; range 0:
 * unspecified, 1 limited, 2 full), and HDR metadata: the mastering display (SMPTE ST 2086: x, y of
 * R, G, B and white, nits) and light levels. */
struct media_tags {
	int primaries, transfer, matrix, range;
	bool mastered; double xy[8], nits_max, nits_min;
	int max_cll, max_fall;               /* nits; 0: not said */
};

struct media_audio { int index, rate, channels; char codec[24], layout[48]; double start_s,
                    duration_s; };

enum media_kind { MEDIA_CLIP, MEDIA_STILL, MEDIA_SEQUENCE };

struct media_info {
	enum media_kind kind;
	char container[48], codec[24], pixfmt[24];
	char decoder[64];                    /* name and version: part of keys */
	int stream, nstreams, nvideo;        /* chosen video stream, all streams, video streams */
	/* size, depth, subsampling, alpha; of EXR: w, h of the data window */
	struct plane_desc desc;
	struct rational par;                 /* pixel aspect; 1/1 when not given */
	struct rational avg_rate, r_rate;    /* as the container says, 0/1 when it does not */
	struct rational fps;                 /* the grid: snapped; 0/1 for stills */
	char fps_why[128];
	bool vfr;                            /* frames do not stand on an even grid */
	int coded;                           /* frames the stream holds (readable or not) */
	int frames;                          /* frames of the grid: what media_frame takes */
	int missing;                         /* known at open: cut off or unreadable (stills: gaps) */
	int first;                           /* sequences: number of the first file; else 1 */
	int rotation;                        /* clockwise degrees to turn for viewing: 0 90 180 270 */
	/* scanned: counted by a full decode, as packets do not tell */
	bool interlaced, scanned;
	double duration_s;
	/* value is the word for the attribute of that name */
	struct media_trait color, matrix, range, siting;
	struct media_tags tags;
	int naudio; struct media_audio audio[16];
	bool exr; struct rect data, display; char channels[2048];   /* EXR stills and sequences */
	char timecode[16];                   /* of the first frame, as the file says it; "": it does not */
	char root[65];                       /* 64 hex digits when interneg wrote it, else "" */
};

struct media_opts {
	const char *raw;                     /* "320x192 yuv420p 12" for headerless files, or NULL/"" */
	int stream;                          /* video stream to take: 0 is the first */
	/* grid for variable-rate streams, rate for others; num 0: own */
	struct rational fps;
	enum yuv_matrix matrix;              /* AUTO: tagged or guessed, each */
	enum yuv_range range;
	enum yuv_siting siting;
	const char *color;                   /* NULL, "" or "auto": tagged or guessed */
	bool no_grain;                       /* AV1: leave out the film grain that the stream describes */
};
#define MEDIA_OPTS_INIT { NULL, 0, { 0, 1 }, YM_AUTO, YR_AUTO, YS_AUTO, NULL, false }

/* Opens, indexes and closes. E_INPUT with the cause when the file cannot be read. */
int media_probe(const char *path, const char *raw, struct media_info *out, struct err *e);
/* The verb `probe`: every property with whether it is tagged or guessed and why. */
void media_probe_print(FILE *f, const char *path, const struct media_info *info, bool json);
/* Writes the middle frame decoded with BT.601 (left) and BT.709 (right) as PNG. */
int media_probe_picture(const char *path, const char *raw, const char *png, struct err *e);

struct media;
int media_open(const char *path, const struct media_opts *o, struct media **out, struct err *e);
const struct media_info *media_about(const struct media *m);
/* The coefficients of the matrix, range and siting in force. */
const struct yuv_coef *media_coef(const struct media *m);
/* Coded frame (slot) that grid frame n (0-based) shows: equal numbers are equal pictures. */
int media_slot(const struct media *m, int n);
/* How many grid frames of from..to (0-based, inclusive) are known at open to be missing; *first
 * the first one. */
int media_gaps(const struct media *m, int from, int to, int *first);
enum media_status { MEDIA_OK = 0, MEDIA_FAIL = -1, MEDIA_MISSING = 1 };
/* Grid frame n, 0-based. *out stays the reader's, valid until the next call. MEDIA_MISSING: cut
 * off, damaged or, in sequences, no such file (err says which). Not for EXR. */
enum media_status media_frame(struct media *m, int n, const struct planes **out, struct err *e);
void media_close(struct media **m);

/* ---- image sequences and stills ---- */

/* Sorted numbers of the existing files; malloced into *n. E_INPUT when there are none. */
int seq_list(const char *pattern, int **v, int *n, struct err *e);

/* Sequences and stills: path of grid frame n (malloced), NULL when there is no such file. */
char *media_file_of(const struct media *m, int n);

/* The key a finished file of interneg's carries (clips, EXR, PNG): 0 and 64 hex digits in root,
 * or -1. */
int media_root(const char *path, char root[65]);

#endif
