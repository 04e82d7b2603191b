/* verb_approve - x
 * SPDX-License-Identifier: BSD-2-Clause */
#include "session.h"
int verb_approve(struct cli *c, struct err *e)
{
	(void)c;
	return err_set(e, E_USAGE, "not yet");
}
