/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Landlock: what the mounts say, said once more to another part of the kernel, and what they cannot say: TCP ports,
 * signals, abstract sockets. Only what this kernel's ABI knows is asked for; see sb_landlock_lacks().
 * Source: landlock(7), Documentation/userspace-api/landlock.rst.
 */
#ifndef SB_LANDLOCK_H
#define SB_LANDLOCK_H

#include <stddef.h>

#include "sandbox/sb_root.h"
#include "sandbox/spec.h"

/** The kernel's Landlock ABI; 0: it has none, or has it switched off. Any thread. */
int sb_landlock_abi(void);

/** What of our use ABI @abi does not know, as a text for people; "" when nothing is missing. Static. */
const char *sb_landlock_lacks(int abi);

/**
 * Rules for a site: files as @r shows them, the ports of @s, and reading below @proc_fd (-1: none).
 * Returns a descriptor, GW_ERR_SYS, or GW_ERR_DENIED without Landlock. Close it after sb_landlock_enter().
 */
int sb_landlock_build(const struct sb_root *r, const struct spec *s, int proc_fd) GW_MUST_USE;

/** Enter the domain of @rules, for good, children included. Needs no_new_privs. Returns 0 or GW_ERR_SYS. */
int sb_landlock_enter(int rules) GW_MUST_USE;

#endif
