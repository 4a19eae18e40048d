/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the files of a site's cells share. Everything is guarded by cells.lock unless said otherwise. Leases come and go
 * on any loop; the channel to the zygote, the log pipe, the timers and the host's callbacks belong to the site's own
 * loop. Who changes something elsewhere calls cells_pump_later(). Times are io_now_ms()'s.
 */
#ifndef CELLS_PRIV_H
#define CELLS_PRIV_H

#include <pthread.h>
#include <sys/queue.h>

#include "gateway/base/buf.h"
#include "pools/cells.h"
#include "pools/waitq.h"
#include "sandbox/rollback/rollback.h"

#define CELLS_BUCKETS 64
#define CELLS_IDS 64                 /* request ids drawn at once */
#define CELLS_WAIT_MAX_MS 10000      /* longest wait for a cell, if RequestTimeout is not shorter */
#define CELLS_DIAGNOSE_MS 200
#define CELLS_TRIM_MS 1000           /* between two rounds of ending spare cells */
#define CELLS_SHORT_MS 2             /* a request that took less has hardly anything to be put back */
#define CELLS_CALL_MAX 160           /* octets of a violation in words */
#define CELLS_TEND_MS 1000           /* between two looks at cells that should be gone */
#define CELLS_LINGER_MS 60000        /* a closed cell is killed after RequestTimeout, or this where there is none */
#define CELLS_KILL_MS 5000           /* from CELL_KILL to CELL_GONE */
#define CELLS_START_MS 30000         /* from SITE_WANT to SITE_UP, and on to ZYGOTE_READY */
#define CELLS_RETRY_MS 1000          /* after CELL_FAIL */
#define CELLS_AGAIN_MS 150           /* once, after a zygote that did not start: more than the master's gap between two starts */
#define CELLS_BACKOFF_MIN_MS 1000    /* after a zygote that did not start */
#define CELLS_BACKOFF_MAX_MS 60000
#define CELLS_CRASHES_MAX 5          /* so many within CELLS_CRASHES_MS: a zygote with a new address-space layout */
#define CELLS_CRASHES_MS 60000
#define CELLS_LOG_LINE_MAX 8192

enum cell_state {
	CELL_WANTED,  /* CELL_WANT is on its way or to be sent */
	CELL_IDLE,    /* in cells.idle */
	CELL_LEASED,
	CELL_AWAY,    /* answered, or nobody wants the answer, and works on: in cells.closing until it is ready */
	CELL_CLOSING  /* our end is closed; waiting for CELL_GONE */
};

/* A question about a cell's end, asked on the lease's loop. */
struct cell_question {
	bool asked;
	struct mail mail;         /* the answer on its way */
	struct mailbox *box;
	struct loop *loop;
	struct loop_timer timer;
	void (*cb)(void *arg, enum backend_fail why, const char *detail);
	void *arg;
};

struct cell {
	struct lease lease;
	struct cells *site;
	uint32_t id;
	enum cell_state state;
	unsigned requests;
	uint16_t say;             /* message to be sent about it, in cells.out; 0 = none */
	bool gone;                /* leased, and the process has ended; @end is valid unless orphan */
	bool orphan;              /* its zygote ended first: nobody will tell its end */
	struct ipc_cell_gone end;
	uint64_t leased_ms;       /* when it was last */
	uint64_t closed_ms, killed_ms; /* when it was let go of; 0 = not */
	struct cell_question question;
	struct loop_io away;      /* fd -1: not watched */
	bool drains;              /* away, and lease.answer says what has come of the answer that nobody wants */
	size_t drained;           /* octets of that */
	unsigned drain_notes;     /* messages of that which were logged */
	char name[24], detail[64 + CELLS_CALL_MAX];
	struct cell *next;        /* in its bucket */
	TAILQ_ENTRY(cell) link;   /* in cells.idle or cells.closing */
	TAILQ_ENTRY(cell) out_link;
};
TAILQ_HEAD(cell_list, cell);

enum zygote_state {
	ZYGOTE_NONE,     /* launched when somebody waits */
	ZYGOTE_QUEUED,   /* somebody waits, but the budget has no room */
	ZYGOTE_WANTED,   /* the master was asked */
	ZYGOTE_STARTING, /* there is a channel; PHP initialises */
	ZYGOTE_READY,
	ZYGOTE_DOWN      /* did not start: not asked for before down_until_ms */
};

struct cells {
	struct backend backend;
	const struct conf_server *conf;
	struct loop *loop;
	struct cells_host *host;
	pthread_mutex_t lock;
	struct waitq waitq;
	struct cell *bucket[CELLS_BUCKETS];
	struct cell_list idle;    /* used last first; of cells that live on, those never used behind all others */
	struct cell_list closing; /* closed first first */
	struct cell_list out;     /* have something to say to the zygote */
	unsigned idle_n, wanted_n, leased_n, closing_n;
	uint32_t next_id;
	bool draining;
	uint64_t last_lease_ms;   /* when the site was last busy */
	uint64_t trim_ms;         /* next round of ending spare cells; 0 = nothing to end */
	uint64_t retry_ms;        /* no CELL_WANT before */
	uint64_t crash_ms[CELLS_CRASHES_MAX];
	unsigned crash_at;
	uint64_t requests, started, killed, crashed, violations;
	uint64_t discarded[ROLLBACK_WHYS];
	uint16_t request_ids[CELLS_IDS]; /* random; request_ids_n of them are not used yet */
	unsigned request_ids_n;

	/* the zygote */
	enum zygote_state zygote;
	uint64_t since_ms;        /* in that state */
	uint64_t backoff_ms, down_until_ms;
	bool again;               /* down, and it is tried once more: who waits goes on waiting */
	bool tried;               /* that was done since a cell last came up */
	bool first_cells;         /* it was ready just now: StartServers */
	struct loop_io chan;      /* fd -1: none */
	struct loop_io pipe;      /* stderr of zygote and cells; fd -1: none */
	struct buf line;          /* what the pipe brought of an unfinished line; site's loop only */

	/* the budget */
	struct budget_site account;
	uint64_t short_ms;        /* in its queue for a cell since then; 0 = not */
	uint64_t told_ms;         /* when the log last said that there is no room */
	struct loop_task room_task;
	atomic_bool room_posted;

	/* side effects, done after unlocking on the site's loop */
	bool ask_want, ask_kill;
	struct buf notes;         /* level octet, text, NUL; again and again */

	pthread_t thread;         /* the site's loop's */
	bool thread_known, pump_posted, timer_set;
	struct loop_task task;
	struct loop_timer soon, timer;
};

/* --- cells.c: the table, leases */

/** The cell with number @id, or NULL. */
struct cell *cells_find(struct cells *s, uint32_t id);

/** A new cell in state WANTED, with CELL_WANT to be said. NULL when memory is out. */
struct cell *cells_add(struct cells *s);

/** Forget @c, wherever it is in; closes its descriptor. Not a leased one. */
void cells_remove(struct cells *s, struct cell *c);

/** @c came up or back: to the first waiter, or to the idle ones. */
void cells_make_idle(struct cells *s, struct cell *c);

/** Our side changed: the site's loop looks at it if there is something to do. */
void cells_settle(struct cells *s);

/** A cell works on behind its answer: it is busy until it is ready. Any loop. */
void cells_go_away(struct cells *s, struct cell *c);

/** Watch those that went away since. Site's loop. cells_away.c */
void cells_watch_away(struct cells *s);

/** Close our end of a cell that is in no list and wait for its end. */
void cells_close(struct cells *s, struct cell *c);

/** Say @type about @c to the zygote, as soon as the site's loop gets to it. */
void cells_say(struct cells *s, struct cell *c, enum ipc_type type);

/** The end of a leased cell became known: answer who asked. */
void cells_answer(struct cell *c);

/** Text for the end of @c, in @out. Returns the failure it means for the request inside. */
enum backend_fail cells_describe(const struct cell *c, char *out, size_t size);

/* --- cells_plan.c: what the site needs; on the site's loop */

/** Make the site's loop run cells_pump(), soon. Any thread. */
void cells_pump_later(struct cells *s);

/** How many more cells there should be. */
unsigned cells_missing(const struct cells *s, uint64_t now_ms);

/** Whether more cells are idle than MaxSpareServers. */
bool cells_too_many(const struct cells *s);

/** Bring the site to what it should be: ask for zygote and cells, end those that are too many or too late, send. */
void cells_pump(struct cells *s);

/** Unlock, then do what must be done without the lock: ask the master, log. */
void cells_unlock(struct cells *s);

/** A line for the site's log, written by cells_unlock(). */
void cells_note(struct cells *s, enum log_level level, const char *fmt, ...) GW_PRINTF(3, 4);

/** Set the callbacks of task and timers. */
void cells_plan_init(struct cells *s);

/* --- cells_room.c: what the budget allows; on the site's loop but where said */

/** Begin and end the account. */
void cells_room_init(struct cells *s);
void cells_room_fini(struct cells *s);

/** Whether a zygote may be asked for now; else the site queues. */
bool cells_room_for_zygote(struct cells *s);

/** Whether a cell may be asked for now; else the site queues if somebody waits for it. */
bool cells_room_for_cell(struct cells *s);

/** Nobody waits any more: leave the queue. */
void cells_room_leave(struct cells *s);

/** Let the budget see whether the site is busy. Any thread, after every change. */
void cells_room_publish(struct cells *s);

/* --- cells_zygote.c: the channel and the log pipe; on the site's loop */

/** Send what there is to say. */
void cells_flush(struct cells *s);

/** Close the channel: the zygote ends, and its idle cells. @reason is for the log, NULL to say nothing. */
void cells_lose(struct cells *s, const char *reason);

/** The zygote breaks its rules: the same, and the master kills it. */
void cells_condemn(struct cells *s, const char *reason);

/** No zygote for a while: fail those who wait. */
void cells_down(struct cells *s, const char *reason);

#endif
