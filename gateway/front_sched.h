/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How a loop's thread is scheduled. A thread of the ordinary policy interrupts who runs as soon as there is something for
 * it: a client with a rare request wants that. Under load, with thousands of events a second, it is dear: a cell is
 * interrupted for each of them, and the loop finds one event a turn instead of several. So a loop that turns that often
 * lets others finish (SCHED_BATCH, sched(7)), as long as they do so quickly: where its turns become rare by it, as
 * somebody computes for milliseconds, it is back within a tenth of a second, and tries again later, and later still each time.
 */
#ifndef FRONT_SCHED_H
#define FRONT_SCHED_H

#include <stdbool.h>
#include <stdint.h>

/* One loop's; on its thread only. Zeroed: as a thread begins. */
struct front_sched {
	uint64_t from_ms;       /* when the turns that are counted began */
	uint64_t since_ms;      /* when batch began */
	uint64_t not_before_ms; /* the next try */
	unsigned turns, pause_ms;
	bool batch;             /* what is wanted */
	bool not_ours;          /* somebody else's policy, or one that is refused: it stays */
};

/** One more turn of the loop, at @now_ms of a monotonic clock: is SCHED_BATCH wanted from now on? No system call. */
bool front_sched_wants(struct front_sched *s, uint64_t now_ms);

/**
 * The same, and the calling thread gets what is wanted: two system calls where it is another policy than before. A policy
 * that somebody else gave the thread stays. Where the call fails it is not tried again.
 */
void front_sched_turn(struct front_sched *s, uint64_t now_ms);

#endif
