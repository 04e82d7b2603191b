#!/bin/sh
# resample.sh - our resampling kernel beside zimg's API, one thread, CPU time; see resample.c. Ratios over 1: interneg is faster.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
pkg-config --exists zimg || { echo "bench: no libzimg-dev to compare with"; exit 0; }
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT INT TERM
isa=x86-64
grep -qw avx2 /proc/cpuinfo && isa=x86-64-v3
grep -qw avx512vl /proc/cpuinfo && isa=x86-64-v4
gcc -std=c11 -D_GNU_SOURCE -O3 -march=$isa -ffp-contract=off -fno-math-errno -fno-trapping-math -Icore -o "$tmp/bench" \
	tests/bench/resample.c "${B:-build}/libinterneg.a" $(pkg-config --cflags --libs zimg) -lxxhash -lnettle -pthread || exit 1
for s in 2 4 1.5 0.5; do
	for r in 0 0.8; do "$tmp/bench" $s $r; done
done
