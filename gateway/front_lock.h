/* SPDX-License-Identifier: Apache-2.0 */
/** What a front gives up before it reads its first octet from a client. All functions end the process when they fail. */
#ifndef FRONT_LOCK_H
#define FRONT_LOCK_H

#include <stdbool.h>

#include "conf/conf.h"

/** Become the front's user for good: groups, ids, no capability, empty bounding set, no new privileges, no core dump. One thread. */
void front_drop(const struct conf *c, bool privileged);

/** Bound what the front may open and where it may connect: front_paths.h. Without Landlock, says so and goes on. After
 * front_drop() with the rules that were built before it. One thread. */
void front_bound(int rules);

/** Load the front's system-call filter on all its threads. After they were created. */
void front_filter(void);

#endif
