/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mail/mail_rate.h"

void mail_rate_init(struct mail_rate *r, uint64_t count, uint64_t period_ms, uint64_t now_ms)
{
	*r = (struct mail_rate){.count = count, .period_ms = period_ms, .level = count * period_ms, .at_ms = now_ms};
}

/* In a millisecond @count units flow in, each 1/period_ms of a mail: whole numbers, nothing is rounded away. */
static uint64_t level_at(const struct mail_rate *r, uint64_t now_ms)
{
	uint64_t full = r->count * r->period_ms;
	uint64_t passed = now_ms > r->at_ms ? now_ms - r->at_ms : 0;

	if (passed >= r->period_ms || r->level + passed * r->count > full)
		return full;
	return r->level + passed * r->count;
}

bool mail_rate_take(struct mail_rate *r, uint64_t n, uint64_t now_ms)
{
	if (r->count == 0)
		return true;
	r->level = level_at(r, now_ms);
	r->at_ms = now_ms > r->at_ms ? now_ms : r->at_ms;
	if (n > r->count || n * r->period_ms > r->level)
		return false;
	r->level -= n * r->period_ms;
	return true;
}

void mail_rate_return(struct mail_rate *r, uint64_t n)
{
	uint64_t full = r->count * r->period_ms;

	if (r->count == 0 || n > r->count)
		return;
	r->level = r->level + n * r->period_ms < full ? r->level + n * r->period_ms : full;
}

uint64_t mail_rate_wait(const struct mail_rate *r, uint64_t n, uint64_t now_ms)
{
	if (r->count == 0)
		return 0;
	if (n > r->count)
		return UINT64_MAX;
	uint64_t level = level_at(r, now_ms), need = n * r->period_ms;
	return need <= level ? 0 : (need - level + r->count - 1) / r->count;
}
