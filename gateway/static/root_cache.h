/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Document roots and alias targets kept open by path only, so that a request does not open the same directory again. An
 * entry is opened anew after a second: a root that was replaced (a deployment that moves a symbolic link) is seen then.
 */
#ifndef ROOT_CACHE_H
#define ROOT_CACHE_H

#include <stdint.h>

#include "gateway/base/err.h"

#define ROOT_CACHE_ENTRIES 64 /* descriptors a loop */
#define ROOT_CACHE_MS 1000

struct root_cache {
	struct {
		const char *path; /* the configuration's own string: compared by address */
		int fd;
		uint64_t until_ms;
	} entry[ROOT_CACHE_ENTRIES];
};

/** Empty; caller storage. One thread. Lives as long as the process. */
void root_cache_init(struct root_cache *c);

/**
 * An O_PATH descriptor on the directory @path, borrowed until the next call. @path must live as long as the cache and be
 * the same string each time. @now_ms: any steady clock. Returns -1 with errno when it cannot be opened (ENOTDIR: a file).
 */
int root_cache_open(struct root_cache *c, const char *path, uint64_t now_ms) GW_MUST_USE;

#endif
