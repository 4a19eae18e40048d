/* SPDX-License-Identifier: Apache-2.0 */
/** Starting a program in new namespaces: what posix_spawn(3) would be for, if it knew them. */
#ifndef SPAWN_H
#define SPAWN_H

#include <stdint.h>
#include <sys/types.h>

#define SPAWN_FDS_MAX 8
#define SPAWN_KEEP (-1)  /* the caller's descriptor of that number stays */
#define SPAWN_CLOSE (-2) /* the program has no descriptor of that number */

struct spawn {
	const char *program;
	char *const *argv, *const *envp;
	uint64_t flags;            /* CLONE_NEW* for clone3(2), and CLONE_INTO_CGROUP with @cgroup_fd */
	int cgroup_fd;             /* directory of the cgroup to start in */
	/* fds[i] becomes descriptor i: one not below fds_n, close-on-exec, or SPAWN_KEEP or SPAWN_CLOSE. */
	unsigned fds_n;
	int fds[SPAWN_FDS_MAX];
	/* CLONE_NEWUSER: the caller's own ids, the only ones that exist in it, keep their numbers. */
	uid_t uid;
	gid_t gid;
};

/**
 * Start @s->program with default signal dispositions and nothing blocked. Its cost does not grow with the caller's memory,
 * which it borrows until exec; the caller waits for that. One thread.
 * Returns the process, or -1 with errno of whatever failed, up to and including exec.
 */
pid_t spawn_program(const struct spawn *s);

#endif
