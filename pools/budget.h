/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How many zygotes and cells all sites of a front may have together, and who makes room when that many are there.
 * Book-keeping only: a site asks before it makes a process and says when one is gone; when there is no room it queues,
 * and the site that has been without a request for longest is told to end its zygote. A busy site never is, nor one
 * whose zygote has just been started: two sites that take turns would otherwise only start and end processes.
 *
 * Cells: a site with fewer than its share (CellLimit divided by the sites that are awake) makes those that have more
 * give up idle ones; a site with its share or more waits for what others give back by themselves, behind those with less.
 *
 * The lock is the innermost of all: a site's own lock may be held while these functions are called, and wake() must not
 * take any. Functions may be called from any thread.
 */
#ifndef BUDGET_H
#define BUDGET_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>

#include "gateway/base/err.h"

#define BUDGET_STAY_MS 1000  /* a zygote that is ready is not ended sooner */
#define BUDGET_AGAIN_MS 250  /* a site in the queue looks again so often: time alone makes room, too */

struct budget;

enum budget_want { BUDGET_NOTHING, BUDGET_ZYGOTE, BUDGET_CELL };

/* What a site is told to give up. */
enum budget_order { BUDGET_KEEP, BUDGET_END_ZYGOTE, BUDGET_END_CELL };

/* One site's account; embedded in the site. */
struct budget_site {
	struct budget *budget;           /* NULL: no limit, every request is granted */
	/* Run budget_order() on the site's own thread, soon; called with the budget's lock held. */
	void (*wake)(struct budget_site *m);
	/* Kept by the site, read here without its lock: what they decide is checked again by the site. */
	atomic_bool evictable;           /* its zygote is ready and nothing is asked of it */
	atomic_uint idle_cells;
	atomic_uint_least64_t used_ms;   /* when it was last busy */
	atomic_uint_least64_t ready_ms;  /* when its zygote became ready */
	/* guarded by the budget's lock */
	bool holds;                      /* a zygote */
	unsigned cells;
	enum budget_want want;           /* in budget.queue */
	enum budget_order order;         /* given, not yet carried out */
	bool told;                       /* the site knows of it */
	TAILQ_ENTRY(budget_site) holder_link, queue_link;
};
TAILQ_HEAD(budget_list, budget_site);

struct budget_stats {
	unsigned zygotes, cells, waiting;        /* of the moment; waiting: sites in the queue */
	uint64_t zygotes_ended, cells_ended;     /* to make room */
	uint64_t waits;                          /* how often a site had to queue */
};

struct budget {
	pthread_mutex_t lock;
	unsigned zygotes_max, cells_max;         /* 0 = no limit */
	unsigned zygotes_n, cells_n, holders_n, ordered_n;
	atomic_uint queued_n;
	struct budget_list holders;              /* sites with a zygote */
	struct budget_list queue;                /* first come first */
	uint64_t zygotes_ended, cells_ended, waits;
};

/** Caller storage; 0 is no limit. */
void budget_init(struct budget *b, unsigned zygotes_max, unsigned cells_max);

/** After threads ended. */
void budget_fini(struct budget *b);

/** An account without anything; @b (borrowed, may be NULL) must outlive it. */
void budget_site_init(struct budget_site *m, struct budget *b, void (*wake)(struct budget_site *m));

/** Give back all that @m has and leave the queue: the site is freed. */
void budget_site_fini(struct budget_site *m);

/** May @m have a zygote? Yes also when it has one. No: it is in the queue until it leaves, and is woken when to ask again. */
bool budget_take_zygote(struct budget_site *m, uint64_t now_ms) GW_MUST_USE;

/** @m has a zygote, allowed or not. */
void budget_hold_zygote(struct budget_site *m);

/** Its zygote is gone, or never came. Harmless when it has none. */
void budget_put_zygote(struct budget_site *m, uint64_t now_ms);

/** May @m have one more cell? @urgent: somebody waits for it, so that @m queues when there is no room. */
bool budget_take_cell(struct budget_site *m, bool urgent, uint64_t now_ms) GW_MUST_USE;

/** One of its cells is gone. */
void budget_put_cell(struct budget_site *m, uint64_t now_ms);

/** Nobody waits in @m any more. Harmless when it is not in the queue. */
void budget_leave(struct budget_site *m, uint64_t now_ms);

/** What @m has to give up: said once for each order, BUDGET_KEEP at all other times. */
enum budget_order budget_order(struct budget_site *m);

/** @m cannot do what it was told, for it is busy again: somebody else is asked. */
void budget_decline(struct budget_site *m, uint64_t now_ms);

/** A site has become idle: whether that makes room for others. Cheap while nobody waits. */
void budget_became_idle(struct budget_site *m, uint64_t now_ms);

/** Numbers of the moment and since the start. */
void budget_stats(struct budget *b, struct budget_stats *out);

#endif
