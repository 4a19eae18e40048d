/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/kept_fds.h"

#include <fcntl.h>
#include <unistd.h>

bool kept_fds_take(struct kept_fds *k, unsigned end, int skip)
{
	if (end > KEPT_FDS_MAX)
		return false;
	for (k->n = 0; k->n < end; k->n++) {
		int fd = (int)k->n;
		k->fds[fd] = (struct kept_fd){.status = fd == skip ? -1 : fcntl(fd, F_GETFL), .offset = -1};
		if (k->fds[fd].status != -1)
			k->fds[fd].offset = lseek(fd, 0, SEEK_CUR);
	}
	return true;
}

bool kept_fds_restore(const struct kept_fds *k)
{
	for (unsigned i = 0; i < k->n; i++) {
		const struct kept_fd *was = &k->fds[i];
		if (was->status == -1)
			continue;
		if (fcntl((int)i, F_SETFL, was->status) == -1 ||
		    (was->offset != -1 && lseek((int)i, was->offset, SEEK_SET) != was->offset))
			return false;
	}
	return true;
}
