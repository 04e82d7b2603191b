/* sched_trace - one buffer of events a worker, written as Chrome trace JSON (opens in Perfetto).
 * SPDX-License-Identifier: BSD-2-Clause */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sched_int.h"

struct trace_mark trace_begin(const struct worker *w)
{
	struct timespec t;
	if (!w->s->o->trace) return (struct trace_mark){ 0, 0 };
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (struct trace_mark){ now_us(), (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000 };
}

void trace_add(struct worker *w, const char *name, int frame, struct trace_mark begin)
{
	if (!w->s->o->trace) return;
	struct trace_mark end = trace_begin(w);
	w->ev = grow(w->ev, (size_t)w->nev, &w->cev, sizeof *w->ev);
	w->ev[w->nev++] = (struct trace_event){ name, frame, begin.us - w->s->t0, end.us - begin.us,
		end.cpu_us - begin.cpu_us };
}

int trace_write(const struct sched *s, const char *path, struct err *e)
{
	FILE *f = fopen(path, "w");
	if (!f) return err_set(e, E_OUTPUT, "open %s: %s", path, strerror(errno));
	const char *sep = "";
	fprintf(f, "{\"traceEvents\":[\n");
	for (int i = 0; i < s->nworker; i++)
		for (int k = 0; k < s->worker[i].nev; k++, sep = ",\n") {
			const struct trace_event *ev = &s->worker[i].ev[k];
			fprintf(f, "%s{\"ph\":\"X\",\"pid\":1,\"tid\":%d,\"name\":\"%s\",\"ts\":%" PRId64 ",\"dur\":%" PRId64
			        ",\"tdur\":%" PRId64 ",\"args\":{\"frame\":%d}}", sep, i + 1, ev->name, ev->start_us, ev->dur_us,
			        ev->cpu_us, ev->frame);
		}
	fprintf(f, "\n]}\n");
	if (fclose(f) != 0) return err_set(e, E_OUTPUT, "write %s: %s", path, strerror(errno));
	return 0;
}
