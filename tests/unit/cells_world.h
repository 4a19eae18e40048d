/* SPDX-License-Identifier: Apache-2.0 */
/** For tests of a site's cells: the site with a loop on a thread of its own, the test at the zygote's end of the channel. */
#ifndef CELLS_WORLD_H
#define CELLS_WORLD_H

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "pools/cells.h"
#include "sandbox/ipc_chan.h"
#include "tests/unit/check_pools.h"

#define CELLS_N 256

struct world {
	struct conf_server conf;
	struct loop *loop;
	pthread_t thread;
	struct cells_host host;
	struct backend *cells;
	struct budget budget;    /* without limits, unless a test sets some */
	atomic_uint wants, kills, lines;
	pthread_mutex_t lock;
	char log[16384];         /* every line of the site's log */
	int chan;                /* the zygote's end; -1: none */
	int pipe;                /* write end of the log pipe */
	int app[CELLS_N];        /* the cells' ends, by id */
};

extern struct world world;

/* Somebody who wants a cell. */
struct client {
	struct backend_waiter w;
	struct lease *lease;
	enum backend_fail why;
	atomic_uint calls;
};

/* Wait for @cond, three seconds at most. */
#define EVENTUALLY(cond)                                                            \
	do {                                                                        \
		for (int ms_ = 0; !(cond) && ms_ < 3000; ms_++)                     \
			usleep(1000);                                               \
		ck_assert_msg(cond, "line %d: never: %s", __LINE__, #cond);         \
	} while (0)

/** Run @fn on the loop's thread and wait for it. */
void w_on_loop(void (*fn)(void *arg), void *arg);
/** Whether the site's log has @what. */
bool w_logged(const char *what);
/** Fixture: a site whose loop runs, without a zygote. */
void w_setup(void);
void w_teardown(void);
/** Ask for a cell, on the loop's thread. */
void w_acquire(struct client *c);
/** For w_on_loop(): withdraw a client. */
void w_do_cancel(void *arg);
void w_release(struct client *c, enum lease_end how);
uint32_t w_cell_of(const struct client *c);
struct cells_stats w_stats(void);
/** The master's answer to SITE_WANT. */
void w_zygote_up(void);
/** For w_on_loop(): the master says that there is no zygote. */
void w_do_down(void *arg);
void w_say_ready(void);
/** The next message to the zygote, which must be of @type; returns its id. */
uint32_t w_expect(unsigned type);
/** Nothing comes for @ms. */
void w_expect_silence(int ms);
void w_expect_closed(void);
void w_say_up(uint32_t id);
void w_say_gone(uint32_t id, struct ipc_cell_gone gone);
void w_say_exited(uint32_t id);
/** Bring a site up with one waiting client, who gets the first cell. MinSpareServers must be 0 or 1. */
void w_begin(struct client *c);

#endif
