/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Backend of the worker path: a <FastCGIPool> of php-fpm or other FastCGI servers. Balancing, health, kept connections, queue.
 *
 * Why connections are kept the way they are. A php-fpm child that accepted a connection serves nobody else until that
 * connection is closed, idle or not; whoever connected later sits in the listener's backlog. So a kept connection is
 * cheap for us and costs everybody else a child, and there are three rules:
 *
 * 1. Few and short. At most max_idle idle connections for all loops together, closed after idle_timeout. A connection
 *    is given up after 100 requests or one second, whichever comes first: its child then takes the next in the backlog,
 *    so that another client of the same server (an old front that is draining, nginx) has its turn. That is one connect
 *    in a hundred requests.
 * 2. Nobody of ours sits in the backlog behind a connection that we keep. For a Unix socket the kernel tells whether a
 *    connection was accepted: SIOCOUTQ shrinks when somebody reads the request (its head, that is: php-fpm leaves even an
 *    empty STDIN unread until the script ends, so on a new connection the head is sent alone and measured). While the
 *    oldest request sent on a new connection is unread for a millisecond, a connection whose request ends is closed instead of reused,
 *    and the child goes on to accept. Over TCP the kernel acknowledges on the server's behalf, so there "no octet of an
 *    answer yet" has to stand for "perhaps in the backlog"; scripts slower than a millisecond then pay for a connect.
 * 3. Beyond the server's children the queue is ours. The first time that a request of ours is found unread, the
 *    number of accepted connections is the number of children we can have; from then on no more are opened, requests
 *    wait in our queue first come, first served, and kept connections pass from one to the next at the cost of no
 *    connect. The number is learned anew all the time: when requests wait, one connection more than that is tried
 *    (every 100 ms, less often while it fails, twice as many each time while it succeeds), and it shrinks when a
 *    request stays unread for 20 ms. max= on a member is an upper bound on top of that.
 *
 * A backlog that is full (EAGAIN) means busy, not dead. A member that cannot be reached is left alone for fail_timeout,
 * doubled up to 8 times; but when nobody else is left, a request tries it again after a quarter of a second, because
 * then trying costs nothing that would not be lost anyway. And when it gave a sign of life within the last second it is
 * perhaps being restarted: requests wait for the rest of that second before they are told that nobody answers.
 */
#ifndef POOL_H
#define POOL_H

#include "conf/conf.h"
#include "pools/backend.h"

/**
 * A pool from its configuration (borrowed for the pool's life). @loop runs its timers (idle close, member retry) and
 * waits for connections that are being made.
 * Returns NULL when memory is out. Before threads start.
 */
struct backend *pool_new(const struct conf_pool *cp, struct loop *loop);

/** Close idle connections and free; no lease or waiter may be left. After threads ended; @loop may be gone. */
void pool_free(struct backend *b);

/** Numbers for the status page and tests. Any thread. */
struct pool_stats {
	unsigned idle, leased, waiting;
	uint64_t requests, reused, connects, failures;
};

/** Numbers of the moment. Any thread. */
void pool_stats(struct backend *b, struct pool_stats *out);

#endif
