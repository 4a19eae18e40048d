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
 * FIFOs or devices: only regular files and directories are returned. Links: NEVER refuses every symbolic link; OWNER
 * follows a link whose owner owns its target, FOLLOW follows; both may leave the root as Apache allows for links, but
 * "..", magic links and /proc never lead out. OWNER is checked on descriptors, race-free (see the .c).
 * Returns a descriptor (O_CLOEXEC) with *@st filled, or minus a status: -404 (does not exist, component is a file),
 * -403 (permission, link refused, not a regular file), -414 (name too long), -500, -503 (out of descriptors).
 */
int file_open(int root_fd, const char *rel, enum file_links links, struct stat *st) GW_MUST_USE;

#endif
