/* main - the program: options, signals, one verb, one printed error, one exit status.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli.h"
#include "log.h"
#include "media.h"
#include "node.h"
#include "session.h"
#include "sysinfo.h"

/* The first SIGINT or SIGTERM asks workers to stop and leaves no partial file; the second ends at once. */
static void on_signal(int sig)
{
	if (atomic_load(&session_cancel)) _exit(128 + sig);
	atomic_store(&session_cancel, sig);
}

static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal };
	sigemptyset(&sa.sa_mask);
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	signal(SIGPIPE, SIG_IGN);
}

static int choose_isa(const struct cli *c, struct err *e)
{
	static const char *const names[] = { "auto", "baseline", "avx2", "avx512" };
	for (int i = 0; i < 4; i++)
		if (!c->isa || strcmp(c->isa, names[i]) == 0) return node_isa_set(c->isa ? (enum isa)i : ISA_AUTO, e);
	return err_set(e, E_USAGE, "--isa %s: baseline, avx2 or avx512", c->isa);
}

static int fail(const struct err *e)
{
	if (e->msg[0]) log_error("%s", e->msg);
	int sig = atomic_load(&session_cancel);
	return sig ? 128 + sig : e->code ? (int)e->code : E_INTERNAL;
}

/* What stdio still holds of the standard output. */
static int flush(struct err *e)
{
	if (fflush(stdout) == 0 && !ferror(stdout)) return 0;
	return err_set(e, E_OUTPUT, "standard output: write failed");
}

int main(int argc, char **argv)
{
	static struct cli c;
	static char version[] = "version";
	struct err e = ERR_INIT;
	setlocale(LC_ALL, "C");
	if (argc == 2 && strcmp(argv[1], "--version") == 0) argv[1] = version;
	if (cli_parse(argc, argv, &c, &e) < 0) return fail(&e);
	log_setup(c.log_json, c.debug);
	if (c.help || !c.verb) {
		cli_help(c.verb);
		return flush(&e) < 0 ? fail(&e) : c.help ? 0 : E_USAGE;
	}
	if (c.threads) sys_limit_threads(c.threads);
	catch_signals();
	media_setup(c.threads ? c.threads : sys_threads());
	if (choose_isa(&c, &e) < 0 || c.verb->run(&c, &e) < 0) {
		fflush(stdout);
		return fail(&e);
	}
	for (int i = 0; i < c.nset; i++) free((void *)(uintptr_t)c.set[i].name);
	return flush(&e) < 0 ? fail(&e) : 0;
}
