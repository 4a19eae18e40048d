/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Descriptors that a cell inherits (stdio, what PHP and its extensions opened at start) are the zygote's own open files:
 * their offset and status flags are one for all cells, open(2). A request could leave stderr non-blocking, or a file at
 * another offset, for every later one, however fresh its process.
 */
#ifndef KEPT_FDS_H
#define KEPT_FDS_H

#include <stdbool.h>
#include <sys/types.h>

#define KEPT_FDS_MAX 64

struct kept_fds {
	unsigned n;
	struct kept_fd {
		int status;   /* F_GETFL; -1: not open, or none of the image's */
		off_t offset; /* -1: has none */
	} fds[KEPT_FDS_MAX];
};

/** Note the state of descriptors 0 to @end - 1, without @skip (which cells replace); false: too many. In the zygote. */
bool kept_fds_take(struct kept_fds *k, unsigned end, int skip);

/** Put them back; false with errno: one cannot be. In a cell, before it reads its request. */
bool kept_fds_restore(const struct kept_fds *k);

#endif
