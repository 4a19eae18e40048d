/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tls/ticket_ring.h"

#include <string.h>
#include <sys/random.h>

int ticket_key_new(struct ticket_key *k)
{
	uint8_t random[TICKET_KEY_LEN];

	/* Below 256 octets getrandom(2) gives all or nothing. */
	if (getrandom(random, sizeof(random), 0) != (ssize_t)sizeof(random))
		return GW_ERR_SYS;
	int err = ticket_key_decode(random, sizeof(random), k);
	explicit_bzero(random, sizeof(random));
	return err;
}

void ticket_ring_add(struct ticket_ring *r, const struct ticket_key *k)
{
	struct ticket_key fresh = *k; /* it may be one of the ring's */

	if (r->n == TICKET_RING_KEYS)
		explicit_bzero(&r->v[--r->n], sizeof(*k));
	memmove(&r->v[1], &r->v[0], r->n * sizeof(*k));
	r->v[0] = fresh;
	r->n++;
	explicit_bzero(&fresh, sizeof(fresh));
}

const struct ticket_key *ticket_ring_newest(const struct ticket_ring *r)
{
	return r->n > 0 ? &r->v[0] : NULL;
}

const struct ticket_key *ticket_ring_find(const struct ticket_ring *r, const uint8_t name[TICKET_NAME_LEN], bool *newest)
{
	for (size_t i = 0; i < r->n; i++)
		if (memcmp(r->v[i].name, name, TICKET_NAME_LEN) == 0) {
			*newest = i == 0;
			return &r->v[i];
		}
	return NULL;
}

void ticket_key_encode(const struct ticket_key *k, uint8_t *out)
{
	memcpy(out, k->name, sizeof(k->name));
	memcpy(out + 16, k->aes, sizeof(k->aes));
	memcpy(out + 48, k->hmac, sizeof(k->hmac));
}

int ticket_key_decode(const uint8_t *in, size_t len, struct ticket_key *k)
{
	if (len != TICKET_KEY_LEN)
		return GW_ERR_PROTO;
	memcpy(k->name, in, sizeof(k->name));
	memcpy(k->aes, in + 16, sizeof(k->aes));
	memcpy(k->hmac, in + 48, sizeof(k->hmac));
	return GW_OK;
}
