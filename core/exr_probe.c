/* exr_probe - EXR headers: windows, channels, rate, colour, attributes.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "exr_int.h"

static const char *const compressions[] = {
	"none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab"
};

const char *exr_compression_name(int c)
{
	return c >= 0 && c < (int)IN_COUNT(compressions) ? compressions[c] : "unknown";
}

bool exr_compression_readable(int c)
{
	return c >= 0 && c <= EXR_COMPRESSION_B44A;
}

int exr_rect(const exr_attr_box2i_t *b, struct rect *r)
{
	enum { FAR = 1 << 28 };
	if (b->min.x < -FAR || b->min.y < -FAR || b->max.x >= FAR || b->max.y >= FAR
	    || b->min.x > b->max.x || b->min.y > b->max.y)
		return -1;
	*r = rect_of(b->min.x, b->min.y, b->max.x + 1, b->max.y + 1);
	return 0;
}

static const exr_attr_chlist_entry_t *channel(const exr_attr_chlist_t *list, const char *name)
{
	for (int i = 0; i < list->num_channels; i++)
		if (!strcmp(list->entries[i].name.str, name))
			return &list->entries[i];
	return NULL;
}

enum luma exr_luma(const exr_attr_chlist_t *list)
{
	if (!channel(list, "Y") || channel(list, "R") || channel(list, "G") || channel(list, "B"))
		return LUMA_NONE;
	return channel(list, "RY") && channel(list, "BY") ? LUMA_CHROMA : LUMA_GREY;
}

/* Sizes over the limits are a matter of memory, everything else is damage. */
static int window(struct exr_file *f, const char *what, const exr_attr_box2i_t *b, struct rect *r,
                  struct err *e)
{
	int64_t w = (int64_t)b->max.x - b->min.x + 1, h = (int64_t)b->max.y - b->min.y + 1;
	if (w > 0 && h > 0 && (w > IN_MAX_SIDE || h > IN_MAX_SIDE || w * h > (int64_t)IN_MAX_PIXELS))
		return err_set(e, E_MEMORY, "%s: %s window of %lld x %lld pixels; a side may have %d, a picture "
		               "%zu", f->path, what, (long long)w, (long long)h, (int)IN_MAX_SIDE,
		               IN_MAX_PIXELS);
	if (exr_rect(b, r))
		return err_set(e, E_INPUT, "%s: impossible %s window (%d,%d)-(%d,%d)", f->path, what,
		               b->min.x, b->min.y, b->max.x, b->max.y);
	return 0;
}

static int windows(struct exr_file *f, struct format *fmt, struct err *e)
{
	exr_attr_box2i_t data, display;
	exr_result_t rc = exr_get_data_window(f->ctx, 0, &data);
	if (rc == EXR_ERR_SUCCESS)
		rc = exr_get_display_window(f->ctx, 0, &display);
	if (rc != EXR_ERR_SUCCESS)
		return exr_file_fail(f, rc, "no windows", e);
	return window(f, "data", &data, &fmt->data, e)
	       || window(f, "display", &display, &fmt->display, e) ? -1 : 0;
}

/* The simplest fraction that is the same float. */
static struct rational ratio_of(float v)
{
	for (int den = 1; den <= 10000; den++) {
		double num = (double)v * den;
		int n = (int)(num + 0.5);
		if (n > 0 && (float)((double)n / den) == v)
			return (struct rational){ n, den };
	}
	int n = (int)((double)v * 10000 + 0.5);
	return (struct rational){ n > 0 ? n : 1, 10000 };
}

static int aspect_and_rate(struct exr_file *f, struct format *fmt, struct err *e)
{
	float par = 1;
	exr_attr_rational_t fps;
	if (exr_get_pixel_aspect_ratio(f->ctx, 0, &par) != EXR_ERR_SUCCESS || par == 0)
		par = 1;
	if (!(par >= 1e-3f && par <= 1e3f))
		return err_set(e, E_INPUT, "%s: impossible pixel aspect ratio %g", f->path, (double)par);
	fmt->par = ratio_of(par);
	fmt->fps = (struct rational){ 0, 1 };
	if (exr_attr_get_rational(f->ctx, 0, "framesPerSecond", &fps) == EXR_ERR_SUCCESS
	    && fps.num > 0 && fps.denom > 0 && fps.denom <= INT32_MAX)
		fmt->fps = (struct rational){ fps.num, (int)fps.denom };
	fmt->first = fmt->last = 1;
	return 0;
}

/* SMPTE 12M bits as exr_head.c writes them; bit 6 says that numbers are dropped. Empty where the digits are none. */
static void timecode(struct exr_file *f, struct exr_info *info)
{
	exr_attr_timecode_t t;
	int v[4], bad = 0;
	info->timecode[0] = 0;
	if (exr_attr_get_timecode(f->ctx, 0, "timeCode", &t) != EXR_ERR_SUCCESS)
		return;
	static const unsigned tens[4] = { 3, 7, 7, 3 };
	for (unsigned i = 0; i < 4; i++) {
		unsigned b = t.time_and_flags >> 8 * (3 - i);
		bad |= (b & 15) > 9;
		v[i] = (int)((b >> 4 & tens[i]) * 10 + (b & 15));
	}
	struct rational fps = info->fmt.fps;
	if (fps.den > 0 && fps.num / fps.den > 39)
		v[3] = 2 * v[3] + (int)(t.time_and_flags >> 15 & 1);
	if (!bad)
		snprintf(info->timecode, sizeof info->timecode, "%02d:%02d:%02d%c%02d", v[0], v[1], v[2],
		         t.time_and_flags >> 6 & 1 ? ';' : ':', v[3]);
}

static void colours(struct exr_file *f, struct exr_info *info)
{
	static const char *const known[] = {
		"linear-rec709", "acescg", "aces2065-1", "linear-rec2020", "linear-p3-d65"
	};
	exr_attr_chromaticities_t c;
	info->fmt.space = colour_find(known[0]);
	info->fmt.encoded = colour_find("acescct");
	if (exr_attr_get_chromaticities(f->ctx, 0, "chromaticities", &c) != EXR_ERR_SUCCESS)
		return;
	const double xy[8] = { c.red_x, c.red_y, c.green_x, c.green_y,
	                       c.blue_x, c.blue_y, c.white_x, c.white_y };
	info->has_chroma = true;
	memcpy(info->chroma, xy, sizeof xy);
	for (size_t i = 0; i < IN_COUNT(known); i++) {
		int id = colour_find(known[i]), same = 0;
		double want[8];
		if (id < 0)
			continue;
		colour_primaries(id, want);
		for (int k = 0; k < 8; k++)
			same += xy[k] - want[k] < 1e-3 && want[k] - xy[k] < 1e-3;
		if (same == 8) {
			info->fmt.space = id;
			return;
		}
	}
}

static void add_channel(struct format *fmt, const char *name)
{
	if (fmt->nch < IN_MAX_CH && format_channel(fmt, name) < 0)
		fmt->ch[fmt->nch++] = intern(name);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Each chunk takes an entry of eight bytes in the table and a leader of eight at least: a header
 * that promises more than the file can hold is refused before anything is allocated for it. */
int exr_chunks_fit(struct exr_file *f, int part, struct err *e)
{
	int32_t n = 0;
	exr_result_t rc = exr_get_chunk_count(f->ctx, part, &n);
	if (rc != EXR_ERR_SUCCESS)
		return exr_file_fail(f, rc, "no chunk count", e);
	if (n < 1 || (uint64_t)n * 16 > f->size)
		return err_set(e, E_INPUT, "%s is cut off: %llu bytes cannot hold the %d chunks that it "
		               "announces", f->path, (unsigned long long)f->size, n);
	uint64_t bytes = 0;
	rc = exr_get_chunk_unpacked_size(f->ctx, part, &bytes);
	if (rc != EXR_ERR_SUCCESS)
		return exr_file_fail(f, rc, "no chunk size", e);
	if (bytes > (uint64_t)1 << 28)
		return err_set(e, E_MEMORY, "%s: one chunk unpacks to %llu MiB; 256 are allowed", f->path,
		               (unsigned long long)(bytes >> 20));
	return 0;
}

bool exr_part_joins(struct exr_file *f, int part, const struct rect *data)
{
	const char *name = NULL;
	exr_storage_t kind;
	exr_compression_t comp;
	exr_attr_box2i_t box;
	struct rect r;
	struct err why = ERR_INIT;
	return exr_get_name(f->ctx, part, &name) == EXR_ERR_SUCCESS && name && name[0]
	       && exr_get_storage(f->ctx, part, &kind) == EXR_ERR_SUCCESS
	       && (kind == EXR_STORAGE_SCANLINE || kind == EXR_STORAGE_TILED)
	       && exr_get_compression(f->ctx, part, &comp) == EXR_ERR_SUCCESS
	       && exr_compression_readable((int)comp)
	       && exr_get_data_window(f->ctx, part, &box) == EXR_ERR_SUCCESS
	       && exr_rect(&box, &r) == 0 && rect_eq(r, *data)
	       && exr_chunks_fit(f, part, &why) == 0;
}

/* Channels of the other parts, as "PART.channel"; what goes over the limit is left out. */
static void other_parts(struct exr_file *f, struct format *fmt)
{
	int nparts = 1;
	if (exr_get_count(f->ctx, &nparts) != EXR_ERR_SUCCESS)
		return;
	for (int p = 1; p < nparts && fmt->nch < IN_MAX_CH; p++) {
		const exr_attr_chlist_t *list;
		const char *part;
		if (!exr_part_joins(f, p, &fmt->data) || exr_get_name(f->ctx, p, &part)
		    || exr_get_channels(f->ctx, p, &list))
			continue;
		for (int i = 0; i < list->num_channels; i++) {
			char *name = xasprintf("%s.%s", part, list->entries[i].name.str);
			add_channel(fmt, name);
			free(name);
		}
	}
}

static int channels(struct exr_file *f, struct exr_info *info, struct err *e)
{
	static const char *const first[] = { "R", "G", "B", "A" };
	struct format *fmt = &info->fmt;
	const exr_attr_chlist_t *list;
	exr_result_t rc = exr_get_channels(f->ctx, 0, &list);
	if (rc != EXR_ERR_SUCCESS)
		return exr_file_fail(f, rc, "no channel list", e);
	enum luma luma = exr_luma(list);
	if (list->num_channels < 1 || list->num_channels + (luma == LUMA_GREY ? 2 : 0) > IN_MAX_CH)
		return err_set(e, E_INPUT, "%s has %d channels; 1 to %d can be read", f->path,
		               list->num_channels, (int)IN_MAX_CH);

	info->luma_chroma = luma == LUMA_CHROMA;
	info->half = true;
	for (int i = 0; i < list->num_channels; i++)
		info->half = info->half && list->entries[i].pixel_type == EXR_PIXEL_HALF;
	for (int i = 0; i < 4; i++)
		if (channel(list, first[i]) || (luma && i < 3))
			add_channel(fmt, first[i]);
	int lead = fmt->nch;
	for (int i = 0; i < list->num_channels; i++) {
		const char *name = list->entries[i].name.str;
		bool used = (luma && !strcmp(name, "Y"))
		            || (luma == LUMA_CHROMA && (!strcmp(name, "RY") || !strcmp(name, "BY")));
		if (!used)
			add_channel(fmt, name);
	}
	if (info->deep)
		return 0;
	other_parts(f, fmt);
	qsort(fmt->ch + lead, (size_t)(fmt->nch - lead), sizeof *fmt->ch, by_name);
	return 0;
}

static void attributes(struct exr_file *f, struct exr_info *info)
{
	int32_t n = 0;
	if (exr_get_attribute_count(f->ctx, 0, &n) != EXR_ERR_SUCCESS || n <= 0)
		return;
	info->attr = xalloc((size_t)n, sizeof *info->attr);
	for (int i = 0; i < n; i++) {
		const exr_attribute_t *a;
		if (exr_get_attribute_by_index(f->ctx, 0, EXR_ATTR_LIST_SORTED_ORDER, i, &a)
		    || a->type != EXR_ATTR_STRING || !a->string->str)
			continue;
		size_t len = a->string->length > 0 ? (size_t)a->string->length : 0;
		char *value = xalloc(len + 1, 1);
		memcpy(value, a->string->str, len);
		info->attr[info->nattr].name = xstrdup(a->name);
		info->attr[info->nattr++].value = value;
	}
}

int exr_info_fill(struct exr_file *f, struct exr_info *info, struct err *e)
{
	exr_storage_t kind;
	exr_compression_t comp;
	*info = (struct exr_info){ 0 };
	exr_result_t rc = exr_get_storage(f->ctx, 0, &kind);
	if (rc == EXR_ERR_SUCCESS)
		rc = exr_get_compression(f->ctx, 0, &comp);
	if (rc != EXR_ERR_SUCCESS)
		return exr_file_fail(f, rc, "no storage kind", e);
	info->deep = kind == EXR_STORAGE_DEEP_SCANLINE || kind == EXR_STORAGE_DEEP_TILED;
	strncpy(info->compression, exr_compression_name((int)comp), sizeof info->compression - 1);
	if (windows(f, &info->fmt, e) || aspect_and_rate(f, &info->fmt, e))
		return -1;
	if (format_check(&info->fmt, e))
		return err_in(e, "%s", f->path);
	if (!info->deep && (exr_chunks_fit(f, 0, e)
	                    || exr_get_chunk_unpacked_size(f->ctx, 0, &info->chunk) != EXR_ERR_SUCCESS))
		return -1;
	if (channels(f, info, e))
		return -1;
	timecode(f, info);
	colours(f, info);
	attributes(f, info);
	return 0;
}

int exr_probe(const char *path, struct exr_info *info, struct err *e)
{
	struct exr_file f;
	*info = (struct exr_info){ 0 };
	if (exr_file_open(&f, path, e))
		return -1;
	int rc = exr_info_fill(&f, info, e);
	exr_file_close(&f);
	if (rc)
		exr_info_free(info);
	return rc;
}

int exr_readable(const char *path, const struct exr_info *info, struct err *e)
{
	if (info->deep)
		return err_set(e, E_INPUT, "%s holds deep samples; flatten it before use", path);
	for (int c = 0; exr_compression_readable(c); c++)
		if (!strcmp(info->compression, compressions[c]))
			return 0;
	return err_set(e, E_INPUT, "%s is compressed with %s, which cannot be read here; re-save it with "
	               "zip or piz", path, info->compression);
}

void exr_info_free(struct exr_info *info)
{
	for (int i = 0; i < info->nattr; i++) {
		free(info->attr[i].name);
		free(info->attr[i].value);
	}
	free(info->attr);
	*info = (struct exr_info){ 0 };
}

const char *exr_attr(const struct exr_info *info, const char *name)
{
	for (int i = 0; i < info->nattr; i++)
		if (!strcmp(info->attr[i].name, name))
			return info->attr[i].value;
	return NULL;
}
