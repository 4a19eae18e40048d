/* SPDX-License-Identifier: Apache-2.0 */
/**
 * PHP's realpath cache in a cell that is rolled back. It is empty at the point, and so in every request, which then asks
 * the kernel for each script and each directory on the way to it. So the zygote remembers the site's scripts, and other files
 * below its document root that requests looked up, and a cell looks them up before the point. What it finds counts as long as
 * a look-up by a request would (realpath_cache_ttl); then the cell ends, and another has looked again.
 */
#ifndef WARM_PATHS_H
#define WARM_PATHS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/err.h"

/** In the zygote, before the first cell. Returns 0 or GW_ERR_SYS. */
int warm_paths_start(void) GW_MUST_USE;

/** In the zygote: @path (absolute) is to be remembered. Returns false when it is already, or there are too many. */
bool warm_paths_note(const char *path);

/** In a cell, once, before the point: look them up. The list is gone afterwards. */
void warm_paths_look_up(void);

/** In a cell behind a request: @tell of each path below directory @root that the request looked up and that was not known. */
void warm_paths_report(const char *root, void (*tell)(const char *path, size_t len));

/** In a cell between requests: whether what it looked up no longer counts. */
bool warm_paths_are_old(void);

#endif
