/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Backend of the prefork path: one site's cells, leased one request at a time. Book-keeping only: it asks the zygote for
 * cells over its channel and the master for the zygote, and forks nothing itself.
 */
#ifndef CELLS_H
#define CELLS_H

#include "conf/conf.h"
#include "pools/backend.h"
#include "pools/budget.h"
#include "sandbox/ipc_wire.h"
#include "sandbox/rollback/rollback.h"

/* What the front provides. Called with no lock held, on the site's own loop. */
struct cells_host {
	/* Ask the master: IPC_SITE_WANT or IPC_SITE_KILL for @site. */
	void (*ask_master)(struct cells_host *h, unsigned type, const struct conf_server *site);
	/* One line from the zygote's or a cell's stderr, or what happened to a cell; for the site's error log. */
	void (*log)(struct cells_host *h, const struct conf_server *site, enum log_level level, const char *text);
	struct budget *budget; /* what all sites share; NULL: no limit */
};

/**
 * The backend of @site (borrowed). @loop is the loop that owns its channel and timers. Launches nothing yet.
 * Returns NULL when memory is out. Before threads start.
 */
struct backend *cells_new(const struct conf_server *site, struct loop *loop, struct cells_host *host);

/** Master's answer: the zygote's channel (ownership passes). On @loop's thread. */
void cells_zygote_up(struct backend *b, int chan);

/** Master's answer: no zygote (waiters fail with BACKEND_DOWN), or it ended. On @loop's thread. */
void cells_zygote_down(struct backend *b, const char *reason);

/** Stop asking for cells; close the channel once nothing is leased. On @loop's thread. */
void cells_drain(struct backend *b);

/** Close everything and free. After threads ended. */
void cells_free(struct backend *b);

struct cells_stats {
	unsigned idle, busy, starting, waiting;
	bool zygote;
	uint64_t requests, started, killed, crashed, violations;
	uint64_t discarded[ROLLBACK_WHYS]; /* by reason: cells that could not be put back */
};

/** Numbers of the moment. Any thread. */
void cells_stats(struct backend *b, struct cells_stats *out);

#endif
