/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What fronts count of clients (LimitClient...) lies in memory that outlives each of them: the master makes it, reads nothing of
 * it, and says whose connections are gone. After a front that ended badly the next one gets other memory, so that nobody
 * believes what it left. Master only.
 */
#ifndef CLIENT_MEM_H
#define CLIENT_MEM_H

#include <stdbool.h>

#include "gateway/client/clients.h"

struct client_mem {
	int fd;                         /* -1: none could be had; each front counts for itself then */
	unsigned serial;                /* of this memory: fronts that have an older one do not count here */
	unsigned users[CLIENTS_SLOTS];  /* fronts */
};

/* What one front has. */
struct client_slot {
	unsigned serial, slot;
	bool taken;
};

/** Sized by the descriptors that a front may have. What goes wrong is logged. */
void client_mem_init(struct client_mem *m);
void client_mem_fini(struct client_mem *m);

/** A front is about to start: the slot that the fewest have. */
struct client_slot client_mem_take(struct client_mem *m);

/** It has ended; @badly: not by itself. Harmless on a slot that was not taken, and twice. */
void client_mem_give(struct client_mem *m, struct client_slot *s, bool badly);

#endif
