/* SPDX-License-Identifier: Apache-2.0 */
/** What site_cgroup.c (making, bounds, removing) and site_cgroup_watch.c (hits of bounds) share. */
#ifndef SITE_CGROUP_PRIV_H
#define SITE_CGROUP_PRIV_H

#include "gateway/master/cgroup_tree.h"
#include "gateway/master/site_cgroup.h"

enum site_hit { HIT_MEMORY_HIGH, HIT_MEMORY_MAX, HIT_OOM_KILL, HIT_PROCESSES, HITS };

struct site_leaf {
	struct site_leaf *next;
	char name[24];
	char *path;
	int fd;
	char *site;                      /* for the log; NULL while it has no bounds */
	int watch_memory, watch_pids;    /* inotify watches, -1: none */
	unsigned long long hits[HITS], told[HITS]; /* so far, and in the log so far */
	uint64_t told_ms;
	unsigned cells;                  /* cgroups below, c0 ... */
	bool ending;
};

struct site_cgroups {
	struct loop *loop;
	struct cgroup_tree tree;
	bool said;                       /* in the log, what there is */
	struct site_leaf *leaves;
	unsigned long serial;            /* of leaves */
	struct loop_io inotify;          /* fd -1: none */
	struct loop_timer sweep;         /* removal is tried again */
	struct loop_timer tell;          /* hits that wait for their line */
};

/** Begin watching a leaf's events. What cannot be watched is only not logged. */
void site_watch(struct site_cgroups *cs, struct site_leaf *leaf);

/** End it, before the directory is removed; what happened until now is counted and logged. */
void site_unwatch(struct site_cgroups *cs, struct site_leaf *leaf);

/** Callbacks of cs->inotify and cs->tell. */
void site_on_inotify(struct loop *l, struct loop_io *io, uint32_t ready);
void site_on_tell(struct loop *l, struct loop_timer *t);

#endif
