/* SPDX-License-Identifier: Apache-2.0 */
/** Becoming the site's user for good: everything a zygote gives up before PHP starts. */
#ifndef SB_ENTER_H
#define SB_ENTER_H

#include <stdbool.h>
#include <sys/types.h>

#include "gateway/base/err.h"
#include "sandbox/spec.h"

struct sb_entry {
	const char *system_dirs; /* in: more read-only directories, see sb_view_build(); "" for none */
	char text[4096 + 256];   /* behind step, where a path is to be named */
	const char *step; /* the step that was reached, for the log: after an error the one that failed */
	bool dropped;     /* ids and capability sets are the site's; false: started as an ordinary user, who was kept */
};

/**
 * Lock the process down to the site of @s; one thread, after exec, before any library that could start another.
 * @parent is the process that started us, as seen at start: when it is gone, so are we. @parent_fd is a pidfd of it (-1:
 * none), needed where it has no number: in a process namespace of our own, of which we must be process 1 then.
 * Descriptors 0 to @keep_fd stay open, all others are closed. With the layers of @s that the caller cannot give (all but
 * SB_LAYER_PID) this makes the namespaces itself, so nothing here can ever change the host's.
 * Returns 0, GW_ERR_SYS (errno), GW_ERR_NOMEM or GW_ERR_DENIED (a check afterwards failed). On error the process is in
 * an undefined state between two sets of rights and must exit. Irreversible.
 */
int sb_enter(const struct spec *s, pid_t parent, int parent_fd, int keep_fd, struct sb_entry *e) GW_MUST_USE;

#endif
