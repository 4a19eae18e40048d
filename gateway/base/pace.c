/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/pace.h"

uint64_t pace_left_ms(const struct pace *p, uint64_t spent_ms, uint64_t octets)
{
	uint64_t allowed_ms = p->start_ms;

	if (p->start_ms == 0)
		return UINT64_MAX;
	if (p->rate > 0)
		allowed_ms += octets / p->rate * 1000 + octets % p->rate * 1000 / p->rate;
	if (p->max_ms > 0 && allowed_ms > p->max_ms)
		allowed_ms = p->max_ms;
	return allowed_ms > spent_ms ? allowed_ms - spent_ms : 0;
}
