/* SPDX-License-Identifier: Apache-2.0 */
/** The slow, portable way of what file_open.h does: component by component. Used by file_open.c and its tests only. */
#ifndef FILE_WALK_H
#define FILE_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "gateway/static/file_open.h"

/** As file_open() and file_open_path() (@path_only). Returns a descriptor, or -1 with errno set. */
int file_walk(int root_fd, const char *rel, enum file_links links, bool path_only, struct stat *st) GW_MUST_USE;

/** As file_open_dir(). Returns a descriptor, or -1 with errno set. */
int file_walk_dir(const char *path, uid_t trusted) GW_MUST_USE;

#endif
