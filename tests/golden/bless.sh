#!/bin/sh
# bless.sh - accepts the present hashes of the examples as golden.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
INTERNEG=${INTERNEG:-$PWD/interneg}
export INTERNEG BLESS=1
exec sh tests/golden/run.sh
