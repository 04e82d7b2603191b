/* exr_peer - OpenEXR's C++ library and this project's code write and read the same frame in turns, in one process:
 * medians of the pairs and their ratio (over 1: interneg is faster). Both start from and end in planar float.
 *   exr_peer table FRAME DIR [PAIRS]      every compression, float and half, 1 and 2 threads
 *   exr_peer levels FRAME DIR [PAIRS]     sizes and times of this project's compressions
 *   exr_peer tools FRAME DIR [PAIRS]      oiiotool reads and writes the frame, and so does `copy` below
 *   exr_peer copy IN OUT COMPRESSION half|float THREADS
 * SYNC=1: every write ends with fsync. COLD=1: every read starts without a page in memory. ONLY="none zip": these compressions.
 * SPDX-License-Identifier: BSD-2-Clause */
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <string>
#include <vector>

#include <ImfChannelList.h>
#include <ImfFrameBuffer.h>
#include <ImfHeader.h>
#include <ImfInputFile.h>
#include <ImfOutputFile.h>
#include <ImfThreading.h>
#include <half.h>

#include "exr_ours.h"

using namespace Imf;

struct Frame { struct image *im; int w, h, n; const char *name[64]; float *plane[64]; long stride; std::vector<half> small; };

static double now(clockid_t id)
{
	struct timespec t;
	clock_gettime(id, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static Compression kind(const std::string &s)
{
	return s == "none" ? NO_COMPRESSION : s == "rle" ? RLE_COMPRESSION : s == "zips" ? ZIPS_COMPRESSION
	       : s == "zip" ? ZIP_COMPRESSION : PIZ_COMPRESSION;
}

static void sync_file(const char *path)
{
	int fd = open(path, O_RDONLY);
	fsync(fd);
	close(fd);
}

/* The halves are there beforehand: the library takes no other type, and the conversion is not its own. */
static void peer_write(const char *path, Frame &f, const std::string &comp, bool is_half, bool sync, int threads)
{
	{
		Header head(f.w, f.h);
		head.compression() = kind(comp);
		FrameBuffer fb;
		for (int c = 0; c < f.n; c++) {
			head.channels().insert(f.name[c], Channel(is_half ? HALF : FLOAT));
			if (is_half)
				fb.insert(f.name[c], Slice(HALF, (char *)&f.small[(size_t)c * f.w * f.h], 2, 2 * (size_t)f.w));
			else
				fb.insert(f.name[c], Slice(FLOAT, (char *)f.plane[c], 4, 4 * (size_t)f.stride));
		}
		OutputFile out(path, head, threads > 1 ? threads : 0);
		out.setFrameBuffer(fb);
		out.writePixels(f.h);
	}
	if (sync)
		sync_file(path);
}

static void peer_read(const char *path, Frame &f, int threads)
{
	InputFile in(path, threads > 1 ? threads : 0);
	FrameBuffer fb;
	for (int c = 0; c < f.n; c++)
		fb.insert(f.name[c], Slice(FLOAT, (char *)f.plane[c], 4, 4 * (size_t)f.stride));
	in.setFrameBuffer(fb);
	in.readPixels(0, f.h - 1);
}

/* With COLD=1 reading starts from the disk. */
static void evict(const std::string &path)
{
	if (!getenv("COLD"))
		return;
	int fd = open(path.c_str(), O_RDONLY);
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}

static Frame frame_of(struct image *im)
{
	Frame f;
	f.im = im;
	ours_size(im, &f.w, &f.h, &f.n, f.name, f.plane, &f.stride);
	return f;
}

struct Times { std::vector<double> wall, cpu; };

static void timed(Times &t, const std::function<void()> &job)
{
	double w = now(CLOCK_MONOTONIC), c = now(CLOCK_PROCESS_CPUTIME_ID);
	job();
	t.wall.push_back(now(CLOCK_MONOTONIC) - w);
	t.cpu.push_back(now(CLOCK_PROCESS_CPUTIME_ID) - c);
}

static double median(std::vector<double> v)
{
	std::sort(v.begin(), v.end());
	return v[v.size() / 2];
}

static double megabytes(const std::string &path)
{
	struct stat st;
	return stat(path.c_str(), &st) ? 0 : (double)st.st_size / 1e6;
}

static void row(const char *what, const std::string &comp, bool is_half, int threads, Times &a, Times &b)
{
	printf("%-5s %-5s %-5s %d  interneg %7.1f ms (cpu %7.1f)  OpenEXR C++ %7.1f ms (cpu %7.1f)  ratio %5.2f (cpu %5.2f)\n",
	       what, comp.c_str(), is_half ? "half" : "float", threads, median(a.wall), median(a.cpu), median(b.wall),
	       median(b.cpu), median(b.wall) / median(a.wall), median(b.cpu) / median(a.cpu));
	fflush(stdout);
}

static int table(Frame &f, Frame &g, const std::string &dir, int pairs, bool sync, int maxthreads)
{
	int bad = 0;
	std::string ours = dir + "/ours.exr", peer = dir + "/peer.exr";
	const char *one = getenv("ONLY");
	for (const char *comp : { "none", "rle", "zips", "zip", "piz" })
		for (int is_half = 0; is_half < 2; is_half++)
			for (int threads = 1; threads <= maxthreads; threads++) {
				if (one && !strstr(one, comp))
					continue;
				Times wa, wb, ra, rb;
				for (int i = 0; i < pairs; i++) {
					auto mine = [&] { ours_write(ours.c_str(), f.im, comp, 0, is_half, sync, threads); };
					auto its = [&] { peer_write(peer.c_str(), f, comp, is_half, sync, threads); };
					if (i & 1) { timed(wb, its); timed(wa, mine); } else { timed(wa, mine); timed(wb, its); }
				}
				for (int i = 0; i < pairs; i++) {
					auto mine = [&] { ours_read(peer.c_str(), g.im, threads); };
					auto its = [&] { peer_read(peer.c_str(), g, threads); };
					evict(peer);
					if (i & 1) timed(rb, its); else timed(ra, mine);
					evict(peer);
					if (i & 1) timed(ra, mine); else timed(rb, its);
				}
				peer_read(ours.c_str(), g, threads);
				if (is_half) {
					struct image *h = ours_like(f.im);
					Frame hf = frame_of(h);
					for (int c = 0; c < f.n; c++)
						memcpy(hf.plane[c], f.plane[c], 4 * (size_t)f.stride * f.h);
					ours_halve(h);
					bad += !ours_equal(h, g.im);
				} else
					bad += !ours_equal(f.im, g.im);
				row("write", comp, is_half, threads, wa, wb);
				row("read", comp, is_half, threads, ra, rb);
				if (threads == 1)
					printf("size  %-5s %-5s    interneg %7.1f MB  OpenEXR C++ %7.1f MB\n", comp, is_half ? "half" : "float",
					       megabytes(ours), megabytes(peer));
				unlink(ours.c_str());
				unlink(peer.c_str());
			}
	printf(bad ? "PIXELS DIFFER in %d cases\n" : "the library reads every file of ours with the same pixels\n", bad);
	return bad != 0;
}

static void levels(Frame &f, Frame &g, const std::string &dir, int pairs)
{
	static const struct { const char *comp; int level; } t[] = {
		{ "none", 0 }, { "rle", 0 }, { "zips", 1 }, { "zip", 1 }, { "zip", 2 }, { "zip", 4 }, { "zip", 6 }, { "piz", 0 }
	};
	std::string path = dir + "/ours.exr";
	for (int is_half = 0; is_half < 2; is_half++)
		for (auto &k : t) {
			Times w, r;
			for (int i = 0; i < pairs; i++) {
				timed(w, [&] { ours_write(path.c_str(), f.im, k.comp, k.level, is_half, 0, 2); });
				timed(r, [&] { ours_read(path.c_str(), g.im, 2); });
			}
			printf("%-5s %-4s level %d: write cpu %7.1f ms  read cpu %6.1f ms  %6.1f MB\n", is_half ? "half" : "float", k.comp,
			       k.level, median(w.cpu), median(r.cpu), megabytes(path));
		}
	unlink(path.c_str());
}

/* A command's wall and CPU time, children included. */
static int command(Times &t, const std::string &line)
{
	struct rusage u;
	int st = 0;
	double w = now(CLOCK_MONOTONIC);
	pid_t pid = fork();
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", line.c_str(), (char *)NULL);
		_exit(127);
	}
	wait4(pid, &st, 0, &u);
	t.wall.push_back(now(CLOCK_MONOTONIC) - w);
	t.cpu.push_back((double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1e3
	                + (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e3);
	return st;
}

/* Start-up is measured on a small picture and taken off. */
static void net(Times &t, const Times &start)
{
	for (double &v : t.wall)
		v = std::max(v - median(start.wall), 0.1);
	for (double &v : t.cpu)
		v = std::max(v - median(start.cpu), 0.1);
}

static int tools(const std::string &self, const std::string &frame, const std::string &dir, int pairs)
{
	std::string tiny = dir + "/tiny.exr", in = dir + "/in.exr", out = dir + "/out.exr";
	if (system("oiiotool --help >/dev/null 2>&1"))
		return printf("no oiiotool\n"), 0;
	const char *one = getenv("ONLY");
	for (const char *comp : { "none", "rle", "zips", "zip", "piz" })
		for (const char *type : { "float", "half" })
			for (int threads = 1; threads <= 2; threads++) {
				if (one && !strstr(one, comp))
					continue;
				std::string n = std::to_string(threads);
				auto mine = [&](const std::string &from) { return self + " copy " + from + " " + out + " " + comp + " " + type + " " + n; };
				auto its = [&](const std::string &from) {
					return "oiiotool --threads " + n + " " + from + " -d " + type + " --compression " + comp + " -o " + out;
				};
				Times a, b, sa, sb, ignore;
				command(ignore, self + " copy " + frame + " " + in + " " + comp + " " + type + " 2");
				command(ignore, "oiiotool " + frame + " --cut 16x16+0+0 -o " + tiny);
				for (int i = 0; i < pairs; i++) {
					command(sa, mine(tiny));
					command(sb, its(tiny));
					command(a, mine(in));
					command(b, its(in));
				}
				net(a, sa);
				net(b, sb);
				printf("copy  %-5s %-5s %d  interneg %7.1f ms (cpu %7.1f)  oiiotool %10.1f ms (cpu %7.1f)  ratio %5.2f (cpu %5.2f)\n",
				       comp, type, threads, median(a.wall), median(a.cpu), median(b.wall), median(b.cpu),
				       median(b.wall) / median(a.wall), median(b.cpu) / median(a.cpu));
				fflush(stdout);
			}
	for (const std::string &p : { tiny, in, out })
		unlink(p.c_str());
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 4)
		return fprintf(stderr, "usage: exr_peer table|levels FRAME DIR [PAIRS] | tools FRAME DIR [PAIRS] | copy IN OUT COMPRESSION half|float THREADS\n"), 2;
	setGlobalThreadCount(2);
	if (!strcmp(argv[1], "copy") && argc == 7) {
		struct image *im = ours_load(argv[2], atoi(argv[6]));
		return !im || ours_write(argv[3], im, argv[4], 0, !strcmp(argv[5], "half"), 0, atoi(argv[6]));
	}
	if (!strcmp(argv[1], "tools"))
		return tools(argv[0], argv[2], argv[3], argc > 4 ? atoi(argv[4]) : 3);
	struct image *im = ours_load(argv[2], 2);
	if (!im)
		return 1;
	Frame f = frame_of(im), g = frame_of(ours_like(im));
	f.small.resize((size_t)f.w * f.h * f.n);
	for (int c = 0; c < f.n; c++)
		for (int y = 0; y < f.h; y++)
			for (int x = 0; x < f.w; x++)
				f.small[((size_t)c * f.h + y) * f.w + x] = half(f.plane[c][y * f.stride + x]);
	int pairs = argc > 4 ? atoi(argv[4]) : 5;
	if (!strcmp(argv[1], "levels")) {
		levels(f, g, argv[3], pairs);
		return 0;
	}
	return table(f, g, argv[3], pairs, getenv("SYNC") != NULL, 2);
}
