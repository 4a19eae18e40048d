/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Landlock for the front: which files it may open and where it may connect, as the configuration says. A front that was
 * taken over by a client's octets reads nothing but what it could have been asked to serve. Source: landlock(7).
 */
#ifndef FRONT_PATHS_H
#define FRONT_PATHS_H

#include "conf/conf.h"
#include "gateway/base/err.h"

/**
 * The rules of @c. Readable: what is below the directories that hold document roots and aliases (so that a root may be
 * replaced by another directory of its name, or be a link that is changed), below FrontPath, and below <Directory>
 * sections that grant access. @spool, where bodies and slow answers go, can be written. TCP connections: ports of pools
 * only. What does not exist is left out. One thread, before rights are given up.
 * Returns a descriptor, GW_ERR_DENIED (this kernel has no Landlock) or GW_ERR_SYS.
 */
int front_paths_build(const struct conf *c, const char *spool) GW_MUST_USE;

/** Enter them, for good; closes @rules. Before threads, after no_new_privs. Returns 0 or GW_ERR_SYS. */
int front_paths_enter(int rules) GW_MUST_USE;

#endif
