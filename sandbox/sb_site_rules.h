/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A site's Landlock rules: what the mounts say, said once more to another part of the kernel, and what they cannot say: TCP
 * ports, signals, abstract sockets.
 */
#ifndef SB_SITE_RULES_H
#define SB_SITE_RULES_H

#include "sandbox/sb_root.h"
#include "sandbox/spec.h"

/**
 * Files as @r shows them, the ports of @s, and reading below @proc_fd (-1: none).
 * Returns a descriptor, GW_ERR_SYS, or GW_ERR_DENIED without Landlock. Close it after sb_landlock_enter().
 */
int sb_site_rules_build(const struct sb_root *r, const struct spec *s, int proc_fd) GW_MUST_USE;

#endif
