/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_cell_cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"

static size_t count; /* cgroup i: cgroup.procs at SB_CELL_CGROUP_FD + 2 * i, cgroup.kill after it */

/* Returns 0, GW_ERR_NOTFOUND or GW_ERR_SYS. */
static int open_at(int dir, size_t i, const char *file, int to)
{
	char name[64];

	snprintf(name, sizeof(name), "c%zu/%s", i, file);
	int fd = openat(dir, name, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return errno == ENOENT ? GW_ERR_NOTFOUND : GW_ERR_SYS;
	int err = dup3(fd, to, O_CLOEXEC) == -1 ? GW_ERR_SYS : GW_OK;
	io_close(&fd);
	return err;
}

int sb_cell_cgroups_open(const char *dir)
{
	if (dir == NULL)
		return GW_OK;
	int at = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC), err = at == -1 ? GW_ERR_SYS : GW_OK;
	while (err == GW_OK && count < SB_CELL_CGROUPS_MAX) {
		int procs = SB_CELL_CGROUP_FD + 2 * (int)count;
		err = open_at(at, count, "cgroup.kill", procs + 1);
		if (err == GW_OK)
			err = open_at(at, count, "cgroup.procs", procs);
		count += err == GW_OK;
	}
	io_close(&at);
	/* Not found: that was the last, or the kernel is older than cgroup.kill. */
	return err == GW_ERR_NOTFOUND ? GW_OK : err;
}

int sb_cell_cgroup_join(size_t at)
{
	if (at >= count)
		return GW_OK;
	return write(SB_CELL_CGROUP_FD + 2 * (int)at, "0", 1) == 1 ? GW_OK : GW_ERR_SYS;
}

void sb_cell_cgroup_kill(size_t at)
{
	if (at < count && write(SB_CELL_CGROUP_FD + 2 * (int)at + 1, "1", 1) != 1)
		log_err("what a cell left behind cannot be ended: %m");
}
