/* SPDX-License-Identifier: Apache-2.0 */
/** How much mail a site may send: a bucket that holds @count and is filled again evenly over @period_ms. Pure. */
#ifndef MAIL_RATE_H
#define MAIL_RATE_H

#include <stdbool.h>
#include <stdint.h>

struct mail_rate {
	uint64_t count;       /* 0: no limit */
	uint64_t period_ms;
	uint64_t level;       /* what is left, in 1/period_ms: count * period_ms when full */
	uint64_t at_ms;       /* when it was counted last */
};

/** A full bucket at @now_ms, any monotonic clock. @count at most 10^9, @period_ms at most 31 days. */
void mail_rate_init(struct mail_rate *r, uint64_t count, uint64_t period_ms, uint64_t now_ms);

/** Take @n; false, with nothing taken, when so much is not there. */
bool mail_rate_take(struct mail_rate *r, uint64_t n, uint64_t now_ms);

/** Give @n back that were taken for nothing. */
void mail_rate_return(struct mail_rate *r, uint64_t n);

/** Milliseconds until @n can be taken; UINT64_MAX: never. */
uint64_t mail_rate_wait(const struct mail_rate *r, uint64_t n, uint64_t now_ms);

#endif
