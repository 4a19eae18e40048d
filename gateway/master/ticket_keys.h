/* SPDX-License-Identifier: Apache-2.0 */
/** The master's side of session tickets: makes their keys, renews them, keeps them over reloads. One thread. */
#ifndef TICKET_KEYS_H
#define TICKET_KEYS_H

#include "gateway/base/loop.h"
#include "gateway/tls/secret.h"
#include "gateway/tls/ticket_ring.h"

struct ticket_keys {
	struct loop *loop;
	struct secret mem;       /* holds the ring; empty until TLS is first spoken */
	struct loop_timer renew;
	unsigned life_ms;
	void (*changed)(struct ticket_keys *t, const struct ticket_key *k); /* to tell every front */
};

/** Nothing yet; caller storage. */
void ticket_keys_init(struct ticket_keys *t, struct loop *l, void (*changed)(struct ticket_keys *t, const struct ticket_key *k));

/** TLS will be spoken: there is a key from now on, and a new one every @life_ms. Harmless when it runs. Returns 0, GW_ERR_NOMEM, GW_ERR_SYS. */
int ticket_keys_start(struct ticket_keys *t, unsigned life_ms) GW_MUST_USE;

/** What we have as a memory file for another master, or -1: nothing, or errno. The caller closes it. */
int ticket_keys_export(const struct ticket_keys *t);

/** Take the keys of another master's memory file @fd, before ticket_keys_start(). Returns 0, GW_ERR_PROTO, GW_ERR_NOMEM, GW_ERR_SYS. */
int ticket_keys_import(struct ticket_keys *t, int fd) GW_MUST_USE;

/** Forget all. */
void ticket_keys_fini(struct ticket_keys *t);

/** The ring, in memory that only a front inherits; NULL before ticket_keys_start(). */
struct ticket_ring *ticket_keys_ring(const struct ticket_keys *t);

#endif
