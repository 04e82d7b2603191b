/* verb_approve - `interneg approve` writes an approval of a pass or of the picture
 * into the scene, lists and removes them.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "approve.h"
#include "log.h"
#include "textfile.h"

static void put_json(const char *name, const char *v)
{
	char *out = xalloc(strlen(v) * 6 + 8, 1);
	json_escape(out, strlen(v) * 6 + 8, v);
	printf(",\"%s\":\"%s\"", name, out);
	free(out);
}

static void tell(const struct approve *v, bool ok, const char *why, bool json)
{
	if (json) {
		printf("{\"valid\":%s", ok ? "true" : "false");
		put_json("shot", v->shot);
		put_json("pass", v->pass);
		put_json("by", v->by);
		put_json("role", v->role);
		put_json("hash", v->hash);
		put_json("note", v->note);
		put_json("why", why);
		printf("}\n");
		return;
	}
	printf("%-5s %s%s%s by %s (%s)%s%s%s%s\n", ok ? "valid" : "void", v->shot, *v->shot ? "." : "",
	       v->pass, v->by, v->role, *v->note ? ", " : "", v->note, *why ? "; " : "", why);
}

/* Every approval, then what the finals lack. */
static int list(struct approvals *a, struct err *e)
{
	const struct scene *s = a->s->scene;
	for (int i = 0; i < s->napprove; i++) {
		char why[600];
		int ok = approvals_valid(a, &s->approve[i], why, sizeof why, e);
		if (ok < 0) return -1;
		tell(&s->approve[i], ok, why, a->s->c->json);
	}
	if (!s->napprove && !a->s->c->json) printf("%s: no approvals\n", a->s->file);
	fflush(stdout);
	if (approvals_demand(a, DIAG_WARNING, &a->s->d, e) < 0) return -1;
	return session_say(a->s, e);
}

static int change(struct approvals *a, bool remove, struct err *e)
{
	const struct cli *c = a->s->c;
	const char *shot = c->shot ? c->shot : "", *role = c->role;
	char hex[APPROVE_DIGITS + 1] = "";
	size_t len;
	if (!remove && approvals_hash(a, shot, c->pass, hex, e) < 0) return -1;
	struct attr attr[] = { { "shot", shot, 0 }, { "pass", c->pass, 0 }, { "by", c->by, 0 },
		{ "role", role, 0 }, { "hash", hex, 0 }, { "note", c->note ? c->note : "", 0 } };
	struct attr key[] = { { "shot", shot, 0 }, { "pass", c->pass, 0 }, { "role", role, 0 } };
	char *text = text_read(a->s->file, &len, e);
	if (!text) return -1;
	char *next = scene_put(text, len, "approve", key, role ? 3 : 2, remove ? NULL : attr, IN_COUNT(attr), e);
	free(text);
	if (!next) return err_in(e, "%s", a->s->file);
	int rc = text_write(a->s->file, next, e);
	free(next);
	if (rc == 0 && !remove)
		printf("%s: %s%s%s approved by %s (%s): %s\n", a->s->file, shot, *shot ? "." : "", c->pass,
		       c->by, role, hex);
	return rc;
}

static bool blank(const char *s)
{
	return !s || strspn(s, " ") == strlen(s);
}

int verb_approve(struct cli *c, struct err *e)
{
	struct session s;
	struct approvals a;
	int rc = -1;
	if (c->narg != 1) return err_set(e, E_USAGE, "approve wants one SCENE");
	if (c->list + c->remove > 1) return err_set(e, E_USAGE, "approve: --list or --remove");
	if (!c->list && blank(c->pass)) return err_set(e, E_USAGE, "approve wants --pass ID, or --pass picture");
	if (!c->list && !c->remove && (blank(c->by) || blank(c->role)))
		return err_set(e, E_USAGE, "approve wants --by NAME and --role ROLE");
	if (session_open(&s, c, c->arg[0], WANT_NET, e) == 0) {
		approvals_open(&a, &s);
		rc = c->list ? list(&a, e) : change(&a, c->remove, e);
		approvals_close(&a);
	}
	session_close(&s);
	return rc;
}
