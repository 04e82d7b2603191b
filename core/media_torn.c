/* media_torn - does a file end before it should? Of containers whose demuxers pass over it without a word.
 *
 * Matroska's segment and AVI's lists say how long they are; YUV4MPEG frames follow each other without gaps.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "media_int.h"

#include <string.h>
#include <unistd.h>

/* An EBML number (RFC 8794): its length in bytes, 0 when there is none; *v is -1 when all its bits are set: not known. */
static int ebml(const uint8_t *p, size_t n, bool marker, int64_t *v)
{
	int len = 1;
	if (n < 8) return 0;
	while (len <= 8 && !(p[0] & 0x80 >> (len - 1))) len++;
	if (len > 8) return 0;
	uint64_t x = marker ? p[0] : p[0] & (0xffu >> len), all = (UINT64_C(1) << 7 * len) - 1;
	for (int i = 1; i < len; i++) x = x << 8 | p[i];
	*v = !marker && x == all ? -1 : (int64_t)x;
	return len;
}

/* Where the element or chunk at `at` ends; 0: it does not say. */
static int64_t end_of(int fd, int64_t at, bool riff)
{
	uint8_t b[24] = { 0 };
	int64_t id = 0, size = 0;
	if (pread(fd, b, sizeof b, at) < 8) return 0;
	if (riff) {
		uint32_t n = (uint32_t)b[4] | (uint32_t)b[5] << 8 | (uint32_t)b[6] << 16 | (uint32_t)b[7] << 24;
		return memcmp(b, "RIFF", 4) || n == 0 || n == UINT32_MAX ? 0 : at + 8 + (int64_t)n;
	}
	int k = ebml(b, sizeof b, true, &id), l = k ? ebml(b + k, sizeof b - (size_t)k, false, &size) : 0;
	bool known = id == 0x1a45dfa3 || id == 0x18538067 || id == 0xec;      /* head, segment, void */
	return !l || !known || size < 0 || size > INT64_MAX / 2 ? 0 : at + k + l + size;
}

bool media_torn(const struct media *m, const struct demux *d)
{
	const char *name = d->fmt->iformat->name;
	const struct packet_ref *last = m->x.npkt ? &m->x.pkt[m->x.npkt - 1] : NULL;
	bool riff = !strcmp(name, "avi");
	if (!strcmp(name, "yuv4mpegpipe")) return last && last->pos >= 0 && last->pos + last->size < d->size;
	if (!riff && strncmp(name, "matroska", 8)) return false;
	for (int64_t at = 0, end; at < d->size; at = end) {
		end = end_of(d->fd, at, riff);
		if (end <= at) return false;
		if (end > d->size) return true;
	}
	return false;
}
