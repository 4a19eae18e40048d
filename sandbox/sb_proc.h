/* SPDX-License-Identifier: Apache-2.0 */
/**
 * /proc for the zygote and for a cell's first moments: once start-up is over the new root of a site has none, and only
 * this descriptor leads to one. One per process, inherited by fork(2); not for tenant code.
 */
#ifndef SB_PROC_H
#define SB_PROC_H

#include <dirent.h>
#include <stdio.h>

#include "gateway/base/err.h"

/** Names are looked up below @dir_fd (a directory of a procfs) from now on; owned from here on. -1: below the path /proc. */
void sb_proc_set_dir(int dir_fd);

/** Move the directory to the lowest free descriptor, below those that only a zygote has. Returns 0 or GW_ERR_SYS. */
int sb_proc_settle(void) GW_MUST_USE;

/**
 * Open @name, such as "self/pagemap", with the @flags of open(2); always close-on-exec. A process that cannot be dumped
 * does not own its own entries: where that is in the way it is dumpable for the length of one open, which the zygote's
 * filter allows and a cell's own does not any more. Returns a descriptor, or GW_ERR_SYS (errno). One thread.
 * Source: proc(5), /proc/pid and PR_SET_DUMPABLE.
 */
int sb_proc_open(const char *name, int flags) GW_MUST_USE;

/**
 * Open the calling process's memory while /proc can still be written to: the one of a site's new root cannot. Best effort.
 * The descriptor, above all that cells keep, leads to what the process may change anyway until its filter is loaded.
 */
void sb_proc_keep_memory(void);

/** That descriptor, or a new one where nothing was kept: the caller's, to write to the process's own memory. -1: none (errno). */
int sb_proc_take_memory(void);

/** As sb_proc_open(), to read a text or a directory. Returns NULL (errno) when it cannot be opened; fclose() or closedir() it. */
FILE *sb_proc_text(const char *name);
DIR *sb_proc_list(const char *name);

/** Close the directory: nothing can be opened any more, neither below it nor by path. Keeps errno. */
void sb_proc_close(void);

#endif
