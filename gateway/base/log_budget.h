/* SPDX-License-Identifier: Apache-2.0 */
/**
 * How much somebody else (a script, a FastCGI server) may write into a log that is ours: so many octets a second, and a
 * burst. Without it one site fills the disk of all.
 */
#ifndef BASE_LOG_BUDGET_H
#define BASE_LOG_BUDGET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOG_BUDGET_RATE (512 * 1024)       /* octets a second in the long run */
#define LOG_BUDGET_BURST (8 * 1024 * 1024) /* octets at once */
#define LOG_BUDGET_LINE 150                /* what a line costs beside its text */

/* Zeroed: nothing was written yet. */
struct log_budget {
	_Atomic uint64_t paid_us;  /* when all that was written will have been paid for */
	_Atomic unsigned dropped;  /* lines refused since the last one that was not */
};

/**
 * Ask for a line of @octets at @now_us (of a steady clock). Returns whether it may be written; then *@dropped is the number
 * of lines refused before it, told once. Else *@dropped is 1 for the first line refused in a row, and after it 0.
 * Once it refuses it goes on until half of the burst is free, so that what is there comes in long pieces. Any thread.
 */
bool log_budget_take(struct log_budget *b, size_t octets, uint64_t now_us, unsigned *dropped);

#endif
