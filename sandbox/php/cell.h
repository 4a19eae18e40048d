/* SPDX-License-Identifier: Apache-2.0 */
/** A cell: what a forked child of the zygote does with its life. */
#ifndef CELL_H
#define CELL_H

#include <stdint.h>
#include <sys/types.h>

#include "sandbox/php/hot_pages.h"
#include "sandbox/php/kept_fds.h"
#include "sandbox/sb_filter.h"
#include "sandbox/sb_harden.h"
#include "sandbox/sb_sigsys.h"
#include "sandbox/spec.h"

#define CELL_CONN_FD 3 /* in place of the zygote's channel */

struct cell_plan {
	const struct spec *spec;
	struct sb_filter *delta;      /* the child's own copy: its pid is put in */
	const struct sb_harden *harden;
	pid_t zygote;
	unsigned first_foreign_fd;    /* descriptors from here on are the zygote's, not PHP's */
	struct kept_fds kept;         /* the descriptors below, as they were before the first cell */
	struct hot_pages hot;         /* what a request will write to; empty where a cell answers more than one */
};

/* What each cell has for itself. */
struct cell_own {
	size_t cgroup;            /* number of its cgroup, see sb_cell_cgroup.h */
	int learn_sock;           /* for its listener, see learn.h; -1: none */
	struct sb_slot *slot;     /* where a violation is noted; shared with the zygote */
	struct hot_pages *report; /* where it tells what it wrote to, see hot_reports.h; NULL: nowhere */
};

/**
 * What every child of the zygote that touches the site's scripts does first: keep @conn as CELL_CONN_FD, PHP's own
 * descriptors and stdio, nothing else, and give up what only a zygote may do. Ends the process when a step fails.
 */
void cell_confine(const struct cell_plan *plan, const struct cell_own *own, int conn);

/** Answer requests on @conn until one of the reasons to end; never returns. Call right after fork(). */
_Noreturn void cell_run(const struct cell_plan *plan, const struct cell_own *own, int conn);

#endif
