/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The part of the cgroup v2 hierarchy that is the server's own: where the master may make a cgroup for each site. It has
 * one when its service manager delegates it (systemd: Delegate=yes), when an ordinary user may write there, or when root
 * starts the server where nobody manages cgroups. Source: the kernel's Documentation/admin-guide/cgroup-v2.rst, and
 * systemd's CGROUP_DELEGATION.
 */
#ifndef CGROUP_TREE_H
#define CGROUP_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/err.h"

enum cgroup_controller { CGROUP_MEMORY, CGROUP_PIDS, CGROUP_CPU, CGROUP_IO, CGROUP_CONTROLLERS };

struct cgroup_tree {
	int fd;                        /* directory below which cgroups may be made; -1: none, see off */
	bool has[CGROUP_CONTROLLERS];  /* which bounds cgroups below can have */
	char path[512];                /* of that directory */
	char off[256];                 /* why there is none; or which controllers are missing; or "" */
	/* private */
	int parent_fd;                 /* where we were started, when fd is a cgroup that we made below; else -1 */
	char own[32];                  /* its name */
};

/** Names as the kernel writes them, by enum cgroup_controller. */
extern const char *const cgroup_controller_names[CGROUP_CONTROLLERS];

/**
 * Whether cgroup_tree_open() could succeed for this process; changes nothing. Fills @t (fd stays -1, has[] as far as it
 * is known). Returns 0, or minus enum gw_err with t->off set. Any process.
 */
int cgroup_tree_probe(struct cgroup_tree *t) GW_MUST_USE;

/**
 * Take possession: move this process (one thread, without children) to a cgroup "server" of its own and switch the
 * controllers on beside it. @adopt: a master that we take over from has done so, and started us there. Returns 0 or minus
 * enum gw_err with t->off set and everything as before. Master only; close with cgroup_tree_close().
 */
int cgroup_tree_open(struct cgroup_tree *t, bool adopt) GW_MUST_USE;

/** Go back to where cgroup_tree_open() found us, as far as that is possible, and close. Harmless when fd is -1. */
void cgroup_tree_close(struct cgroup_tree *t);

/** Close and leave everything to the master that has taken over. */
void cgroup_tree_leave(struct cgroup_tree *t);

/** Write a cgroup's file in one write(2), as the kernel wants it. Returns 0 or GW_ERR_SYS. */
int cgroup_put(int dir, const char *file, const char *fmt, ...) GW_PRINTF(3, 4) GW_MUST_USE;

/** Read a cgroup's file, NUL-terminated, cut at @size - 1. Returns its length or GW_ERR_SYS. */
int cgroup_get(int dir, const char *file, char *out, size_t size) GW_MUST_USE;

/** The value of "@key N" in a flat keyed file's @text; 0 when it is not there. Pure. */
unsigned long long cgroup_value(const char *text, const char *key);

/**
 * The directory of the cgroup that @self (/proc/self/cgroup) names, as seen through @mounts (/proc/self/mountinfo).
 * Returns 0, GW_ERR_NOTFOUND (no cgroup v2, or not visible here), GW_ERR_RANGE (longer than @size). Pure.
 */
int cgroup_path_of(const char *self, const char *mounts, char *out, size_t size) GW_MUST_USE;

#endif
