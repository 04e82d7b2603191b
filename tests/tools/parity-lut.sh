#!/bin/sh
# parity-lut.sh - a table of the largest error of every LUT file against OpenColorIO and FFmpeg, as a share of the
# range: every file of ../shared/data/colour and some made here. Status 1 when one is above 3e-7 (a chain of steps: when
# one of its steps is) or an illegal one is accepted.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
data=../shared/data/colour
[ -d "$data" ] || data=/work/shared/data/colour
[ -d "$data" ] || { echo "no ../shared/data/colour" >&2; exit 0; }
exec /usr/bin/python3 tests/tools/parity-lut.py "${B:-build}/unit/lut" "$data" 2> /dev/null
