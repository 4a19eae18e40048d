/* SPDX-License-Identifier: Apache-2.0 */
/** Opening what a URL names, so that the checked name is the opened name and nothing above the root is reached. */
#ifndef FILE_OPEN_H
#define FILE_OPEN_H

#include <sys/stat.h>
#include <sys/types.h>

#include "gateway/base/err.h"

enum file_links { FILE_LINKS_NEVER, FILE_LINKS_OWNER, FILE_LINKS_FOLLOW };

/**
 * Open @rel (no leading slash; "" is the root itself) beneath the directory @root_fd for reading, without blocking on
 * FIFOs or devices: only regular files and directories are returned. Symbolic links beneath the root:
 *   NEVER   none is followed;
 *   OWNER   one is followed when its owner also owns the object that it finally leads to;
 *   FOLLOW  one that stays beneath the root is followed; one that leaves it (an absolute target, or ".." past the root)
 *           only when root made it, or when its owner also owns the object that it finally leads to.
 * Links met on the way out there come under the same rule. At most 40 links; never anything on a proc file system, and
 * no magic link. All checks are made on descriptors: whoever changes the tree meanwhile gains nothing.
 * @rel itself may hold no ".." segment. The root's own path is file_open_dir()'s affair.
 * Returns a descriptor (O_CLOEXEC) with *@st filled, or minus a status: -404 (does not exist, a component is a file),
 * -403 (permission, link refused, not a regular file), -414 (name too long), -500, -503 (out of descriptors or memory).
 * Any thread. System calls: openat2, openat, fstat, fstatfs, readlinkat, close; openat2 may be missing or forbidden.
 */
int file_open(int root_fd, const char *rel, enum file_links links, struct stat *st) GW_MUST_USE;

/**
 * The same by the same rules, but the descriptor is O_PATH: good for telling that a file is there which its owner alone
 * may read (a script that runs as its owner).
 */
int file_open_path(int root_fd, const char *rel, enum file_links links, struct stat *st) GW_MUST_USE;

/**
 * Open the directory @path (absolute) as O_PATH, for what lies below it. Who may write to a directory on the way may replace
 * the next one by a link to another's: links are followed only when root or @trusted made them, or when their owner also owns
 * what they lead to; nothing on a proc file system. Returns a descriptor, or -1 with errno (EACCES: such a link).
 */
int file_open_dir(const char *path, uid_t trusted) GW_MUST_USE;

#endif
