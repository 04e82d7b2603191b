/* media_probe - what the verb `probe` shows: every property with its reason, and both decodes of
 * the middle frame.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdlib.h>
#include <string.h>

#include "imgfile.h"
#include "log.h"
#include "media.h"
#include "mem.h"
#include "px_yuv.h"

static const char *const kinds[] = { "clip", "still", "sequence" };

static void rate_text(struct rational r, char buf[32])
{
	if (r.num <= 0) snprintf(buf, 32, "none");
	else if (r.den == 1) snprintf(buf, 32, "%d", r.num);
	else snprintf(buf, 32, "%d/%d", r.num, r.den);
}

static void print_trait(FILE *f, const char *name, const struct media_trait *t)
{
	fprintf(f, "  %-9s %-15s %s: %s\n", name, t->value, t->tagged ? "tagged" : "GUESSED", t->why);
}

static void print_text(FILE *f, const char *path, const struct media_info *m)
{
	char r[32], avg[32];
	const struct plane_desc *d = &m->desc;
	rate_text(m->fps, r);
	fprintf(f, "%s\n  %s, %s, %s", path, kinds[m->kind], m->container, m->codec);
	if (m->nstreams > 1) fprintf(f, ", stream %d of %d", m->stream, m->nstreams);
	fprintf(f, "\n  %-9s %dx%d, pixel aspect %d/%d, %s, %d bits%s%s%s\n", "picture", d->w, d->h,
	        m->par.num, m->par.den,
	        m->pixfmt, d->depth, d->alpha ? ", alpha" : "", m->interlaced ? ", interlaced" : "",
	    d->flt ? ", floating point" : "");
	if (m->exr)
		fprintf(f, "  %-9s data %d,%d %d,%d  display %d,%d %d,%d  channels %s\n", "windows", m->data.x0,
		        m->data.y0, m->data.x1,
		        m->data.y1, m->display.x0, m->display.y0, m->display.x1, m->display.y1, m->channels);
	if (m->rotation) fprintf(f, "  %-9s %d degrees clockwise (applied on reading)\n", "rotation",
	                         m->rotation);
	fprintf(f, "  %-9s %d", "frames", m->frames);
	if (m->kind == MEDIA_SEQUENCE) fprintf(f, ", numbered from %d", m->first);
	if (m->vfr) fprintf(f, " on the grid, from %d coded", m->coded);
	if (m->scanned) fprintf(f, ", counted by decoding");
	if (m->missing) fprintf(f, "; %d MISSING or damaged", m->missing);
	fprintf(f, "\n");
	if (m->fps.num > 0) {
		rate_text(m->avg_rate, avg);
		fprintf(f, "  %-9s %s frames/s (%s; container says %s", "rate", r, m->fps_why, avg);
		rate_text(m->r_rate, avg);
		fprintf(f, " on average, %s at base), %.3f s\n", avg, m->duration_s);
	}
	if (m->timecode[0]) fprintf(f, "  %-9s %s\n", "timecode", m->timecode);
	print_trait(f, "color", &m->color);
	print_trait(f, "matrix", &m->matrix);
	print_trait(f, "range", &m->range);
	print_trait(f, "siting", &m->siting);
	if (m->tags.mastered)
		fprintf(f, "  %-9s R %.3f %.3f, G %.3f %.3f, B %.3f %.3f, white %.4f %.4f, %g to %g nits\n",
		        "mastered", m->tags.xy[0], m->tags.xy[1], m->tags.xy[2], m->tags.xy[3],
		        m->tags.xy[4], m->tags.xy[5], m->tags.xy[6], m->tags.xy[7], m->tags.nits_min,
		        m->tags.nits_max);
	if (m->tags.max_cll)
		fprintf(f, "  %-9s MaxCLL %d, MaxFALL %d nits\n", "light", m->tags.max_cll,
		        m->tags.max_fall);
	for (int i = 0; i < m->naudio; i++)
		fprintf(f, "  %-9s stream %d, %s, %d Hz, %s\n", "sound", m->audio[i].index, m->audio[i].codec,
		        m->audio[i].rate,
		        m->audio[i].layout);
	if (m->root[0]) fprintf(f, "  %-9s interneg, root key %s\n", "made by", m->root);
}

static void json_trait(FILE *f, const char *name, const struct media_trait *t)
{
	char why[300];
	json_escape(why, sizeof why, t->why);
	fprintf(f, ",\"%s\":{\"value\":\"%s\",\"tagged\":%s,\"why\":\"%s\"}", name, t->value,
	        t->tagged ? "true" : "false", why);
}

static void print_json(FILE *f, const char *path, const struct media_info *m)
{
	char s[4096], r[32];
	const struct plane_desc *d = &m->desc;
	json_escape(s, sizeof s, path);
	fprintf(f, "{\"file\":\"%s\",\"kind\":\"%s\",\"container\":\"%s\",\"codec\":\"%s\","
	        "\"pixel_format\":\"%s\"", s, kinds[m->kind],
	        m->container, m->codec, m->pixfmt);
	fprintf(f, ",\"width\":%d,\"height\":%d,\"pixel_aspect\":\"%d/%d\",\"bits\":%d,"
	        "\"alpha\":%s,\"interlaced\":%s,\"rotation\":%d",
	        d->w, d->h, m->par.num, m->par.den, d->depth, d->alpha ? "true" : "false",
	    m->interlaced ? "true" : "false", m->rotation);
	fprintf(f, ",\"frames\":%d,\"coded\":%d,\"missing\":%d,\"first\":%d,\"variable_rate\":%s",
	        m->frames, m->coded, m->missing,
	        m->first, m->vfr ? "true" : "false");
	rate_text(m->fps, r);
	json_escape(s, sizeof s, m->fps_why);
	fprintf(f, ",\"fps\":\"%s\",\"fps_why\":\"%s\",\"avg_rate\":\"%d/%d\",\"r_rate\":\"%d/%d\","
	        "\"duration\":%.6f", r, s,
	        m->avg_rate.num, m->avg_rate.den, m->r_rate.num, m->r_rate.den, m->duration_s);
	if (m->timecode[0]) fprintf(f, ",\"timecode\":\"%s\"", m->timecode);
	json_trait(f, "color", &m->color);
	json_trait(f, "matrix", &m->matrix);
	json_trait(f, "range", &m->range);
	json_trait(f, "siting", &m->siting);
	if (m->tags.mastered) {
		fprintf(f, ",\"mastering\":{\"xy\":[");
		for (int i = 0; i < 8; i++) fprintf(f, "%s%.5f", i ? "," : "", m->tags.xy[i]);
		fprintf(f, "],\"min_nits\":%g,\"max_nits\":%g}", m->tags.nits_min, m->tags.nits_max);
	}
	if (m->tags.max_cll)
		fprintf(f, ",\"light_level\":{\"max_cll\":%d,\"max_fall\":%d}", m->tags.max_cll, m->tags.max_fall);
	fprintf(f, ",\"audio\":[");
	for (int i = 0; i < m->naudio; i++)
		fprintf(f, "%s{\"stream\":%d,\"codec\":\"%s\",\"rate\":%d,\"channels\":%d,\"layout\":\"%s\"}",
		        i ? "," : "", m->audio[i].index,
		        m->audio[i].codec, m->audio[i].rate, m->audio[i].channels, m->audio[i].layout);
	fprintf(f, "]");
	if (m->exr) {
		json_escape(s, sizeof s, m->channels);
		fprintf(f, ",\"channels\":\"%s\",\"data_window\":[%d,%d,%d,%d],"
		        "\"display_window\":[%d,%d,%d,%d]", s, m->data.x0, m->data.y0,
		        m->data.x1, m->data.y1, m->display.x0, m->display.y0, m->display.x1, m->display.y1);
	}
	if (m->root[0]) fprintf(f, ",\"root_key\":\"%s\"", m->root);
	fprintf(f, "}\n");
}

void media_probe_print(FILE *f, const char *path, const struct media_info *info, bool json)
{
	if (json) print_json(f, path, info);
	else print_text(f, path, info);
}

static uint8_t code8(float v)
{
	if (!(v > 0)) return 0;
	return v < 1 ? (uint8_t)(int)(v * 255 + .5f) : 255;
}

/* One decode of p into the right or left half of an RGB picture of pitch bytes a row. */
static int half_picture(const struct planes *p, enum yuv_matrix y, const struct media *m,
                        uint8_t *rgb, size_t pitch, struct err *e)
{
	struct yuv_coef k = *media_coef(m), other;
	int w = p->d.w;
	yuv_coef_init(&other, &p->d, y, YR_FULL, YS_CENTER);
	memcpy(k.inv, other.inv, sizeof k.inv);
	float *tmp = malloc((yuv_row_scratch(w) + 3 * (size_t)w) * sizeof *tmp);
	if (!tmp) return err_set(e, E_MEMORY, "no memory for the picture");
	float *r = tmp + yuv_row_scratch(w), *g = r + w, *b = g + w;
	for (int row = 0; row < p->d.h; row++) {
		uint8_t *o = rgb + (size_t)row * pitch;
		yuv_row_rgb(p, &k, row, tmp, r, g, b, NULL);
		for (int x = 0; x < w; x++) {
			o[3 * x] = code8(r[x]);
			o[3 * x + 1] = code8(g[x]);
			o[3 * x + 2] = code8(b[x]);
		}
	}
	free(tmp);
	return 0;
}

int media_probe_picture(const char *path, const char *raw, const char *png, struct err *e)
{
	struct media_opts o = MEDIA_OPTS_INIT;
	struct media *m = NULL;
	const struct planes *p;
	uint8_t *rgb = NULL;
	int rc = -1;
	enum { GAP = 8 };
	o.raw = raw;
	if (media_open(path, &o, &m, e) < 0) return -1;
	const struct media_info *in = media_about(m);
	if (in->exr || in->desc.rgb || in->desc.gray) {
		err_set(e, E_INPUT, "%s: stores %s, so there is no matrix to choose", path,
		        in->desc.gray ? "gray" : "R, G and B");
		goto out;
	}
	if (media_frame(m, in->frames / 2, &p, e) != MEDIA_OK) goto out;
	size_t w = (size_t)p->d.w, pitch = (2 * w + GAP) * 3;
	rgb = calloc((size_t)p->d.h, pitch);
	if (!rgb) { err_set(e, E_MEMORY, "no memory for the picture"); goto out; }
	if (half_picture(p, YM_BT601, m, rgb, pitch, e) < 0) goto out;
	if (half_picture(p, YM_BT709, m, rgb + (w + GAP) * 3, pitch, e) < 0) goto out;
	rc = png_write_rgb8(png, (int)(2 * w) + GAP, p->d.h, rgb, e);
out:
	free(rgb);
	media_close(&m);
	return rc;
}
