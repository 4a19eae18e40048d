/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Whether an exchange that was given up is still being worked on: a script learns of its client's end at its next output, and
 * may do much before. Shared by who gave up and the backend, in whatever order they end; any thread.
 */
#ifndef LEASE_WORK_H
#define LEASE_WORK_H

#include <stdatomic.h>
#include <stdbool.h>

#include "gateway/base/err.h"

struct lease_work {
	atomic_int holders;
	atomic_bool over;
	struct lease_work *next; /* whoever gave up may keep a list */
};

/** For both sides, or NULL when memory is out. */
struct lease_work *lease_work_new(void) GW_MUST_USE;

/** The backend's side: the work has ended, or is given to somebody else. Lets go. */
void lease_work_end(struct lease_work *w);

/** The other side lets go. */
void lease_work_put(struct lease_work *w);

/** Whether it has ended. */
static inline bool lease_work_is_over(const struct lease_work *w)
{
	return atomic_load(&w->over);
}

#endif
