/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/front_sched.h"

#include <sched.h>

#define PERIOD_MS 32       /* turns are looked at so often */
#define TURNS_MIN 64       /* in that time: 2,000 a second */
#define TURNS_STAY 24      /* afterwards: with more than one event in each there are fewer, but nobody waits for 1.3 ms each time */
#define PAUSE_MIN_MS 1000  /* after a try that did not last */
#define PAUSE_MAX_MS 60000
#define LASTED_MS 1000     /* what lasted so long was no mistake */
#define IDLE_MS 48         /* a period of this length had a pause in it, longer than one waits for a processor */

static void leave(struct front_sched *s, uint64_t now_ms, bool idle)
{
	bool lasted = now_ms - s->since_ms >= LASTED_MS;

	s->batch = false;
	if (lasted)
		s->pause_ms = 0;
	if (idle)
		return;
	s->pause_ms = s->pause_ms == 0 ? PAUSE_MIN_MS : s->pause_ms * 2;
	if (s->pause_ms > PAUSE_MAX_MS)
		s->pause_ms = PAUSE_MAX_MS;
	s->not_before_ms = now_ms + s->pause_ms;
}

bool front_sched_wants(struct front_sched *s, uint64_t now_ms)
{
	uint64_t passed_ms = now_ms - s->from_ms;

	s->turns++;
	if (passed_ms < PERIOD_MS)
		return s->batch;
	bool idle = passed_ms >= IDLE_MS;
	bool often = !idle && s->turns >= (s->batch ? TURNS_STAY : TURNS_MIN);
	s->turns = 0;
	s->from_ms = now_ms;
	if (s->batch && !often) {
		leave(s, now_ms, idle);
	} else if (!s->batch && often && now_ms >= s->not_before_ms) {
		s->batch = true;
		s->since_ms = now_ms;
	}
	return s->batch;
}

void front_sched_turn(struct front_sched *s, uint64_t now_ms)
{
	static const struct sched_param none;
	bool before = s->batch, batch = front_sched_wants(s, now_ms);

	if (batch == before || s->not_ours)
		return;
	/* What an administrator chose for the service, or for this thread while it ran, stays. */
	s->not_ours = sched_getscheduler(0) != (before ? SCHED_BATCH : SCHED_OTHER) ||
		sched_setscheduler(0, batch ? SCHED_BATCH : SCHED_OTHER, &none) == -1;
}
