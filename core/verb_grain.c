/* verb_grain - `interneg grain`: a clip's grain measured, kept as a profile, compared, exchanged with AV1 tables.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "colour.h"
#include "grain_table.h"
#include "log.h"
#include "mathx.h"
#include "textfile.h"
#include "verb_grain.h"
#include "yuv.h"

struct item { const char *file; struct grain_profile p; struct grain_report r; bool measured, table; };

static bool ends(const char *s, const char *tail)
{
	size_t n = strlen(s), k = strlen(tail);
	return n > k && strcmp(s + n - k, tail) == 0;
}

static int read_table(const char *file, struct grain_profile *p, struct err *e)
{
	struct grain_params g;
	size_t len;
	int n;
	char *text = text_read(file, &len, e);
	if (!text) { e->code = E_INPUT; return -1; }
	int rc = grain_table_parse(text, file, &g, &n, e);
	free(text);
	if (rc < 0) return -1;
	if (n > 1) log_note("%s: the first of %d sets of parameters is taken", file, n);
	grain_table_profile(&g, &GRAIN_PICTURE, 1080, p);
	const char *base = strrchr(file, '/') ? strrchr(file, '/') + 1 : file;
	snprintf(p->source, sizeof p->source, "%s", base);
	return 0;
}

static int load(const struct cli *c, const char *file, struct item *it, struct err *e)
{
	*it = (struct item){ .file = file };
	if ((ends(file, ".grain") || ends(file, ".tbl")) && c->narg == 1 && (c->frames || c->method))
		return err_set(e, E_USAGE, "%s is not measured: --frames and --method are for clips", file);
	if (ends(file, ".grain")) return grain_profile_read(file, &it->p, e);
	if ((it->table = ends(file, ".tbl"))) return read_table(file, &it->p, e);
	it->measured = true;
	return grain_of_clip(c, file, &it->p, &it->r, e);
}

static void print_three(const char *head, const double v[3], int decimals)
{
	printf("%s", head);
	for (int c = 0; c < 3; c++) printf(" %9.*f", decimals, v[c]);
	printf("\n");
}

static void print_text(const struct item *it)
{
	const struct grain_profile *p = &it->p;
	struct grain_diff d;
	grain_compare(p, p, &d);
	printf("%s: ", it->file);
	if (p->width) printf("%dx%d, frames %d-%d, ", p->width, p->height, p->first, p->last);
	printf("encoded %s\n", colour_name(p->space));
	if (it->measured)
		printf("%s\n%s%s%s%s\nstandard errors: strength %.1f %% a level, spectrum %.2f dB, correlation %.3f%s\n", it->r.why,
		       it->r.verdict, it->r.doubt[0] ? "\n" : "", it->r.unsure ? "NOT TO BE TRUSTED: " : "", it->r.doubt, 100 * it->r.se_strength, it->r.se_db, it->r.se_corr, p->method == GRAIN_SPATIAL ?
		       "\n(of sampling alone: detail that flat blocks still hold counts as grain on top of that; below 0.05 cycles a pixel"
		       " the spectrum is led on from above)" : "");
	printf("strength: sigma in thousandths of full scale\n  luma             R         G         B\n");
	for (int i = 0; i < p->nstrength; i++) {
		double v[3] = { 1e3 * p->sigma[i][0], 1e3 * p->sigma[i][1], 1e3 * p->sigma[i][2] };
		printf("  %.3f  ", p->luma[i]);
		print_three("", v, 3);
	}
	printf("spectrum: dB over white of the same strength, cycles per pixel\n");
	for (int k = 0; k < GRAIN_OCTAVES; k++) {
		printf("  %.3f-%.3f ", d.from[k], d.to[k]);
		print_three("", d.power[0][k], 2);
	}
	printf("correlation RG %.4f, RB %.4f, GB %.4f\n", p->corr[0], p->corr[1], p->corr[2]);
	printf("with the frame before: %.3f %.3f %.3f\n", p->rho[0], p->rho[1], p->rho[2]);
	printf("vertical to horizontal extent: %.3f %.3f %.3f\n", p->aniso[0], p->aniso[1], p->aniso[2]);
	for (int i = 0; i < p->nlattice; i++)
		printf("lattice of %g pixels: peaks of %.1f dB, taken out of the spectrum\n", p->lattice_period[i], p->lattice_db[i]);
}

static void json_three(const char *name, const double v[3])
{
	char a[3][40];
	for (int c = 0; c < 3; c++) mx_print(v[c], a[c]);
	printf(",\"%s\":[%s,%s,%s]", name, a[0], a[1], a[2]);
}

static void json_rows(const char *name, int n, const double *at, const double (*v)[3])
{
	char a[4][40];
	printf(",\"%s\":[", name);
	for (int i = 0; i < n; i++) {
		mx_print(at[i], a[3]);
		for (int c = 0; c < 3; c++) mx_print(v[i][c], a[c]);
		printf("%s[%s,%s,%s,%s]", i ? "," : "", a[3], a[0], a[1], a[2]);
	}
	printf("]");
}

static void print_json(const struct item *it)
{
	const struct grain_profile *p = &it->p;
	char esc[1200];
	json_escape(esc, sizeof esc, it->file);
	printf("{\"file\":\"%s\",\"space\":\"%s\",\"height\":%d", esc, colour_name(p->space), p->lines);
	if (it->measured) {
		json_escape(esc, sizeof esc, it->r.why);
		printf(",\"method\":\"%s\",\"verdict\":\"%s\"", esc, it->r.verdict);
		json_escape(esc, sizeof esc, it->r.doubt);
		printf(",\"unsure\":%s,\"doubt\":\"%s\"", it->r.unsure ? "true" : "false", esc);
		printf(",\"boiling\":%s,\"frozen\":%s", it->r.boiling ? "true" : "false", it->r.frozen ? "true" : "false");
	}
	json_rows("strength", p->nstrength, p->luma, p->sigma);
	json_rows("spectrum", p->nband, p->freq, p->db);
	json_three("correlation", p->corr);
	json_three("temporal", p->rho);
	json_three("aniso", p->aniso);
	printf(",\"lattice\":[");
	for (int i = 0; i < p->nlattice; i++)
		printf("%s[%g,%.1f]", i ? "," : "", p->lattice_period[i], p->lattice_db[i]);
	printf("]}\n");
}

static void compare_json(const struct item *a, const struct item *b, const struct grain_diff *d)
{
	char ea[1200], eb[1200];
	json_escape(ea, sizeof ea, a->file);
	json_escape(eb, sizeof eb, b->file);
	printf("{\"a\":\"%s\",\"b\":\"%s\"", ea, eb);
	json_rows("bands_db", GRAIN_OCTAVES, d->to, d->band);
	json_three("worst_db", d->worst);
	json_rows("sigma_a", d->nlevel, d->luma, d->sigma[0]);
	json_rows("sigma_b", d->nlevel, d->luma, d->sigma[1]);
	json_three("strength_rms", d->strength);
	json_three("correlation", d->corr);
	json_three("temporal", d->rho);
	printf("}\n");
}

static void compare_text(const struct item *a, const struct item *b, const struct grain_diff *d)
{
	printf("A %s: %s\nB %s: %s\n", a->file, a->measured ? a->r.why : "a profile", b->file,
	       b->measured ? b->r.why : "a profile");
	if (a->p.space != b->p.space)
		printf("note: A is encoded %s, B %s; strengths do not compare\n", colour_name(a->p.space), colour_name(b->p.space));
	printf("bands, cycles per pixel of A (dB over white, A then B, and B - A)\n");
	for (int k = 0; k < GRAIN_OCTAVES; k++) {
		printf("  %.3f-%.3f", d->from[k], d->to[k]);
		for (int q = 0; q < 2; q++) printf("  %7.2f %7.2f %7.2f", d->power[q][k][0], d->power[q][k][1], d->power[q][k][2]);
		printf("  %+6.2f %+6.2f %+6.2f\n", d->band[k][0], d->band[k][1], d->band[k][2]);
	}
	printf("  worst above -30 dB: %.2f %.2f %.2f dB\n", d->worst[0], d->worst[1], d->worst[2]);
	printf("strength: sigma of R, G, B in thousandths of full scale, A then B, and B over A\n");
	for (int i = 0; i < d->nlevel; i++) {
		printf("  luma %.3f", d->luma[i]);
		for (int q = 0; q < 2; q++)
			printf("  %7.3f %7.3f %7.3f", 1e3 * d->sigma[q][i][0], 1e3 * d->sigma[q][i][1], 1e3 * d->sigma[q][i][2]);
		for (int c = 0; c < 3; c++)
			printf("%s%+6.1f %%", c ? " " : "  ", d->sigma[0][i][c] > 0 ? 100 * (d->sigma[1][i][c] / d->sigma[0][i][c] - 1) : 0.0);
		printf("\n");
	}
	printf("  rms difference: %.2f %.2f %.2f %%\n", 100 * d->strength[0], 100 * d->strength[1], 100 * d->strength[2]);
	printf("correlation RG, RB, GB: A %.4f %.4f %.4f, B %.4f %.4f %.4f, B - A %+.4f %+.4f %+.4f\n", a->p.corr[0],
	       a->p.corr[1], a->p.corr[2], b->p.corr[0], b->p.corr[1], b->p.corr[2], d->corr[0], d->corr[1], d->corr[2]);
	printf("with the frame before: A %.3f %.3f %.3f, B %.3f %.3f %.3f\n", a->p.rho[0], a->p.rho[1], a->p.rho[2],
	       b->p.rho[0], b->p.rho[1], b->p.rho[2]);
}

static int compare(const struct cli *c, struct err *e)
{
	struct item *v = xalloc(2, sizeof *v);
	struct grain_diff d;
	int rc = -1;
	if (c->narg != 2) { err_set(e, E_USAGE, "grain --compare wants two clips or profiles"); goto out; }
	if (c->out || c->table) { err_set(e, E_USAGE, "grain --compare writes no profile and no table"); goto out; }
	if (load(c, c->arg[0], &v[0], e) < 0 || load(c, c->arg[1], &v[1], e) < 0) goto out;
	/* a table is for whatever picture it comes with */
	for (int i = 0; i < 2; i++)
		if (v[i].table && !v[1 - i].table) v[i].p.lines = v[1 - i].p.lines;
	grain_compare(&v[0].p, &v[1].p, &d);
	(c->json ? compare_json : compare_text)(&v[0], &v[1], &d);
	rc = c->plot ? grain_plot(c->plot, &v[0].p, c->arg[0], &v[1].p, c->arg[1], e) : 0;
out:
	free(v);
	return rc;
}

static int save_profile(const struct cli *c, const struct grain_profile *p, struct err *e)
{
	char *text = grain_profile_text(p);
	int rc = text_write(c->out, text, e);
	free(text);
	return rc;
}

static int save_table(const struct cli *c, const struct grain_profile *p, struct err *e)
{
	struct grain_params g;
	double off;
	if (grain_table_from(p, &GRAIN_PICTURE, &g, &off, e) < 0) return -1;
	if (off > TABLE_OFF) log_warn("%s: AV1's film grain cannot be this grain: %.1f dB off in an octave", c->table, off);
	char *text = grain_table_text(&g);
	int rc = text_write(c->table, text, e);
	free(text);
	return rc;
}

int verb_grain(struct cli *c, struct err *e)
{
	if (c->compare) return compare(c, e);
	if (c->narg != 1) return err_set(e, E_USAGE, "grain wants one CLIP, or --compare and two");
	struct item *it = xalloc(1, sizeof *it);
	int rc = load(c, c->arg[0], it, e);
	if (rc == 0) (c->json ? print_json : print_text)(it);
	if (rc == 0 && c->out) rc = save_profile(c, &it->p, e);
	if (rc == 0 && c->table) rc = save_table(c, &it->p, e);
	if (rc == 0 && c->plot) rc = grain_plot(c->plot, &it->p, c->arg[0], NULL, NULL, e);
	free(it);
	return rc;
}
