/* verb_new - `interneg new`: a ready scene for clips, every guess spelled out.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "media.h"
#include "textfile.h"

struct shot { const char *file; struct media_info info; char id[64]; char *path; };

/* An id from a file name: letters, digits, '_' and '-', unique by number. */
static void make_id(const char *file, char *out, size_t n)
{
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	size_t k = 0;
	if (base[0] >= '0' && base[0] <= '9') out[k++] = 's';
	for (; *base && *base != '.' && k + 8 < n; base++) {
		char ch = *base;
		bool ok = (ch >= 'a' && ch <= 'z') || (ch >= 'A' && ch <= 'Z') || (ch >= '0' && ch <= '9') || ch == '_' ||
		          (ch == '-' && k);
		out[k++] = ok ? ch : '_';
	}
	if (!k) out[k++] = 's';
	out[k] = 0;
}

static void unique_id(struct shot *s, int i)
{
	char base[64];
	memcpy(base, s[i].id, sizeof base);
	for (int n = 2, again = 1; again; n++) {
		again = 0;
		for (int k = 0; k < i; k++) again |= strcmp(s[k].id, s[i].id) == 0;
		if (again) snprintf(s[i].id, sizeof s[i].id, "%.50s_%d", base, n);
	}
}

/* The path of `to` as seen from folder `dir`; malloced. */
static char *relative(const char *dir, const char *to)
{
	char *a = realpath(dir, NULL), *b = realpath(to, NULL), *out;
	if (!a || !b) { free(a); free(b); return xstrdup(to); }
	size_t same = 0, i = 0;
	for (; a[i] && a[i] == b[i]; i++)
		if (a[i] == '/') same = i + 1;
	if (!a[i] && b[i] == '/') same = i + 1;
	int ups = 0;
	for (const char *p = a + (same <= i ? same : i); *p; p++) ups += *p == '/';
	if (a[i] || same <= i) ups += a[same <= i ? same : i] != 0;
	out = xalloc((size_t)ups * 3 + strlen(b + same) + 1, 1);
	for (int k = 0; k < ups; k++) strcat(out, "../");
	strcat(out, b + same);
	free(a);
	free(b);
	return out;
}

static void put_escaped(FILE *f, const char *s)
{
	for (; *s; s++) {
		if (*s == '&') fputs("&amp;", f);
		else if (*s == '<') fputs("&lt;", f);
		else if (*s == '"') fputs("&quot;", f);
		else if (*s == '{' || *s == '}') fprintf(f, "%c%c", *s, *s);
		else fputc(*s, f);
	}
}

/* "--" may not stand in a comment. */
static void put_reason(FILE *f, const char *name, const struct media_trait *t)
{
	fprintf(f, "       %s=\"%s\": %s", name, t->value, t->tagged ? "tagged" : "guessed");
	if (!t->tagged && t->why[0]) {
		fputs(", ", f);
		for (const char *p = t->why; *p; p++) if (p[0] != '-' || p[1] != '-') fputc(*p, f);
	}
	fputc('\n', f);
}

static void put_attr(FILE *f, const char *name, const char *value)
{
	if (value[0]) fprintf(f, " %s=\"%s\"", name, value);
}

static void put_read(FILE *f, const struct shot *s, const char *id, const char *raw)
{
	const struct media_info *m = &s->info;
	fprintf(f, "\n  <!-- %dx%d %s, %d frames\n", m->desc.w, m->desc.h, m->codec, m->frames);
	if (!m->exr) {
		put_reason(f, "color", &m->color);
		put_reason(f, "matrix", &m->matrix);
		put_reason(f, "range", &m->range);
		put_reason(f, "siting", &m->siting);
	}
	if (m->fps.num) fprintf(f, "       fps=\"%d/%d\": %s\n", m->fps.num, m->fps.den, m->fps_why);
	fprintf(f, "  -->\n  <read id=\"%s\" file=\"", id);
	put_escaped(f, s->path);
	fputc('"', f);
	if (!m->exr) {
		put_attr(f, "color", m->color.value);
		put_attr(f, "matrix", m->matrix.value);
		put_attr(f, "range", m->range.value);
		put_attr(f, "siting", m->siting.value);
	}
	if (m->kind != MEDIA_STILL && m->fps.num) fprintf(f, " fps=\"%d/%d\"", m->fps.num, m->fps.den);
	if (raw && *raw) put_attr(f, "raw", raw);
	if (m->missing) put_attr(f, "missing", "hold");
	fprintf(f, " origin=\"ai\"/>\n");
}

static void put_shot(FILE *f, const struct shot *s, const char *prefix, const char *reference, bool one)
{
	const char *p = prefix;
	bool up = s->info.desc.h <= 720 && s->info.desc.w <= 1280;
	const char *plate = one ? "plate" : s->id;
	char last[100];
	snprintf(last, sizeof last, "%s", plate);
	if (up) {
		fprintf(f, "  <pass id=\"%sdetail\" kind=\"detail\">\n    <upscale id=\"%sup\" in=\"%s\" "
		        "scale=\"2\"/>\n  </pass>\n", p, p, plate);
		snprintf(last, sizeof last, "%sup", p);
	}
	fprintf(f, "  <pass id=\"%sneutral\" kind=\"neutral\">\n    <balance id=\"%sbase\" "
	        "in=\"%s\"/>\n", p, p, last);
	if (reference) fprintf(f, "    <match id=\"%smatched\" reference=\"%s\"/>\n", p, reference);
	fprintf(f, "  </pass>\n  <pass id=\"%slook\" kind=\"look\">\n"
	           "    <grade id=\"%sgraded\" in=\"%s%s\" contrast=\"1.05\" saturation=\"0.92\"/>\n  </pass>\n",
	        p, p, p, reference ? "matched" : "base");
	fprintf(f, "  <pass id=\"%sfinish\" kind=\"integrate\">\n    <blur id=\"%ssoft\" "
	        "in=\"%sgraded\" sigma=\"0.5\"/>\n    <grain id=\"%sgrained\" "
	        "amount=\"{grain_amount}\" seed=\"1\"/>\n  </pass>\n", p, p, p, p);
	fprintf(f, "  <write id=\"%smaster\" in=\"%sgrained\" file=\"out/%s.mov\" "
	        "preset=\"master-prores\"/>\n", p, p, s->id);
	fprintf(f, "  <write id=\"%sview\" in=\"%sgrained\" file=\"out/%s.mp4\" preset=\"h264\"/>\n", p, p, s->id);
}

static void put_scene(FILE *f, const struct cli *c, const struct shot *s, int n, const struct shot *ref)
{
	const struct media_info *m = &s[0].info;
	fprintf(f, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<graph version=\"1\" name=\"%s\"",
	        c->name ? c->name : s[0].id);
	if (m->fps.num && m->kind != MEDIA_STILL) fprintf(f, " fps=\"%d/%d\"", m->fps.num, m->fps.den);
	fprintf(f, " working=\"acescg\">\n  <param name=\"grain_amount\" type=\"float\" value=\"0.03\" "
	           "doc=\"strength of the grain\" min=\"0\" max=\"1\"/>\n");
	if (ref) put_read(f, ref, "hero", NULL);
	for (int i = 0; i < n; i++) {
		char prefix[80] = "";
		const char *reference = ref ? "hero" : NULL;
		char first[80];
		if (n > 1) snprintf(prefix, sizeof prefix, "%s_", s[i].id);
		if (n > 1 && i && !ref) {
			/* without a reference the first balanced shot leads */
			snprintf(first, sizeof first, "%s_neutral", s[0].id);
			reference = first;
		}
		put_read(f, &s[i], n == 1 ? "plate" : s[i].id, c->raw);
		put_shot(f, &s[i], prefix, reference, n == 1);
	}
	fprintf(f, "</graph>\n");
}

static int probe_shot(const struct cli *c, const char *file, const char *dir, struct shot *s, struct err *e)
{
	s->file = file;
	if (media_probe(file, c->raw, &s->info, e) < 0) return -1;
	make_id(file, s->id, sizeof s->id);
	s->path = relative(dir, file);
	return 0;
}

int verb_new(struct cli *c, struct err *e)
{
	struct shot *s = xalloc((size_t)c->narg + 1, sizeof *s), ref = { 0 };
	char *out = NULL, *dir = NULL, *text = NULL;
	size_t len;
	FILE *f;
	int rc = -1;
	if (c->narg < 1) { err_set(e, E_USAGE, "new wants at least one CLIP"); goto out; }
	char id[64];
	make_id(c->arg[0], id, sizeof id);
	out = c->out ? xstrdup(c->out) : xasprintf("%s.xml", c->name ? c->name : id);
	dir = strrchr(out, '/') ? xasprintf("%.*s", (int)(strrchr(out, '/') - out), out) : xstrdup(".");
	if (access(out, F_OK) == 0 && !c->overwrite) {
		err_set(e, E_OUTPUT, "%s exists; --overwrite replaces it", out);
		goto out;
	}
	for (int i = 0; i < c->narg; i++) {
		if (probe_shot(c, c->arg[i], dir, &s[i], e) < 0) goto out;
		unique_id(s, i);
	}
	if (c->reference && probe_shot(c, c->reference, dir, &ref, e) < 0) goto out;
	if (!(f = open_memstream(&text, &len))) { err_set(e, E_MEMORY, "%s: no memory for the scene", out); goto out; }
	put_scene(f, c, s, c->narg, c->reference ? &ref : NULL);
	fclose(f);
	if (text_write(out, text, e) < 0) goto out;
	printf("%s\nnext: interneg solve %s --apply; interneg render %s\n", out, out, out);
	rc = 0;
out:
	for (int i = 0; i < c->narg; i++) free(s[i].path);
	free(s);
	free(ref.path);
	free(out);
	free(dir);
	free(text);
	return rc;
}
