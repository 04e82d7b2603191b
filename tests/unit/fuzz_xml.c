/* fuzz_xml - a short, fixed run of the fuzzer of scenes (tests/fuzz).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../fuzz/xml_fuzz.h"

int main(void)
{
	struct fuzz f;
	const char *why = NULL;
	uint32_t i = 0;
	fuzz_open(&f);
	test_ok(f.n > 8, "seeds of the corpus (%d)", f.n);
	for (; i < 1500 && !why; i++)
		why = fuzz_one(&f, i);
	test_ok(!why, "mutated scenes: %u cases%s%s", i, why ? "; the last: " : "", why ? why : "");
	fuzz_close(&f);
	TEST_END();
}
