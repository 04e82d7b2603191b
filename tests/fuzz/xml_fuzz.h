/* xml_fuzz - mutated scenes and parameter texts against the loader, the formatter and the patcher.
 * One case is fully determined by its number and the corpus: `xml 1 N` replays it.
 * SPDX-License-Identifier: BSD-2-Clause */
#ifndef IN_XML_FUZZ_H
#define IN_XML_FUZZ_H

#include <dirent.h>
#include <libxml/parser.h>

#include "../unit/scene_mock.h"
#include "rng.h"

struct fuzz { char *seed[128]; size_t len[128]; int n; uint32_t number, at; };

static uint32_t fuzz_rand(struct fuzz *f, uint32_t below)
{
	return below ? philox4x32(f->at++, f->number, 0, 0, 1, 2).c[0] % below : 0;
}

static void fuzz_seed(struct fuzz *f, const char *text, size_t n)
{
	if (f->n == 128)
		return;
	f->seed[f->n] = xalloc(n + 1, 1);
	memcpy(f->seed[f->n], text, n);
	f->len[f->n++] = n;
}

static int fuzz_by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Adds every scene of a folder. */
static void fuzz_seeds(struct fuzz *f, const char *dir)
{
	struct dirent **names = NULL;
	int n = scandir(dir, &names, NULL, fuzz_by_name);
	for (int i = 0; i < n; i++) {
		char path[600];
		struct err e = ERR_INIT;
		size_t len = 0, ext = strlen(names[i]->d_name);
		snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
		char *text = ext > 4 && strcmp(names[i]->d_name + ext - 4, ".xml") == 0 ? scene_read(path, &len, &e) : NULL;
		if (text && len < 20000)
			fuzz_seed(f, text, len);
		free(text);
		free(names[i]);
	}
	free(names);
}

static const char *const fuzz_words[] = {
	"<", ">", "/>", "</", "\"", "'", "=", "&amp;", "&#38;", "&lt;", "&#x1;", "<!--", "-->", "<![CDATA[", "]]>", "<?x?>",
	"<!DOCTYPE g>", "{", "}", "{{", "}}", "{rev}", "{frame}", " xmlns:x=\"u\"", " x:y=\"1\"", " id=\"p\"", " in=\"p\"", " in=\"a b\"", " sigma=\"2%h\"",
	" mix=\"{1}\"", "<pass id=\"x\">", "</pass>", "<mblur id=\"z\"/>", "<mblur/>", "<mlist id=\"m\" in=\"p p\"/>",
	"<use id=\"u\" graph=\"t.xml\"/>", "<set node=\"a.b\"/>", "<animate param=\"sigma\">", "<key frame=\"1\" value=\"1\"/>",
	"</animate>", "<param name=\"n\" type=\"int\" value=\"1\"/>", "<approve pass=\"p\" by=\"b\" role=\"r\" hash=\"0123456789abcdef0123456789abcdef\"/>", "<waive rule=\"r\" reason=\"x\" node=\"p.q\"/>",
	"<output id=\"o\" in=\"p\"/>", "<input id=\"i\"/>", "\n\n\n", "\r\n", "\t", " ", ".", "\xc3\xa9", "\xef\xbb\xbf", "1e400",
	"-0", "0x1p3", "nan", "inf", "#ff8800", "0,0 1,1", "%h", "999999999999", "a.b.c", "-", "|"
};

enum { FUZZ_ROOM = 65536 };

/* Puts `add` bytes for the `cut` at `at`. */
static void fuzz_replace(char *t, size_t *n, size_t cap, size_t at, size_t cut, const char *put, size_t add)
{
	char piece[400];
	if (*n - cut + add > cap || add > sizeof piece)
		return;
	memcpy(piece, put, add);                 /* put may lie in t */
	memmove(t + at + add, t + at + cut, *n - at - cut);
	memcpy(t + at, piece, add);
	*n += add - cut;
	t[*n] = 0;
}

/* Bytes flipped, pieces cut, doubled, exchanged with another seed's, words put in. */
static void fuzz_bytes(struct fuzz *f, char *t, size_t *n, size_t cap)
{
	size_t at = fuzz_rand(f, (uint32_t)*n + 1), room = *n - at, cut = fuzz_rand(f, 40);
	const char *word = fuzz_words[fuzz_rand(f, (uint32_t)IN_COUNT(fuzz_words))];
	uint32_t how = fuzz_rand(f, 5), other = fuzz_rand(f, (uint32_t)f->n);
	size_t from = fuzz_rand(f, (uint32_t)f->len[other] + 1), left = f->len[other] - from;
	cut = cut < room ? cut : room;
	if (how == 0 && room)
		t[at] = (char)(t[at] ^ 1 << fuzz_rand(f, 8));
	else if (how == 1)
		fuzz_replace(t, n, cap, at, cut, f->seed[other] + from, left < 300 ? left : 300);
	else if (how < 4)
		fuzz_replace(t, n, cap, at, how == 2 ? 0 : cut, word, strlen(word));
	else
		fuzz_replace(t, n, cap, at, cut, "", 0);
}

/* Attribute names and values, whole empty elements, comments: mostly still XML. */
static void fuzz_parts(struct fuzz *f, char *t, size_t *n, size_t cap)
{
	static const char *const names[] = {
		"id", "in", "sigma", "note", "mask", "over", "col", "tone", "len", "file", "graph", "node", "param", "frame",
		"value", "ease", "out", "keep", "mix", "name", "type", "nix"
	};
	const char *word = fuzz_words[fuzz_rand(f, (uint32_t)IN_COUNT(fuzz_words))];
	char *at = t + fuzz_rand(f, (uint32_t)*n + 1), *open = strchr(at, '<'), *quote = strchr(at, '"');
	char *close = open ? strpbrk(open + 1, "<>") : NULL, *end = quote ? strchr(quote + 1, '"') : NULL;
	switch (fuzz_rand(f, 6)) {
	case 0: case 1:                          /* another value */
		if (end && !strpbrk(word, "<&\""))
			fuzz_replace(t, n, cap, (size_t)(quote + 1 - t), (size_t)(end - quote - 1), word, strlen(word));
		return;
	case 2:                                  /* another name */
		if (end && quote > t + 1 && quote[-1] == '=') {
			size_t w = 0;
			while (quote - 2 - w > t && quote[-2 - (ptrdiff_t)w] != ' ')
				w++;
			word = names[fuzz_rand(f, (uint32_t)IN_COUNT(names))];
			fuzz_replace(t, n, cap, (size_t)(quote - 1 - t) - w, w, word, strlen(word));
		}
		return;
	case 3: case 4:                          /* an empty element or comment, doubled or dropped */
		if (close && *close == '>' && (close[-1] == '/' || close[-1] == '-')) {
			size_t len = (size_t)(close + 1 - open);
			fuzz_replace(t, n, cap, (size_t)(open - t), fuzz_rand(f, 2) ? len : 0, open, fuzz_rand(f, 2) ? 0 : len);
		}
		return;
	default:                                 /* a whole element or white space before a tag */
		if (open && (strstr(word, "/>") ? word[0] == '<' : strspn(word, "\n\r \t") == strlen(word)))
			fuzz_replace(t, n, cap, (size_t)(open - t), 0, word, strlen(word));
		return;
	}
}

/* The text of case f->number. malloced. */
static char *fuzz_text(struct fuzz *f, size_t *len)
{
	uint32_t s = fuzz_rand(f, (uint32_t)f->n);
	size_t n = f->len[s], cap = n + FUZZ_ROOM;
	bool raw = fuzz_rand(f, 4) == 0;
	char *t = xalloc(cap + 1, 1);
	memcpy(t, f->seed[s], n);
	for (uint32_t k = 1 + fuzz_rand(f, 6); k && n; k--)
		if (raw)
			fuzz_bytes(f, t, &n, cap);
		else
			fuzz_parts(f, t, &n, cap);
	*len = n;
	return t;
}

/* Formatting must be stable, and must not turn a scene without errors into one with. */
static const char *fuzz_format(const char *text, size_t len, bool good)
{
	const struct load_opts o = { .host = &mock_host };
	struct diags d = { 0 };
	const char *why = NULL;
	char *one = scene_fmt("t.xml", text, len, &o, &d), *two = NULL;
	diags_free(&d);
	if (one) {
		two = scene_fmt("t.xml", one, strlen(one), &o, &d);
		if (!two || strcmp(one, two))
			why = "formatting twice differs";
		else if (good && d.n)
			why = "formatting made errors";
	} else if (good) {
		why = "a good scene is not formatted";
	}
	diags_free(&d);
	free(one);
	free(two);
	return why;
}

static const char *fuzz_patch(const char *text, size_t len)
{
	const struct attr at[] = { { "note", "a\"b'<&", 0 }, { "sigma", "3", 0 } };
	static const char *const ids[] = { "p", "a", "b", "u.a", "look" };
	const char *why = NULL;
	for (size_t i = 0; i < IN_COUNT(ids); i++) {
		struct err e = ERR_INIT;
		char *one = scene_patch(text, len, ids[i], at, 2, &e);
		char *two = one ? scene_patch(one, strlen(one), ids[i], at, 2, &e) : NULL;
		if (one && (!two || strcmp(one, two)))
			why = "patching twice differs";
		if (!one && !e.msg[0])
			why = "patching failed without a reason";
		free(one);
		free(two);
	}
	return why;
}

static const char *fuzz_values(struct fuzz *f, const char *text)
{
	const char *why = NULL;
	struct arena *a = arena_new();
	char part[65];
	snprintf(part, sizeof part, "%s", text + fuzz_rand(f, (uint32_t)strlen(text) + 1));
	for (uint32_t k = fuzz_rand(f, 3); k; k--)
		snprintf(part + fuzz_rand(f, 8), 32, "%s", fuzz_words[fuzz_rand(f, (uint32_t)IN_COUNT(fuzz_words))]);
	for (const struct param *p = mblur_params; p->name; p++) {
		struct value v, w;
		struct err e = ERR_INIT;
		if (value_parse(p, part, a, &v, &e) < 0) {
			why = e.msg[0] ? why : "a value refused without a reason";
		} else {
			char *out = value_print(p, &v, a);
			if (value_parse(p, out, a, &w, &e) < 0 || strcmp(value_print(p, &w, a), out))
				why = "printing a value and reading it differs";
		}
	}
	arena_free(&a);
	return why;
}

/* Runs case number n; NULL, or what broke. */
static const char *fuzz_one(struct fuzz *f, uint32_t number)
{
	const struct load_opts o = { .host = &mock_host };
	struct diags d = { 0 };
	size_t len;
	f->number = number;
	f->at = 0;
	char *text = fuzz_text(f, &len);
	struct scene *s = scene_load("t.xml", text, len, &o, &d);
	const char *why = !s && d.n == 0 ? "refused without a reason" : NULL;
	bool good = s && d.n == 0;
	scene_free(&s);
	diags_free(&d);
	if (!why)
		why = fuzz_format(text, len, good);
	if (!why)
		why = fuzz_patch(text, len);
	if (!why)
		why = fuzz_values(f, text);
	free(text);
	return why;
}

static void fuzz_open(struct fuzz *f)
{
	static const char rich[] =
		"<?xml version=\"1.0\"?>\n<graph version=\"1\" name=\"t\" fps=\"24\">\n<script file=\"mock.lua\"/>\n"
		"<param name=\"n\" type=\"float\" value=\"1\" min=\"0\"/> <!-- beside -->\n<mread id=\"p\" file=\"x\"/>\n\n"
		"<pass id=\"look\" kind=\"look\" out=\"b\"><!-- in --><mblur id=\"a\" in=\"p\" sigma=\"{n}\" col=\"#ff0000\"/>\n"
		"<mblur id=\"b\" mask=\"p\" tone=\"0,0 1,1\" len=\"2%h\" note=\"{{x}} {n}\"><animate param=\"sigma\">"
		"<key frame=\"1\" value=\"0\"/><key frame=\"2\" value=\"1\" ease=\"bezier\" bezier=\"0 0 1 1\"/></animate></mblur>\n"
		"</pass>\n<mmerge id=\"m\" in=\"look\" over=\"p\"/><mlist id=\"l\" in=\"p m  look\"/>\n<?pi x?>\n"
		"<waive rule=\"r\" node=\"a\" reason=\"s\"/><mwrite id=\"w\" in=\"l\" file=\"o_{rev}.mov\"/></graph>\n<!-- end -->\n";
	*f = (struct fuzz){ 0 };
	for (int i = 0; i < 40; i++)             /* often: it reaches deepest */
		fuzz_seed(f, rich, sizeof rich - 1);
	fuzz_seeds(f, "tests/scenes/bad");
	fuzz_seeds(f, "tests/fuzz/corpus");
}

static void fuzz_close(struct fuzz *f)
{
	for (int i = 0; i < f->n; i++)
		free(f->seed[i]);
	xmlCleanupParser();
}

#endif
