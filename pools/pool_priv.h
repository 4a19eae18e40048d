/* SPDX-License-Identifier: Apache-2.0 */
/** What the files of a pool share. All of it is guarded by pool.lock unless said otherwise; times are io_now_us()'s. */
#ifndef POOL_PRIV_H
#define POOL_PRIV_H

#include <pthread.h>
#include <sys/queue.h>

#include "pools/pool.h"
#include "pools/waitq.h"

#define POOL_QUEUE_MAX 8192         /* waiting requests; more are refused at once */
#define POOL_CONN_REQUESTS_MAX 100  /* rule 1 in pool.h */
#define POOL_CONN_AGE_MAX_US 1000000
#define POOL_UNREAD_US 1000         /* rule 2 */
#define POOL_SHRINK_US 20000        /* rule 3 */
#define POOL_PROBE_MIN_US 100000
#define POOL_PROBE_MAX_US 1000000
#define POOL_PROBE_BURST_MAX 64
#define POOL_BUSY_US 5000           /* pause after a full backlog */
#define POOL_LAST_RESORT_US 250000  /* between two tries when every member is down */
#define POOL_GRACE_US 1000000       /* requests wait so long for a server that answered just now */
#define POOL_GRACE_TRY_US 50000     /* and it is tried so often */
#define POOL_TICK_MS 10             /* while somebody waits */

enum pool_conn_state { POOL_CONN_CONNECTING, POOL_CONN_IDLE, POOL_CONN_LEASED };

struct pool_conn {
	struct lease lease;
	struct pool_member *member;
	enum pool_conn_state state;
	bool in_fresh;              /* leased, and not known to be accepted */
	bool probe;                 /* connecting, to a member that was down: no waiter counts on it */
	bool watched;               /* connecting: registered in the pool's loop, touched there only */
	unsigned requests;          /* that were sent on it */
	uint64_t opened_us, since_us; /* since: in its present state */
	TAILQ_ENTRY(pool_conn) fresh_link;
	TAILQ_ENTRY(pool_conn) link;/* in pool.idle or pool.connecting */
	struct loop_io io;          /* connecting */
};
TAILQ_HEAD(pool_conns, pool_conn);

enum pool_member_state { POOL_MEMBER_UP, POOL_MEMBER_FAILING, POOL_MEMBER_PROBING };

struct pool_member {
	struct pool *pool;
	const struct conf_pool_member *conf;
	enum pool_member_state state;
	unsigned fails;             /* in a row */
	uint64_t retry_us;          /* FAILING: when it may be tried again */
	uint64_t up_us;             /* when it last gave a sign of life */
	uint64_t tried_us;          /* last connect */
	uint64_t closed_us;         /* last close */
	uint64_t busy_until_us;     /* its backlog was full */
	uint64_t warned_us;         /* last line about a connect that failed for a reason of ours */
	unsigned open, leased, connecting, idle;
	struct pool_conns fresh;    /* in the order in which the server will accept them */
	unsigned fresh_n;
	unsigned learned;           /* connections that the server accepts at a time; 0 = not known */
	unsigned probe;             /* how many more than that may be open now */
	uint64_t probe_us, probe_wait_us;
	bool unread;                /* the oldest of fresh waits in the backlog, as far as is known */
};

enum pool_tick { POOL_TICK_NONE, POOL_TICK_IDLE, POOL_TICK_FAST };

struct pool {
	struct backend backend;
	const struct conf_pool *conf;
	struct loop *loop;
	pthread_mutex_t lock;
	struct waitq waitq;
	struct pool_conns idle;       /* the one used last first */
	struct pool_conns connecting; /* waiting for the network; each is meant for one waiter, but for probes */
	unsigned idle_n, leased_n, connecting_n;
	size_t turn;                  /* where the search for a member begins */
	uint64_t requests, reused, connects, failures;
	struct loop_task task;        /* brings a tick to the pool's loop */
	struct loop_timer timer;      /* on the pool's loop only */
	enum pool_tick tick;          /* what is armed or on its way */
	bool task_posted;
	struct pool_member members[];
};

/* --- pool.c */

/** Hand out what there is to those who wait, open what may be opened. */
void pool_dispatch(struct pool *p, uint64_t now_us);

/* --- pool_member.c: connecting, health, how many connections a member bears */

enum pool_connect { POOL_CONNECT_DONE, POOL_CONNECT_PENDING, POOL_CONNECT_BUSY, POOL_CONNECT_FAILED };

/** Connect to @m. DONE: *@out is connected, in no list, counted in m->open. PENDING: it is in pool.connecting. */
enum pool_connect pool_member_connect(struct pool_member *m, uint64_t now_us, struct pool_conn **out);

/** A pending connect ended with @err (0 = connected; then @c is in no list and the caller's; else it is gone). */
void pool_member_connected(struct pool_conn *c, int err, uint64_t now_us);

/** Look how far the new connections of @m came; sets m->unread and learns. @ending: an accepted one is about to end. */
void pool_member_check(struct pool_member *m, bool ending, uint64_t now_us);

/** Whether one more connection to @m may be opened now. */
bool pool_member_has_room(struct pool_member *m, uint64_t now_us);

/** @c is accepted or over: not new any more. */
void pool_member_known(struct pool_conn *c);

/** Close and free a connection that is in no list but perhaps fresh. */
void pool_conn_close(struct pool_conn *c);

/* --- pool_idle.c: kept connections and the tick */

/** Take the newest living idle connection of @m, or NULL; with @unused only one that never carried a request. Dead ones
 * are closed on the way. */
struct pool_conn *pool_idle_take(struct pool_member *m, bool unused);

/** Put @c with the idle ones. */
void pool_idle_put(struct pool_conn *c, uint64_t now_us);

/** Close the oldest idle connection of @m, or of any member when @m is NULL. Returns whether there was one. */
bool pool_idle_drop(struct pool *p, struct pool_member *m);

/** See to it that the pool's loop looks after what is left to do. Any thread. */
void pool_tick_want(struct pool *p);

/** Prepare timer and task. */
void pool_tick_init(struct pool *p);

#endif
