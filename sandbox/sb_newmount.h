/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The mount calls that work on descriptors, which the C library of older systems does not have. Linux 5.12 has all.
 * Source: fsopen(2), open_tree(2), move_mount(2), mount_setattr(2).
 */
#ifndef SB_NEWMOUNT_H
#define SB_NEWMOUNT_H

#include <linux/mount.h>
#include <stdbool.h>
#include <stdint.h>

/** A new file system of @type, mounted nowhere, with the pairs of key and value in @options. Returns a descriptor, or -1 (errno). */
int sb_newmount(const char *type, const char *const *options, uint64_t attributes);

/** A copy of the mount that @fd (O_PATH) is in, beginning at @fd, with what is mounted below; all of it gets @attributes. -1: errno. */
int sb_clone_tree(int fd, uint64_t attributes);

/** Attach @mount_fd at @path below @dir_fd, or at @dir_fd itself for "". Returns 0 or -1 (errno). */
int sb_move_mount(int mount_fd, int dir_fd, const char *path);

/** Set attributes of a mount, and of those below it with @below. Returns 0 or -1 (errno). */
int sb_mount_attributes(int fd, uint64_t set, bool below);

#endif
