/* piz - the fuzzer of PIZ chunks: `piz [COUNT [FIRST]]` runs cases FIRST.., whole and damaged by turns, and stops at
 * the first in which exr_unpiz and OpenEXRCore disagree.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "piz_fuzz.h"

int main(int argc, char **argv)
{
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 2000;
	uint32_t first = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0, i;
	struct piz_fuzz f = { .z = exr_unpiz_new() };
	const char *why = NULL;
	char path[320];
	snprintf(path, sizeof path, "%s/case.exr", test_tmp());
	for (i = 0; i < count && !why; i++) {
		f.damage = i % 4 != 0;
		why = piz_case(&f, first + i, path);
	}
	test_ok(!why, "fuzz PIZ: %u cases from %u, %u chunks, %u refused%s%s", i, first, f.chunks, f.refused,
	        why ? "; the last: " : "", why ? why : "");
	unlink(path);
	rmdir(test_tmp());
	exr_unpiz_free(&f.z);
	TEST_END();
}
