/* SPDX-License-Identifier: Apache-2.0 */
/** Drives backends the way a front does: several loops, many clients in a closed cycle of acquire, exchange, release. */
#ifndef POOL_DRIVE_H
#define POOL_DRIVE_H

#include <stddef.h>
#include <stdint.h>

#include "pools/backend.h"

#define DRIVE_FAILS 16

/* Clients that behave alike. The first part is the caller's, the second what came of it. */
struct drive_group {
	struct backend *backend;
	unsigned clients;
	uint64_t start_ms, stop_ms; /* of the run; a request begun before stop_ms is finished */
	unsigned think_ms;          /* pause after each request */
	unsigned requests_max;      /* per client, 0 = no limit */
	uint64_t deadline_ms;       /* of one exchange, 0 = none */
	const uint8_t *params;
	size_t params_len;
	const uint8_t *body;
	size_t body_len;

	uint64_t done;              /* BACKEND_OK */
	uint64_t failed[DRIVE_FAILS];
	uint64_t octets;            /* of answers */
	uint32_t *wait_us;          /* of each done request, from acquire to end, sorted; owned */
	uint32_t *turns;            /* of each done request, how many others of the group were done meanwhile, sorted; owned */
	size_t wait_n, wait_cap;    /* of both */
	uint64_t first_us;          /* when the first one was done, since the run began */
};

struct drive;

/** @loops loops, threads not started yet. Dies when memory is out: this is a test's tool. */
struct drive *drive_new(unsigned loops);

struct loop *drive_loop(struct drive *d, unsigned i);

/** Run all groups to their end, on one thread a loop. Once per drive. */
void drive_run(struct drive *d, struct drive_group *groups, size_t groups_n);

/** Free the loops; after everything that used them. */
void drive_free(struct drive *d);

/** The latency below which @percent of the requests were; 0 when there was none. */
uint32_t drive_percentile(const struct drive_group *g, double percent);

/** The same in turns of others: how fair the order was, however fast the machine is. */
uint32_t drive_turns(const struct drive_group *g, double percent);

uint64_t drive_failures(const struct drive_group *g);
void drive_group_fini(struct drive_group *g);

#endif
