/* SPDX-License-Identifier: Apache-2.0 */
/** The compiler: a child of the zygote that makes the next image. See opcache.h. */
#ifndef BH_OPCACHE_COMPILE_H
#define BH_OPCACHE_COMPILE_H

#include <stdbool.h>
#include <stdint.h>

#include "sandbox/php/cell.h"
#include "sandbox/php/opcache_memory.h"
#include "sandbox/php/opcache_seen.h"

#define OPCACHE_EXIT_NEW 0   /* the image holds more than the one before */
#define OPCACHE_EXIT_SAME 3  /* nothing had to be compiled */
#define OPCACHE_EXIT_HEADS 4 /* opcache does not find moved heads, see opcache_heads.h */

/*
 * One page or so that zygote, compiler and cells share. What the compiler writes is only advice: which paths to ask for
 * again, and when to begin anew. It cannot lead the zygote anywhere that the site's own scripts could not.
 */
struct opcache_board {
	volatile uint32_t image;     /* number of the newest image */
	volatile bool paths_wanted;  /* cells tell which files' real paths they looked up */
	volatile uint32_t changes;   /* counts the scripts that cells invalidated */
	volatile uint32_t at;        /* path being compiled: the one to blame for a crash */
	struct sb_slot slot;         /* the compiler's, as cell_own.slot */
	volatile uint32_t scripts;   /* in the new image */
	volatile uint64_t used, wasted; /* octets */
	volatile bool full;          /* no room, or no keys, are left */
	volatile bool gathering;     /* heads are being moved: that is to blame for a crash */
	volatile uint8_t result[SEEN_BATCH_MAX]; /* enum seen_result */
};

struct opcache_job {
	const struct opcache_memory *memory;
	const struct cell_plan *plan;
	struct opcache_board *board;
	const struct seen *seen;
	int from, to;     /* the image to begin with, and the empty, unsealed one to make */
	int low_fd;       /* a descriptor below plan->first_foreign_fd that this process does not need */
	bool renew;       /* compile what the present image holds into a copy of @from, without what is wasted */
	bool gather;      /* move heads, see opcache_heads.h */
};

/**
 * In the forked child: become confined as a cell is, make the image, end with OPCACHE_EXIT_*. Never returns.
 * What it parses are the site's scripts; no code of them runs.
 */
_Noreturn void opcache_compile(const struct opcache_job *job);

#endif
