#!/bin/sh
# get.sh FOLDER - brings Bochs, a kernel and a boot loader into FOLDER from Debian's archive; installs nothing.
# Bochs is built from the source of Debian 13, without windows and debugger (minutes, once): Debian 12's 2.7 has no AMX
# and runs with its debugger. xfd.patch adds what Linux wants of a CPU before it lets programs use AMX. Ends with 77 and
# a reason on stdout where the archive or a compiler is out of reach.
# SPDX-License-Identifier: BSD-2-Clause
set -u
patch=$(cd "$(dirname "$0")" && pwd)/xfd.patch
mkdir -p "$1" && cd "$1" || exit 1
[ -e ready ] && exit 0
here=$PWD
lack() { echo "$1"; exit 77; }
for t in apt-get apt-cache dpkg-deb g++ make patch; do
	command -v $t >/dev/null || lack "no $t"
done
kernel=$(apt-cache depends linux-image-cloud-amd64 | sed -n 's/.*Depends: \(linux-image-[0-9].*\)/\1/p' | head -1)
[ -n "$kernel" ] || lack "no linux-image-cloud-amd64 in this system's package lists"
mkdir -p deb root source
(cd deb && apt-get download "$kernel" isolinux syslinux-common xorriso libisoburn1 libburn4 libisofs6 libjte2 \
	busybox-static bochsbios vgabios) > get.log 2>&1 || lack "packages cannot be had: $(tail -1 get.log)"
for f in deb/*.deb; do dpkg-deb -x "$f" root || exit 1; done
if ! [ -x bochs ]; then
	mkdir -p apt/lists/partial apt/cache/archives/partial
	echo 'deb-src http://deb.debian.org/debian trixie main' > apt/sources.list
	o="-o Dir::Etc::sourcelist=$here/apt/sources.list -o Dir::Etc::sourceparts=- -o Dir::State::lists=$here/apt/lists"
	o="$o -o Dir::Cache=$here/apt/cache -o APT::Get::List-Cleanup=false"
	# the archive's signed index has the tarball's hash; a mirror without the .dsc will do
	# shellcheck disable=SC2086
	(apt-get $o update && cd source && apt-get $o source --download-only bochs) > get.log 2>&1
	set -- source/bochs_*.orig.tar.*
	[ -s "$1" ] || lack "the source of Bochs cannot be had: $(tail -1 get.log)"
	rm -rf source/bochs && mkdir source/bochs && tar -xf "$1" -C source/bochs --strip-components=1 &&
		patch -s -p1 -d source/bochs < "$patch" &&
		(cd source/bochs && CXXFLAGS=-O2 CFLAGS=-O2 ./configure --enable-cpu-level=6 --enable-x86-64 --enable-avx --enable-evex --enable-amx \
			--enable-all-optimizations --enable-pci --enable-cdrom --disable-docbook --with-nogui CXX="${CXX:-g++}" &&
			make) > build.log 2>&1 || lack "Bochs does not build, see $here/build.log"
	cp source/bochs/bochs bochs && rm -rf source/bochs
fi
: > ready
