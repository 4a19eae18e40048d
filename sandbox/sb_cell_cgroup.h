/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A cgroup for each cell, where cells may start programs: what a cell leaves behind ends with it at one blow, however often
 * it forked and whatever session it is in. The master has made them (c0, c1 ... in the zygote's own); the zygote opens
 * their files while it is root, so that nobody needs to be given a right to them: the kernel judges a write to
 * cgroup.procs by who opened it. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst, Linux 5.14 and later.
 */
#ifndef SB_CELL_CGROUP_H
#define SB_CELL_CGROUP_H

#include <stddef.h>

#include "gateway/base/err.h"

#define SB_CELL_CGROUP_FD 512  /* descriptors from here on are theirs; no cell keeps one */
#define SB_CELL_CGROUPS_MAX 128

/** Open those below @dir (NULL: there are none). Returns 0 or GW_ERR_SYS. Zygote, as root or as the server's user. */
int sb_cell_cgroups_open(const char *dir) GW_MUST_USE;

/** Move the calling process, a new cell, to cgroup @at; without effect when there is none of that number. Returns 0 or GW_ERR_SYS. */
int sb_cell_cgroup_join(size_t at) GW_MUST_USE;

/** SIGKILL everything in cgroup @at; without effect when there is none. Its cell has ended. */
void sb_cell_cgroup_kill(size_t at);

#endif
