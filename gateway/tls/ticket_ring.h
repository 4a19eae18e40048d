/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The keys of session tickets (RFC 5077): the newest encrypts, older ones still decrypt for a while, what falls out of the
 * ring is gone, and with it the way back into sessions that somebody recorded. Pure but for the making of a key.
 */
#ifndef TICKET_RING_H
#define TICKET_RING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

#define TICKET_RING_KEYS 3
#define TICKET_NAME_LEN 16
#define TICKET_KEY_LEN 80 /* octets of one on the wire */

struct ticket_key {
	uint8_t name[TICKET_NAME_LEN]; /* sent in clear with each ticket; random */
	uint8_t aes[32], hmac[32];     /* AES-256-CBC, then HMAC-SHA-256 */
};

struct ticket_ring {
	size_t n;
	struct ticket_key v[TICKET_RING_KEYS]; /* newest first */
};

/** A fresh key. Returns 0 or GW_ERR_SYS. */
int ticket_key_new(struct ticket_key *k) GW_MUST_USE;

/** Make @k the newest; the oldest of a full ring is wiped. */
void ticket_ring_add(struct ticket_ring *r, const struct ticket_key *k);

/** The key that encrypts, or NULL while the ring is empty. */
const struct ticket_key *ticket_ring_newest(const struct ticket_ring *r);

/** The key of that name, or NULL; *@newest says whether it is the one that encrypts. */
const struct ticket_key *ticket_ring_find(const struct ticket_ring *r, const uint8_t name[TICKET_NAME_LEN], bool *newest);

/** As TICKET_KEY_LEN octets. */
void ticket_key_encode(const struct ticket_key *k, uint8_t *out);

/** Returns 0, or GW_ERR_PROTO when @len is not TICKET_KEY_LEN. */
int ticket_key_decode(const uint8_t *in, size_t len, struct ticket_key *k) GW_MUST_USE;

#endif
