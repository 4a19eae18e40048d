/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What requests leave behind where cells may start programs: when a cell ends, its orphans become the zygote's children,
 * since both are subreapers (PR_SET_CHILD_SUBREAPER, prctl(2)). Every child of the zygote that is no cell is ended.
 */
#ifndef STRAY_H
#define STRAY_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/base/err.h"

/** Open the kernel's list of our children; before the filter. Returns a descriptor, negative when this system has no such list. */
int stray_open(void);

/**
 * SIGKILL every child listed in @fd for which @is_cell says false. Returns how many there are: they are gone once reaped,
 * and may have had children that come to us then, so call again until 0. No memory is allocated.
 */
unsigned stray_kill(int fd, bool (*is_cell)(pid_t pid));

#endif
