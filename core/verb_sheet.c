/* verb_sheet - `interneg sheet`.
 * SPDX-License-Identifier: BSD-2-Clause */
#include "cli.h"
int verb_sheet(struct cli *c, struct err *e) { (void)c; return err_set(e, E_USAGE, "not yet"); }
