#!/bin/sh
# interrupt.sh - tests/faults/run.sh with a dozen kills; `make faults` does hundreds.
# SPDX-License-Identifier: BSD-2-Clause
cd "$(dirname "$0")/../.." || exit 1
sh tests/faults/run.sh 12 | grep -v 'passed,'
