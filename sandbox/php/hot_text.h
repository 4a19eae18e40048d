/* SPDX-License-Identifier: Apache-2.0 */
/** Pages of code and constants that every request reads, mapped in a new cell by the fork itself. */
#ifndef HOT_TEXT_H
#define HOT_TEXT_H

/**
 * Arrange that fork(2) copies the page table entries of exactly those read-only pages of loaded objects that a rehearsed
 * request visits. Without that a cell takes a page fault for each 64 KB in which there is one, and each maps 16 pages
 * that its exit must take away again.
 *
 * The kernel copies entries for mappings that have an anonymous page, so one page in each becomes a copy of itself; what
 * else the zygote had mapped there is dropped. In the zygote, SIGCHLD blocked, after the image; before anything that
 * forbids writable code. @memory: see sb_proc_take_memory(); borrowed. Best effort.
 */
void hot_text_keep(int memory);

#endif
