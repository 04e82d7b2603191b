/* graphs - the fuzzer of whole graphs: `graphs [COUNT [FIRST]]` runs cases FIRST.. and stops at the first in which two ways
 * to render one graph disagree. VERBOSE=1 prints the graphs.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "graphs_fuzz.h"

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 30;
	uint32_t first = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0, i;
	static struct graph_fuzz f;
	const char *why = NULL;
	setenv("INTERNEG_SHARE", ".", 0);
	f.lua = script_host_new();
	graph_setup(&f);
	for (i = 0; i < count && !why; i++) why = graph_case(&f, first + i);
	test_ok(!why, "fuzz graphs: %u cases from %u, %ld pictures alike, %ld renders fail alike%s%s", i, first,
	        f.pictures, f.failing, why ? "; the last: " : "",
	        why ? why : "");
	rmdir(test_tmp());
	script_host_free(&f.lua);
	TEST_END();
}
