/* cli - see cli.h.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "mathx.h"

#define RUN "threads memory cache isa proxy set debug log progress tile no-fuse no-cache keep-all allow-external"

const struct verb cli_verbs[] = {
	{ "render", "SCENE", "Renders the writes of a scene.",
	  RUN " frames only out dry oracle overwrite solve unsure trace", verb_render },
	{ "solve", "SCENE [NODE]", "Measures clips for balance and match and proposes plain "
	  "attributes; --apply writes them.",
	  RUN " apply unsure json", verb_solve },
	{ "still", "SCENE NODE|PASS", "Writes a PNG of any point of the graph, as displayed.",
	  RUN " frames out crop against wipe side diff gain oracle solve", verb_still },
	{ "scope", "SCENE|CLIP", "Measures a frame and draws it: waveform, parade, vectorscope, "
	  "histogram, chromaticity and more.",
	  RUN " frames out kind node space matrix range bits scale zoom skin zebra width height "
	  "columns oracle solve", verb_scope },
	{ "sheet", "SCENE", "One middle frame per shot in cut order, with white point and skin beneath, as a PNG.",
	  RUN " out columns width reference oracle solve", verb_sheet },
	{ "check", "SCENE...", "Reads scenes, opens their sources and applies the pass rules; renders nothing.",
	  "set debug log json isa proxy allow-external", verb_check },
	{ "plan", "SCENE", "Tells what a render would compute, take from the cache and write, and its peak memory.",
	  RUN " frames only out json verbose solve", verb_plan },
	{ "graph", "SCENE", "Prints the graph as DOT.", "set proxy stages debug log no-fuse", verb_graph },
	{ "fmt", "SCENE...", "Prints the canonical form; --write puts it in place, --check only tells.",
	  "write check textconv", verb_fmt },
	{ "nodes", "[NAME]", "Lists the node types, or prints the whole reference of one.",
	  "markdown json", verb_nodes },
	{ "schema", "[SCENE]", "Prints the schema, RELAX NG or XSD; with a scene, its scripts' and "
	  "graphs' types too.", "rng xsd", verb_schema },
	{ "probe", "CLIP...", "Tells what a clip is, and for each property whether it is tagged or guessed and why.",
	  "json raw picture cuts flicker along", verb_probe },
	{ "model", "FILE...", "Tells what a network is: layers, factor, receptive field, cost, memory, "
	  "and the hash that pins it.",
	  "json verbose", verb_model },
	{ "lock", "SCENE", "Writes SCENE.lock: inputs, scripts, nodes and the hash of every frame.",
	  RUN " oracle relock", verb_lock },
	{ "verify", "SCENE", "Renders again without the cache and tells the first difference from SCENE.lock.",
	  "threads memory isa proxy set debug log tile no-fuse frames sample outputs oracle "
	  "allow-external", verb_verify },
	{ "approve", "SCENE", "Writes an approval of a shot's pass into the scene; --list tells which "
	  "hold, --remove takes one out.",
	  "shot pass by role note list remove json debug log", verb_approve },
	{ "cache", "list|check|prune|why", "list, check, prune [SCENE]: the intermediates on disk; why "
	  "SCENE NODE -F N: is it there.",
	  "cache to json frames set proxy solve keep-all debug log", verb_cache },
	{ "diff", "A B", "Compares two scenes as graphs, files or REV:path of git: what changed, which "
	  "writes it reaches.",
	  "json at debug log", verb_diff },
	{ "explain", "SCENE NODE", "Tells what the key of a frame is made of, and what changed since SCENE.lock.",
	  "frames set debug log proxy isa", verb_explain },
	{ "new", "CLIP...", "Writes a ready scene for these clips, every guess spelled out.",
	  "out overwrite raw reference name", verb_new },
	{ "version", "", "Prints the program's version, the instruction set chosen and the libraries' "
	  "versions.", "isa",
	  verb_version },
	{ "bake", "SCENE NODE[..NODE]", "Writes the look of a node or a run of them as .cube, .clf or "
	  "ASC CDL, and tells its error.",
	  "cube clf cdl shaper in-space out-space out overwrite frames set proxy isa debug log", verb_bake },
	{ "grain", "CLIP|PROFILE", "Measures a clip's grain and keeps it as a profile; --compare A B "
	  "tells how two differ.",
	  "out frames method table plot compare unsure json threads memory debug log", verb_grain },
	{ "guide", "SCENE SHOT", "Walks a shot through the classic order of grading: what was "
	  "measured, what is proposed, before and after.",
	  "threads memory cache isa proxy set debug log no-cache frames step out apply unsure json", verb_guide },
	{ NULL, NULL, NULL, NULL, NULL }
};

enum kind { O_TEXT, O_INT, O_SIZE, O_FLAG, O_SET, O_PROGRESS, O_LOG, O_DEBUG };
struct option { const char *name; char letter; enum kind kind; size_t off; const char *arg, *doc; };
#define OFF(f) offsetof(struct cli, f)

static const struct option options[] = {
	{ "frames", 'F', O_TEXT, OFF(frames), "LIST", "frames: 1-10,20-30x2,-5 (the fifth from the end)" },
	{ "only", 0, O_TEXT, OFF(only), "ID[,ID]", "only these writes, passes or nodes" },
	{ "out", 'o', O_TEXT, OFF(out), "FILE", "output file, instead of the scene's or the standard one" },
	{ "threads", 0, O_INT, OFF(threads), "N", "threads of the whole process; default: what the system grants" },
	{ "memory", 0, O_SIZE, OFF(memory), "SIZE", "memory of the whole process: 800M, 4G" },
	{ "cache", 0, O_TEXT, OFF(cache), "DIR", "folder of intermediates; default $INTERNEG_CACHE, "
	  "else .interneg/cache beside the scene" },
	{ "no-cache", 0, O_FLAG, OFF(no_cache), NULL, "neither read nor keep intermediates" },
	{ "keep-all", 0, O_FLAG, OFF(keep_all), NULL, "keep the result of every pass" },
	{ "proxy", 0, O_INT, OFF(proxy), "N", "render at 1/N of the size" },
	{ "set", 0, O_SET, 0, "NAME=VALUE", "value of a <param>" },
	{ "solve", 0, O_FLAG, OFF(solve), NULL, "measure what is unsolved and use it once, without writing" },
	{ "apply", 0, O_FLAG, OFF(apply), NULL, "write the proposed attributes into the scene" },
	{ "step", 0, O_INT, OFF(step), "N", "only this step, 1 to 8" },
	{ "unsure", 0, O_FLAG, OFF(unsure), NULL, "apply proposals of low confidence as well; grain: take what may be texture" },
	{ "allow-external", 0, O_FLAG, OFF(allow_external), NULL, "run the programs that <external> nodes name" },
	{ "overwrite", 0, O_FLAG, OFF(overwrite), NULL, "replace files that interneg did not write" },
	{ "dry", 0, O_FLAG, OFF(dry), NULL, "compute and hash every frame, write no output" },
	{ "oracle", 0, O_FLAG, OFF(oracle), NULL, "use the slow single-threaded reference evaluator" },
	{ "isa", 0, O_TEXT, OFF(isa), "SET", "instruction set: baseline, avx2, avx512; default the best" },
	{ "tile", 0, O_INT, OFF(tile), "N", "side of a tile in pixels" },
	{ "no-fuse", 0, O_FLAG, OFF(no_fuse), NULL, "one stage a node" },
	{ "progress", 0, O_PROGRESS, 0, "HOW", "auto, plain, json or none" },
	{ "log", 0, O_LOG, 0, "json", "messages as JSON lines" },
	{ "debug", 0, O_DEBUG, 0, "TOPICS", "plan,cache,sched,lua,mem,stall,media" },
	{ "trace", 0, O_TEXT, OFF(trace), "FILE", "Chrome trace of what every worker did" },
	{ "crop", 0, O_TEXT, OFF(crop), "X,Y,W,H|W,H", "cut out at 100 %; two numbers: from the middle" },
	{ "against", 0, O_TEXT, OFF(against), "WHAT",
	  "compare with a node, a picture or clip, or [REV:]SCENE.xml[:NODE] of git or disk" },
	{ "wipe", 0, O_FLAG, OFF(wipe), NULL, "left half the other, right half this" },
	{ "side", 0, O_FLAG, OFF(side), NULL, "side by side, the other on the left" },
	{ "diff", 0, O_FLAG, OFF(diff), NULL, "difference, 8 times amplified about mid-grey" },
	{ "gain", 0, O_TEXT, OFF(gain), "N", "amplify the difference by N instead of 8" },
	{ "kind", 0, O_TEXT, OFF(kind), "KIND,..",
	  "waveform overlay parade vectorscope histogram xy uv false clipping picture" },
	{ "node", 0, O_TEXT, OFF(node), "ID", "node, pass or write that is measured; default: the first write" },
	{ "space", 0, O_TEXT, OFF(space), "SPACE", "of the signal; default: the write's, or the display encoding" },
	{ "matrix", 0, O_TEXT, OFF(matrix), "NAME",
	  "of the signal: bt709, bt601, bt2020; default: the write's or clip's" },
	{ "range", 0, O_TEXT, OFF(range), "HOW",
	  "codes of the signal: limited or full; default: the write's or clip's" },
	{ "bits", 0, O_INT, OFF(bits), "N", "depth of the codes: 8, 10 or 12" },
	{ "scale", 0, O_TEXT, OFF(scale), "HOW", "lines of level: percent, code, nits or stops" },
	{ "zoom", 0, O_TEXT, OFF(zoom), "N", "magnify the middle of the vectorscope, 1 to 8" },
	{ "skin", 0, O_TEXT, OFF(skin), "DEGREES", "angle of the skin line; default 123" },
	{ "zebra", 0, O_TEXT, OFF(zebra), "PERCENT", "clipping: stripes from this level on" },
	{ "width", 0, O_INT, OFF(width), "N", "width of the picture, or of one shot of a sheet" },
	{ "height", 0, O_INT, OFF(height), "N", "height of the picture" },
	{ "columns", 0, O_INT, OFF(columns), "N", "pictures in a row" },
	{ "json", 0, O_FLAG, OFF(json), NULL, "machine-readable output" },
	{ "verbose", 'v', O_FLAG, OFF(verbose), NULL, "stages, layers as well" },
	{ "stages", 0, O_FLAG, OFF(stages), NULL, "draw the fused stages" },
	{ "write", 'w', O_FLAG, OFF(write), NULL, "replace the file" },
	{ "check", 0, O_FLAG, OFF(check_only), NULL, "status 3 when the file is not in canonical form" },
	{ "textconv", 0, O_FLAG, OFF(textconv), NULL,
	  "for git: quiet, and what cannot be read is printed as it stands" },
	{ "markdown", 0, O_FLAG, OFF(markdown), NULL, "the whole reference as a page" },
	{ "rng", 0, O_FLAG, OFF(rng), NULL, "RELAX NG (default)" },
	{ "xsd", 0, O_FLAG, OFF(xsd), NULL, "W3C XML Schema" },
	{ "raw", 0, O_TEXT, OFF(raw), "\"WxH FMT FPS\"", "how to read a headerless file" },
	{ "picture", 0, O_TEXT, OFF(picture), "FILE", "PNG of the middle frame under both matrices" },
	{ "cuts", 0, O_FLAG, OFF(cuts), NULL, "look at every frame and tell where shots begin" },
	{ "flicker", 0, O_FLAG, OFF(flicker), NULL,
	  "look at every frame and tell how steady brightness and edges are" },
	{ "along", 0, O_TEXT, OFF(along), "FILE", "flicker at the places, and along the motion, of this version of the shot" },
	{ "reference", 0, O_TEXT, OFF(reference), "FILE", "clip or still that all shots are matched to" },
	{ "name", 0, O_TEXT, OFF(name), "NAME", "name of the graph" },
	{ "at", 0, O_TEXT, OFF(at), "FILE", "scene in whose folder the used graphs and scripts are looked for" },
	{ "sample", 0, O_INT, OFF(sample), "N", "N evenly spaced frames instead of all" },
	{ "relock", 0, O_FLAG, OFF(relock), NULL,
	  "lift the picture lock and the pins of the old lock: what is there now is locked" },
	{ "shot", 0, O_TEXT, OFF(shot), "ID", "the <use> that is the shot; left out: the scene itself" },
	{ "pass", 0, O_TEXT, OFF(pass), "ID", "the pass within the shot, or picture for the sources and the edit" },
	{ "by", 0, O_TEXT, OFF(by), "NAME", "who approves" },
	{ "role", 0, O_TEXT, OFF(role), "ROLE", "as what: colorist, director, client" },
	{ "note", 0, O_TEXT, OFF(note), "TEXT", "what else is to be said" },
	{ "list", 0, O_FLAG, OFF(list), NULL,
	  "tell every approval, whether it holds, and what a final still lacks" },
	{ "remove", 0, O_FLAG, OFF(remove), NULL, "take the approval out" },
	{ "outputs", 0, O_FLAG, OFF(outputs), NULL, "check the files on disk instead of rendering" },
	{ "to", 0, O_SIZE, OFF(to), "SIZE",
	  "prune: remove the least recently used until this is left; 1 empties it" },
	{ "cube", 0, O_INT, OFF(cube), "N", "as a 3D table of N nodes a side: 33, 65" },
	{ "clf", 0, O_FLAG, OFF(clf), NULL, "as Common LUT Format, of --cube N nodes a side (33)" },
	{ "cdl", 0, O_FLAG, OFF(cdl), NULL, "as .cc, .ccc or .cdl, where the node is nothing else" },
	{ "shaper", 0, O_TEXT, OFF(shaper), "NAME", "acescct: linear light in, spaced evenly in stops; none" },
	{ "in-space", 0, O_TEXT, OFF(space_in), "SPACE",
	  "of the numbers that go in; default: the display encoding" },
	{ "out-space", 0, O_TEXT, OFF(space_out), "SPACE",
	  "of the numbers that come out; default: the display encoding" },
	{ "compare", 0, O_FLAG, OFF(compare), NULL, "two clips or profiles: dB per band, strength, correlations" },
	{ "method", 0, O_TEXT, OFF(method), "HOW",
	  "grain: auto, temporal (differences of frames) or spatial (flat blocks)" },
	{ "table", 0, O_TEXT, OFF(table), "FILE.tbl", "grain: write an AV1 film grain table, for 10 bits, chroma left" },
	{ "plot", 0, O_TEXT, OFF(plot), "FILE.png", "grain: draw strength and spectrum" },
	{ "help", 'h', O_FLAG, OFF(help), NULL, "this text" },
};

static bool listed(const char *list, const char *name)
{
	size_t n = strlen(name);
	for (const char *p = list; p && *p; ) {
		size_t k = strcspn(p, " ");
		if (k == n && strncmp(p, name, n) == 0) return true;
		p += k + (p[k] == ' ');
	}
	return false;
}

static int parse_size(const char *name, const char *s, size_t *out, struct err *e)
{
	char *end;
	double v = strtod(s, &end), unit = 1;
	switch (*end) {
	case 'K': case 'k': unit = 1024.0; end++; break;
	case 'M': case 'm': unit = 1048576.0; end++; break;
	case 'G': case 'g': unit = 1073741824.0; end++; break;
	default: break;
	}
	if (*end == 'i') end++;
	if (*end == 'B') end++;
	if (end == s || *end || !(v * unit >= 1 || v == 0) || v * unit > 1e15)
		return err_set(e, E_USAGE, "--%s %s: not a size (800M, 4G)", name, s);
	*out = (size_t)(v * unit);
	return 0;
}

static int parse_debug(const char *s, unsigned *out, struct err *e)
{
	static const char *const topics[] = { "plan", "cache", "sched", "lua", "mem", "stall", "media" };
	char *list = xstrdup(s), *save = NULL;
	int rc = 0;
	for (char *t = strtok_r(list, ",", &save); t; t = strtok_r(NULL, ",", &save)) {
		size_t k = 0;
		while (k < IN_COUNT(topics) && strcmp(topics[k], t) != 0) k++;
		if (k == IN_COUNT(topics))
			rc = err_set(e, E_USAGE, "--debug %s: topics are plan,cache,sched,lua,mem,stall,media",
			             t);
		else *out |= 1u << k;
	}
	free(list);
	return rc;
}

static int parse_set(struct cli *c, const char *text, struct err *e)
{
	const char *eq = strchr(text, '=');
	if (!eq || eq == text) return err_set(e, E_USAGE, "--set %s: expected NAME=VALUE", text);
	if (c->nset == (int)IN_COUNT(c->set)) return err_set(e, E_USAGE, "too many --set");
	char *name = xstrdup(text);
	name[eq - text] = 0;
	c->set[c->nset++] = (struct attr){ name, name + (eq - text) + 1, 0 };
	return 0;
}

static int store(struct cli *c, const struct option *o, const char *text, struct err *e)
{
	static const char *const hows[] = { "auto", "plain", "json", "none" };
	char *at = (char *)c + o->off, *end;
	switch (o->kind) {
	case O_TEXT: *(const char **)(void *)at = text; return 0;
	case O_FLAG: *(bool *)(void *)at = true; return 0;
	case O_SIZE: return parse_size(o->name, text, (size_t *)(void *)at, e);
	case O_SET: return parse_set(c, text, e);
	case O_DEBUG: return parse_debug(text, &c->debug, e);
	case O_LOG:
		c->log_json = strcmp(text, "json") == 0;
		return c->log_json || strcmp(text, "plain") == 0 ? 0 : err_set(e, E_USAGE, "--log %s: json or plain", text);
	case O_PROGRESS:
		for (int i = 0; i < 4; i++)
			if (strcmp(text, hows[i]) == 0) { c->progress = (enum progress)i; return 0; }
		return err_set(e, E_USAGE, "--progress %s: auto, plain, json or none", text);
	default: break;
	}
	long v = strtol(text, &end, 10);
	if (end == text || *end || v < 1 || v > 1000000)
		return err_set(e, E_USAGE, "--%s %s: expected a whole number from 1 to 1000000", o->name, text);
	*(int *)(void *)at = (int)v;
	return 0;
}

static const struct option *find_option(const char *a, const char **value)
{
	*value = NULL;
	for (size_t i = 0; i < IN_COUNT(options); i++) {
		const struct option *o = &options[i];
		size_t n = strlen(o->name);
		if (a[1] != '-') {
			if (o->letter && a[1] == o->letter) { *value = a[2] ? a + 2 : NULL; return o; }
		} else if (strncmp(a + 2, o->name, n) == 0 && (a[2 + n] == 0 || a[2 + n] == '=')) {
			if (a[2 + n] == '=') *value = a + 3 + n;
			return o;
		}
	}
	return NULL;
}

static int unknown_option(const char *a, struct err *e)
{
	const char *names[IN_COUNT(options)];
	for (size_t i = 0; i < IN_COUNT(options); i++) names[i] = options[i].name;
	const char *near = nearest_name(a[1] == '-' ? a + 2 : a + 1, names, IN_COUNT(options));
	return err_set(e, E_USAGE, "no option %s%s%s%s", a, near ? "; did you mean --" : "",
	               near ? near : "", near ? "?" : "");
}

static int find_verb(struct cli *c, const char *name, struct err *e)
{
	const char *names[64];
	size_t n = 0;
	for (const struct verb *v = cli_verbs; v->name; v++) {
		names[n++] = v->name;
		if (strcmp(v->name, name) == 0) { c->verb = v; return 0; }
	}
	const char *near = nearest_name(name, names, n);
	return err_set(e, E_USAGE, "no verb '%s'%s%s%s; see interneg --help", name, near ? "; did you mean " : "",
	               near ? near : "", near ? "?" : "");
}

int cli_parse(int argc, char **argv, struct cli *c, struct err *e)
{
	const struct option *seen[64];
	int nseen = 0;
	bool plain = false;
	for (int i = 1; i < argc; i++) {
		const char *a = argv[i], *value;
		if (!plain && strcmp(a, "--") == 0) { plain = true; continue; }
		if (plain || a[0] != '-' || !a[1]) {
			if (!c->verb) { if (find_verb(c, a, e) < 0) return -1; }
			else if (c->narg < (int)IN_COUNT(c->arg)) c->arg[c->narg++] = a;
			else return err_set(e, E_USAGE, "too many arguments");
			continue;
		}
		const struct option *o = find_option(a, &value);
		if (!o) return unknown_option(a, e);
		if (o->kind == O_FLAG && value) return err_set(e, E_USAGE, "--%s takes no value", o->name);
		if (o->kind != O_FLAG && !value && ++i >= argc)
			return err_set(e, E_USAGE, "--%s wants %s", o->name, o->arg);
		if (store(c, o, value ? value : argv[i], e) < 0) return -1;
		if (nseen < 64) seen[nseen++] = o;
	}
	for (int i = 0; c->verb && !c->help && i < nseen; i++)
		if (!listed(c->verb->options, seen[i]->name) && strcmp(seen[i]->name, "log") != 0 &&
		    strcmp(seen[i]->name, "debug") != 0)
			return err_set(e, E_USAGE, "%s has no option --%s", c->verb->name, seen[i]->name);
	return 0;
}

void cli_help(const struct verb *v)
{
	if (!v) {
		printf("interneg - a headless node-graph compositor that finishes AI-generated video\n\n"
		       "usage: interneg VERB ... [options in any order]\n\n");
		for (v = cli_verbs; v->name; v++) printf("  %-7s %-16s %s\n", v->name, v->args, v->doc);
		printf("\ninterneg VERB --help tells its options. Exit status: 0 done, 1 internal, 2 usage, 3 scene,\n"
		       "4 pass rule, 5 input, 6 some frames failed, 7 memory, 8 QC, 9 output, 10 script, 11 verify,\n"
		       "12 lock or model, 75 try again, 128+n signal.\n");
		return;
	}
	printf("usage: interneg %s %s [options]\n\n%s\n\n", v->name, v->args, v->doc);
	for (size_t i = 0; i < IN_COUNT(options); i++) {
		const struct option *o = &options[i];
		if (!listed(v->options, o->name) && strcmp(o->name, "help") != 0) continue;
		char left[64];
		snprintf(left, sizeof left, "%s%c%s--%s %s", o->letter ? "-" : "", o->letter ? o->letter : ' ',
		         o->letter ? ", " : "   ", o->name, o->arg ? o->arg : "");
		printf("  %-32s %s\n", left, o->doc);
	}
}
