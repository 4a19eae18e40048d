/* SPDX-License-Identifier: Apache-2.0 */
/** What a site is shown of the host's files: the system, its document root, what the configuration names, a private /tmp. */
#ifndef SB_VIEW_H
#define SB_VIEW_H

#include "sandbox/sb_root.h"
#include "sandbox/spec.h"

#define SB_VIEW_TMP_SIZE (INT64_C(256) << 20) /* where a spec names no size */

/**
 * Fill @r for the site of @s. @system_dirs: more read-only directories, separated by colons (where this PHP has its
 * settings and extensions). Asks the user database, as root, before anything of the site runs.
 * Returns 0 or an error of sb_root_show(), with a text for the log in @why.
 */
int sb_view_build(struct sb_root *r, const struct spec *s, const char *system_dirs, char *why, size_t why_cap) GW_MUST_USE;

#endif
