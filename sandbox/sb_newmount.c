/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_newmount.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"

int sb_newmount(const char *type, const char *const *options, uint64_t attributes)
{
	int fs = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), fd = -1;

	if (fs == -1)
		return -1;
	for (size_t i = 0; options[i] != NULL; i += 2)
		if (syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, options[i], options[i + 1], 0) == -1)
			goto out;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
		fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, (unsigned)attributes);
out:
	io_close(&fs);
	return fd;
}

int sb_mount_attributes(int fd, uint64_t set, bool below)
{
	struct mount_attr attr = {.attr_set = set, .propagation = MS_PRIVATE};

	return (int)syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH | (below ? AT_RECURSIVE : 0), &attr, sizeof(attr));
}

int sb_clone_tree(int fd, uint64_t attributes)
{
	int tree = (int)syscall(SYS_open_tree, fd, "", AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);

	if (tree != -1 && sb_mount_attributes(tree, attributes, true) == -1)
		io_close(&tree);
	return tree;
}

int sb_move_mount(int mount_fd, int dir_fd, const char *path)
{
	unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | (path[0] == '\0' ? MOVE_MOUNT_T_EMPTY_PATH : 0);

	return (int)syscall(SYS_move_mount, mount_fd, "", dir_fd, path, flags);
}
