/* xml - the fuzzer of scenes: `xml [COUNT [FIRST]]` runs cases FIRST.., and stops at the first that breaks.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "xml_fuzz.h"

int main(int argc, char **argv)
{
	struct fuzz f;
	uint32_t count = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 2000;
	uint32_t first = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 0, i;
	const char *why = NULL;
	fuzz_open(&f);
	for (i = 0; i < count && !why; i++) {
		why = fuzz_one(&f, first + i);
		if (why && getenv("FUZZ_SHOW")) {
			size_t len;
			f.number = first + i;
			f.at = 0;
			char *text = fuzz_text(&f, &len);
			fwrite(text, 1, len, stderr);
			free(text);
		}
	}
	test_ok(!why, "fuzz scenes: %u cases from %u%s%s", i, first, why ? "; the last: " : "", why ? why : "");
	fuzz_close(&f);
	TEST_END();
}
