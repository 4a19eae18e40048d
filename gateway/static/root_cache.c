/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/static/root_cache.h"

#include <stddef.h>

#include "gateway/base/io.h"
#include "gateway/static/file_open.h"

void root_cache_init(struct root_cache *c)
{
	for (size_t i = 0; i < ROOT_CACHE_ENTRIES; i++) {
		c->entry[i].path = NULL;
		c->entry[i].fd = -1;
	}
}

int root_cache_open(struct root_cache *c, const char *path, uint64_t now_ms)
{
	/* Strings of one arena lie close together: mix the address before taking its low bits. */
	size_t at = (size_t)(((uint64_t)(uintptr_t)path * UINT64_C(0x9e3779b97f4a7c15)) >> 58) % ROOT_CACHE_ENTRIES;

	if (c->entry[at].path == path && c->entry[at].fd != -1 && now_ms < c->entry[at].until_ms)
		return c->entry[at].fd;
	io_close(&c->entry[at].fd);
	c->entry[at].path = path;
	c->entry[at].fd = file_open_dir(path, 0);
	c->entry[at].until_ms = now_ms + ROOT_CACHE_MS;
	return c->entry[at].fd;
}
