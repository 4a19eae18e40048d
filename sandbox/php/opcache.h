/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Opcache's memory, made private to each cell.
 *
 * As PHP makes it, the segment is shared and writable: whoever writes one page of it has changed a script for every later
 * request. Here it becomes a sealed memory file (the image) that zygote and cells map privately, at the address it had:
 * what a cell writes is its own and goes with it. Under `shared` nothing of this is done: that level promises what
 * mod_php does.
 *
 * A cell's scripts then reach no other cell, so somebody else compiles: a cell tells its zygote, over a pipe, the path of
 * each file that it had to compile. The zygote collects paths and forks a compiler: a process confined as a cell is, with
 * a writable copy of the image, which compiles them and runs none of them. When it has ended, its copy is sealed, mapped
 * by the zygote, and so inherited by the cells forked from then on. The zygote itself parses nothing.
 *
 * Opcache's pointers hold: compiler and cells are children of one process, as opcache expects of those who share it.
 *
 * For who restores a cell's memory: the segment is one plain MAP_PRIVATE mapping of a file, readable and writable; the page
 * behind opcache_is_stale() is MAP_SHARED; the pipe for reports stays open.
 */
#ifndef BH_OPCACHE_H
#define BH_OPCACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"
#include "sandbox/php/cell.h"
#include "sandbox/spec.h"

/* --- zygote, in this order --------------------------------------------------------------------------------------------- */

/**
 * After PHP's start, while /proc can be read and before descriptors are counted: find opcache's segment and lock file,
 * and reserve the descriptor that cells report on. Nothing to do when opcache is off or the site is `shared`.
 * Returns 0, or an error with *@why a text for the log: fails rather than leave the segment shared.
 */
int opcache_find(const struct spec *s, const char **why) GW_MUST_USE;

/**
 * Replace the segment by its sealed image, and open the pipe. One thread, no cell yet, before the memory image and the
 * filter; after it this process must not write to the segment. Returns 0 or GW_ERR_SYS with *@why.
 */
int opcache_take(const char **why) GW_MUST_USE;

/** Descriptor to poll for reading, or -1: none, or not now. */
int opcache_poll_fd(uint64_t now_ms);

/** How long poll(2) may wait for opcache's sake; -1 for ever. */
int opcache_timeout_ms(uint64_t now_ms);

/** Something came, or time passed: read reports, end a compiler that takes too long, start one. */
void opcache_work(const struct cell_plan *plan, uint64_t now_ms);

/** A child has ended: true when it was the compiler. */
bool opcache_reap(pid_t pid, int status, uint64_t now_ms);

/** Whether @pid is the compiler, which is no stray child. */
bool opcache_is_compiler(pid_t pid);

/** The front is gone: no more compilers. */
void opcache_stop(void);

/* --- cell ---------------------------------------------------------------------------------------------------------------- */

/**
 * Give this cell a lock of its own: @conn, whose inode nobody else has, takes the place of opcache's lock file. With one
 * file for all, a cell that holds the lock stops the others. Costs one dup3(2). Returns 0 or GW_ERR_SYS.
 */
int opcache_enter_cell(int conn) GW_MUST_USE;

/** In a cell that is rolled back, before rollback_begin(): its opcache is put back from the image. Returns 0 or GW_ERR_SYS. */
int opcache_enter_rollback(void) GW_MUST_USE;

/** Behind a request of a cell that lives on: tell which files below @root it looked up, if that is asked for at the time. */
void opcache_tell_paths(const char *root);

/** Whether a newer image exists than the one this process was forked with: a cell that lives on had better end after
 * this request. The page is writable by every cell of the site, so a lie costs the site its reuse of cells, no more. */
bool opcache_is_stale(void);

#endif
