/* SPDX-License-Identifier: Apache-2.0 */
/** bulkhead --learned FILE: from what `SandboxProfile learn` wrote to an error log to lines for the configuration. */
#ifndef LEARNED_H
#define LEARNED_H

#include <stdio.h>

/**
 * Read the log @in and write, for each site that learned, the smallest profile that covers what it called, SandboxAllow
 * for the rest, and as comments what was seen where. Only lines of the front count: what a cell writes into the log by
 * itself is of another level. Returns 0, GW_ERR_NOTFOUND (nothing was learned), GW_ERR_NOMEM or GW_ERR_SYS (reading).
 */
int learned_print(FILE *in, FILE *out);

#endif
