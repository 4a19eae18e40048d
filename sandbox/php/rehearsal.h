/* SPDX-License-Identifier: Apache-2.0 */
/** A request that nobody made, to see what one does to a cell's memory. */
#ifndef REHEARSAL_H
#define REHEARSAL_H

#include "gateway/base/err.h"

/**
 * Answer, as a cell does, a request for a script that does not exist: PHP starts and ends it, and no code of the site
 * runs. In a child of the zygote that is then thrown away: it has been a cell, and may not become one.
 * Returns 0; GW_ERR_DENIED where a mere start would leave something behind (session.auto_start); GW_ERR_SYS.
 */
int rehearsal_run(void) GW_MUST_USE;

#endif
