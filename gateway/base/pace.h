/* SPDX-License-Identifier: Apache-2.0 */
/** How long a peer may take for something that it sends or takes: so long, and longer as octets move. Pure. */
#ifndef BASE_PACE_H
#define BASE_PACE_H

#include <stdint.h>

struct pace {
	unsigned start_ms; /* allowed when nothing has moved; 0: no limit at all */
	unsigned max_ms;   /* most that octets can make of it; 0: any */
	unsigned rate;     /* octets that earn one more second; 0: they earn nothing */
};

/**
 * Time that is left after @spent_ms, in which @octets moved: 0 when it is over, UINT64_MAX where there is no limit. What
 * is left now may grow, but does not shrink faster than time passes: a timer set to it never comes too late.
 */
uint64_t pace_left_ms(const struct pace *p, uint64_t spent_ms, uint64_t octets);

#endif
