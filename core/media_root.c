/* media_root - the mark by which a finished file of interneg's is known: the root key of its
 * write. Clips carry it as comment, EXR as attribute interneg_root, PNG as a tEXt chunk of that
 * name.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "exr.h"
#include "mem.h"

static int take(const char *hex, char root[65])
{
	struct key k;
	if (!hex || key_parse(hex, &k) < 0) return -1;
	key_hex(&k, root);
	return 0;
}

void root_of_meta(const AVDictionary *meta, char root[65])
{
	static const char mark[] = "interneg root ";
	const AVDictionaryEntry *t = av_dict_get(meta, "comment", NULL, 0);
	root[0] = 0;
	if (t && !strncmp(t->value, mark, sizeof mark - 1)) take(t->value + sizeof mark - 1, root);
}

static int root_of_exr(const char *path, char root[65])
{
	struct exr_info x;
	struct err e = ERR_INIT;
	if (exr_probe(path, &x, &e) < 0) return -1;
	int rc = take(exr_attr(&x, "interneg_root"), root);
	exr_info_free(&x);
	return rc;
}

/* Walks the chunks up to the picture (PNG specification, section 5.3). */
static int root_of_png(FILE *f, char root[65])
{
	uint8_t h[8];
	static const char word[] = "interneg_root";
	for (int i = 0; i < 64 && fread(h, 1, 8, f) == 8; i++) {
		uint32_t n = (uint32_t)h[0] << 24 | (uint32_t)h[1] << 16 | (uint32_t)h[2] << 8 | h[3];
		if (!memcmp(h + 4, "IDAT", 4)) return -1;
		char text[sizeof word + 64] = "";
		if (memcmp(h + 4, "tEXt", 4) || n != sizeof text) {
			if (n > 1 << 24 || fseek(f, (long)n + 4, SEEK_CUR) < 0) return -1;
			continue;
		}
		if (fread(text, 1, sizeof text, f) != sizeof text || fseek(f, 4, SEEK_CUR) < 0) return -1;
		if (memcmp(text, word, sizeof word)) continue;
		char hex[65] = "";
		memcpy(hex, text + sizeof word, 64);
		return take(hex, root);
	}
	return -1;
}

static int root_of_clip(const char *path, char root[65])
{
	struct demux d;
	struct err e = ERR_INIT;
	if (demux_open(&d, path, NULL, &e) < 0) return -1;
	root_of_meta(d.fmt->metadata, root);
	demux_close(&d);
	return root[0] ? 0 : -1;
}

int media_root(const char *path, char root[65])
{
	uint8_t magic[8] = { 0 };
	root[0] = 0;
	struct stat st;
	FILE *f = stat(path, &st) == 0 && S_ISREG(st.st_mode) ? fopen(path, "rb") : NULL;
	if (!f) return -1;
	int rc;
	if (fread(magic, 1, 8, f) == 8 && !memcmp(magic, "\x89PNG\r\n\x1a\n", 8))
		rc = root_of_png(f, root);
	else if (!memcmp(magic, "\x76\x2f\x31\x01", 4)) rc = root_of_exr(path, root);
	else rc = root_of_clip(path, root);
	fclose(f);
	return rc;
}
