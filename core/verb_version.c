/* verb_version - `interneg version`: the program, the instruction set chosen, the libraries' versions.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <libdeflate.h>
#include <libxml/parser.h>
#include <lua.h>
#include <nettle/version.h>
#include <openexr.h>
#include <png.h>
#include <stdio.h>
#include <xxhash.h>
#include <zlib.h>

#include "cli.h"
#include "ffload.h"
#include "node.h"

static void print_av(const char *name, unsigned v)
{
	printf("%-12s %u.%u.%u\n", name, v >> 16, v >> 8 & 255, v & 255);
}

static void print_ffmpeg(void)
{
	struct err e = ERR_INIT;
	if (ff_open(&e) < 0) {
		printf("%-12s %s\n", "FFmpeg", e.msg);
		return;
	}
	print_av("libavformat", avformat_version());
	print_av("libavcodec", avcodec_version());
	print_av("libavutil", avutil_version());
}

int verb_version(struct cli *c, struct err *e)
{
	int major, minor, patch;
	const char *extra;
	if (c->narg) return err_set(e, E_USAGE, "version takes no argument");
	exr_get_library_version(&major, &minor, &patch, &extra);
	printf("interneg " INTERNEG_VERSION "\n");
	printf("%-12s %s\n", "instructions", node_isa_name());
	print_ffmpeg();
	printf("%-12s %d.%d.%d\n", "OpenEXRCore", major, minor, patch);
	printf("%-12s %s\n", "libxml2", LIBXML_DOTTED_VERSION);
	printf("%-12s %s.%s\n", "Lua", LUA_VERSION_MAJOR "." LUA_VERSION_MINOR, LUA_VERSION_RELEASE);
	printf("%-12s %d.%d\n", "nettle", nettle_version_major(), nettle_version_minor());
	printf("%-12s %s\n", "libpng", png_get_libpng_ver(NULL));
	printf("%-12s %u.%u.%u\n", "xxhash", XXH_versionNumber() / 10000, XXH_versionNumber() / 100 % 100,
	       XXH_versionNumber() % 100);
	printf("%-12s %s\n", "libdeflate", LIBDEFLATE_VERSION_STRING);
	printf("%-12s %s\n", "zlib", zlibVersion());
	return 0;
}
