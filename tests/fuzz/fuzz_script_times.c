/* SPDX-License-Identifier: Apache-2.0 */
/** The list of scripts and their times that a site's compiler leaves behind its image. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/php/script_times.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t hash(const char *path, size_t len)
{
	uint64_t h = len;

	for (size_t i = 0; i < len; i++)
		h = h * 31 + (unsigned char)path[i];
	return h;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	/* Of its very size, so that a step past its end is seen. */
	char *list = malloc(size == 0 ? 1 : size);

	if (list == NULL)
		return 0;
	memcpy(list, data, size);
	struct script_times *t = script_times_new(list, size, hash);
	if (t != NULL) {
		/* A list that is taken consists of records that could be put; nothing holds before a look. */
		for (size_t at = 0; at < size;) {
			const char *path = list + at + sizeof(int64_t);
			if (path[0] != '/' || script_times_hold(t, path, strlen(path), hash(path, strlen(path)), 1, 2, 0))
				abort();
			at += sizeof(int64_t) + strlen(path) + 1;
		}
		script_times_free(t);
	}
	free(list);
	return 0;
}
