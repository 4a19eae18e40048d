/* SPDX-License-Identifier: Apache-2.0 */
/** What the master keeps of root's rights. */
#ifndef MASTER_LOCK_H
#define MASTER_LOCK_H

#include <stdbool.h>

#include "gateway/base/err.h"

/**
 * Give up the capabilities that a running master has no use for; without effect when not @privileged. What it starts later
 * (fronts, zygotes) has at most the same. Call once, before the first generation. Returns 0, or minus enum gw_err: the
 * server must not go on. Master only.
 */
int master_drop(bool privileged) GW_MUST_USE;

#endif
