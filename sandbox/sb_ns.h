/* SPDX-License-Identifier: Apache-2.0 */
/** Namespaces of a site but for mounts (sb_root.h) and processes (the launcher's clone3), and its keyring. */
#ifndef SB_NS_H
#define SB_NS_H

#include "gateway/base/err.h"
#include "sandbox/spec.h"

/**
 * Leave the host's IPC, host name, network and control groups for new ones, as the layers of @s say; the host name is the site's, the
 * loopback interface goes up where the site may have one. Needs CAP_SYS_ADMIN and CAP_NET_ADMIN. Returns 0 or GW_ERR_SYS.
 */
int sb_ns_enter(const struct spec *s) GW_MUST_USE;

/**
 * A descriptor for sb_proc_set_dir(): a procfs of our own process namespace that is mounted nowhere, else the host's.
 * Before the new root is made. Returns it or GW_ERR_SYS.
 */
int sb_ns_proc(bool own) GW_MUST_USE;

/** An empty session keyring; a kernel without keys has nothing to hide. Returns 0 or GW_ERR_SYS. */
int sb_ns_keyring(void) GW_MUST_USE;

#endif
