/* piz - PIZ chunks taken apart here and by OpenEXRCore: the same bytes for pictures of every kind, tile and sample type, and for
 * every PIZ file of ../shared/data; damaged chunks are refused or the same as the library's.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <dirent.h>

#include "../fuzz/piz_fuzz.h"

static void cases(struct piz_fuzz *f, bool damage, uint32_t count, const char *path)
{
	const char *why = NULL;
	uint32_t i;
	f->damage = damage;
	f->chunks = f->refused = 0;
	for (i = 0; i < count && !why; i++)
		why = piz_case(f, i, path);
	test_ok(!why && (damage ? f->refused > f->chunks / 4 : f->refused == 0), "%u %s pictures, %u chunks, %u refused%s%s",
	        i, damage ? "damaged" : "sound", f->chunks, f->refused, why ? "; the last: " : "", why ? why : "");
}

static void file(struct piz_fuzz *f, const char *path, const char *rel)
{
	struct err e = ERR_INIT;
	struct exr_info info = { 0 };
	if (exr_probe(path, &info, &e))
		return;
	if (!strcmp(info.compression, "piz") && !info.deep) {
		*f = (struct piz_fuzz){ .z = f->z };
		exr_result_t rc = piz_read(f, path);
		test_ok(!rc && !f->why && f->chunks, "%s: %u chunks as the library has them%s%s", rel, f->chunks,
		        f->why ? ": " : "", f->why ? f->why : "");
	}
	exr_info_free(&info);
}

static void folder(struct piz_fuzz *f, const char *dir)
{
	struct dirent **d = NULL;
	int n = scandir(dir, &d, NULL, alphasort);
	for (int i = 0; i < n; i++) {
		char path[1000];
		size_t len = strlen(d[i]->d_name);
		snprintf(path, sizeof path, "%s/%s", dir, d[i]->d_name);
		if (len > 4 && !strcmp(d[i]->d_name + len - 4, ".exr"))
			file(f, path, d[i]->d_name);
		else if (d[i]->d_name[0] != '.' && strlen(dir) < 400)
			folder(f, path);
		free(d[i]);
	}
	free(d);
}

int main(void)
{
	const char *data = test_data();
	struct piz_fuzz f = { .z = exr_unpiz_new() };
	char path[400];
	snprintf(path, sizeof path, "%s/case.exr", test_tmp());
	cases(&f, false, 300, path);
	cases(&f, true, 300, path);
	unlink(path);
	if (data) {
		snprintf(path, sizeof path, "%s/exr", data);
		folder(&f, path);
	} else {
		test_skip("../shared/data is not there: real PIZ files");
	}
	exr_unpiz_free(&f.z);
	rmdir(test_tmp());
	TEST_END();
}
