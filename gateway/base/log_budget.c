/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/log_budget.h"

#define US_PER_S 1000000ULL
#define BURST_US (LOG_BUDGET_BURST * US_PER_S / LOG_BUDGET_RATE)

bool log_budget_take(struct log_budget *b, size_t octets, uint64_t now_us, unsigned *dropped)
{
	uint64_t cost_us = (octets + LOG_BUDGET_LINE) * US_PER_S / LOG_BUDGET_RATE;
	uint64_t allowed_us = atomic_load(&b->dropped) > 0 ? BURST_US / 2 : BURST_US;
	uint64_t old_us = atomic_load(&b->paid_us), paid_us;

	do {
		paid_us = old_us > now_us ? old_us : now_us;
		if (paid_us - now_us > allowed_us) {
			*dropped = atomic_fetch_add(&b->dropped, 1) == 0;
			return false;
		}
	} while (!atomic_compare_exchange_weak(&b->paid_us, &old_us, paid_us + cost_us));
	*dropped = atomic_exchange(&b->dropped, 0);
	return true;
}
