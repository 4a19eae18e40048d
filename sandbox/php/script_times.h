/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which of an image's scripts are as they were when they were compiled, and since when that is known.
 *
 * Opcache asks for each script's time when opcache.revalidate_freq seconds have passed, and notes that it did. In a cell that
 * is rolled back the note goes with the request, so every request would ask for all of its scripts. This table is kept: a
 * cell that is busy asks for all scripts of its image between two requests, once for each such period.
 *
 * One process. The list comes from the site's compiler: it is read with care, and can lead to nothing but stale scripts.
 */
#ifndef BH_SCRIPT_TIMES_H
#define BH_SCRIPT_TIMES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define SCRIPT_TIMES_MAX 4096     /* scripts of an image; of larger ones there is no list */
#define SCRIPT_TIMES_TEXT_MAX (1024 * 1024)

struct script_times;

/** A record of the list: the time as seconds, then the absolute path and NUL. Writes it at @out; returns its length or 0: no room. */
size_t script_times_put(char *out, size_t room, const char *path, int64_t mtime);

/**
 * A table for @list (@len octets, borrowed for as long as the table lives) in memory that is shared and so not put back.
 * @hash: of a path, as the caller of script_times_hold() gives it. NULL: no memory, or the list is none.
 */
struct script_times *script_times_new(const char *list, size_t len, uint64_t (*hash)(const char *path, size_t len));

/** Frees @t. A cell never does. */
void script_times_free(struct script_times *t);

/**
 * Between two requests, at @now, real time in seconds: ask for all times again if the last answers have expired after
 * @freq seconds, or @changes is another number than then, and there were so many requests since that it is worth it.
 */
void script_times_renew(struct script_times *t, int64_t now, int64_t freq, uint32_t changes);

/** Whether a request that began at @time need not ask for @path's: it was found unchanged at most @freq seconds before. */
bool script_times_hold(const struct script_times *t, const char *path, size_t len, uint64_t hash, int64_t time, int64_t freq,
	uint32_t changes);

#endif
