/* SPDX-License-Identifier: Apache-2.0 */
/** Backend of the worker path: a <FastCGIPool> of php-fpm or other FastCGI servers. Balancing, health, kept connections, queue. */
#ifndef POOL_H
#define POOL_H

#include "conf/conf.h"
#include "pools/backend.h"

/**
 * A pool from its configuration (borrowed for the pool's life). @loop runs its timers (idle close, member retry).
 * Returns NULL when memory is out. Before threads start.
 */
struct backend *pool_new(const struct conf_pool *cp, struct loop *loop);

/** Close idle connections and free; no lease or waiter may be left. After threads ended. */
void pool_free(struct backend *b);

/** Numbers for the status page and tests. Any thread. */
struct pool_stats {
	unsigned idle, leased, waiting;
	uint64_t requests, reused, connects, failures;
};
void pool_stats(struct backend *b, struct pool_stats *out);

#endif
