/* Random graphs: the reference evaluator and the engine in all its ways give one hash (tests/fuzz/graphs.c runs more).
 * SPDX-License-Identifier: BSD-2-Clause */
#include "../fuzz/graphs.c"
