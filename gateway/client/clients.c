/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/clients.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/siphash.h"

#define SHARDS 16                 /* locks; a power of two */
#define SILENT 4096               /* clients without a connection that a shard remembers at least */
#define NONE 0                    /* no entry: the first one of a pool is not used, so that zeroed memory is an empty table */
#define US_PER_S 1000000ULL
#define TELL_EVERY_US (60 * US_PER_S) /* a line for a client */
#define TELL_COST_US (US_PER_S / 2)   /* two lines a second for all of them in the long run ... */
#define TELL_BURST_US (20 * US_PER_S) /* ... and forty at once */

struct client {
	struct ip_addr prefix;
	uint32_t next;            /* in its bucket */
	uint32_t newer, older;    /* among those without a connection */
	uint32_t conns;
	_Atomic uint64_t paid_us; /* when all its requests will have been paid for */
	_Atomic uint64_t told_us; /* when the log last heard of it; 0: never */
};

struct shard {
	pthread_mutex_t lock;
	uint32_t *buckets;        /* buckets_n entries: index of the first client, or NONE */
	struct client *pool;
	uint32_t used;            /* entries of the pool that were ever given out, and the first */
	uint32_t newest, oldest;  /* without a connection */
};

struct clients {
	struct client_limits lim;
	uint8_t seed[16];
	uint32_t pool_n, buckets_n; /* of each shard; buckets_n is a power of two */
	_Atomic uint64_t log_paid_us;
	struct shard shards[SHARDS];
};

void clients_free(struct clients *t)
{
	if (t == NULL)
		return;
	for (size_t i = 0; i < SHARDS; i++) {
		pthread_mutex_destroy(&t->shards[i].lock);
		free(t->shards[i].buckets);
		free(t->shards[i].pool);
	}
	free(t);
}

struct clients *clients_new(const struct client_limits *lim, size_t live_max, const uint8_t seed[16])
{
	struct clients *t = calloc(1, sizeof(*t));

	if (t == NULL)
		return NULL;
	t->lim = *lim;
	memcpy(t->seed, seed, sizeof(t->seed));
	/* Twice a shard's part: a hash that nobody can steer does not put more there. */
	t->pool_n = (uint32_t)((live_max > (1U << 24) ? 1U << 24 : live_max) / SHARDS * 2 + SILENT);
	for (t->buckets_n = 1; t->buckets_n < t->pool_n; t->buckets_n *= 2)
		;
	for (size_t i = 0; i < SHARDS; i++) {
		struct shard *s = &t->shards[i];
		pthread_mutex_init(&s->lock, NULL);
		s->used = 1;
		/* Zeroed by the kernel, and never touched before it is needed: clients that never come cost nothing. */
		s->buckets = calloc(t->buckets_n, sizeof(*s->buckets));
		s->pool = malloc(t->pool_n * sizeof(*s->pool));
		if (s->buckets == NULL || s->pool == NULL) {
			clients_free(t);
			return NULL;
		}
	}
	return t;
}

/* --- a shard; its lock is held ---------------------------------------------------------------------------------------------- */

static void silent_del(struct shard *s, uint32_t at)
{
	struct client *c = &s->pool[at];

	*(c->newer != NONE ? &s->pool[c->newer].older : &s->newest) = c->older;
	*(c->older != NONE ? &s->pool[c->older].newer : &s->oldest) = c->newer;
}

static void silent_add(struct shard *s, uint32_t at)
{
	struct client *c = &s->pool[at];

	c->newer = NONE;
	c->older = s->newest;
	*(s->newest != NONE ? &s->pool[s->newest].newer : &s->oldest) = at;
	s->newest = at;
}

static struct ip_addr key_of(const struct clients *t, const struct ip_addr *a)
{
	return ip_net_of(a, ip_is_v4(a) ? 96 + t->lim.v4_bits : t->lim.v6_bits).addr;
}

static uint64_t hash_of(const struct clients *t, const struct ip_addr *key)
{
	return siphash_16(t->seed, key->b);
}

static uint32_t *bucket_of(const struct clients *t, struct shard *s, uint64_t hash)
{
	return &s->buckets[(hash >> 32) & (t->buckets_n - 1)];
}

/* An entry for somebody new: one never used, or that of the client who was silent for longest. NONE: all have connections. */
static uint32_t entry_take(const struct clients *t, struct shard *s)
{
	if (s->used < t->pool_n)
		return s->used++;
	uint32_t at = s->oldest;
	if (at == NONE)
		return NONE;
	silent_del(s, at);
	uint32_t *p = bucket_of(t, s, hash_of(t, &s->pool[at].prefix));
	while (*p != at)
		p = &s->pool[*p].next;
	*p = s->pool[at].next;
	return at;
}

/* The entry of @key, made when there is none; it is then in no list of silent ones. NONE: no room. */
static uint32_t entry_find(const struct clients *t, struct shard *s, uint64_t hash, const struct ip_addr *key)
{
	uint32_t *first = bucket_of(t, s, hash), at = *first;

	while (at != NONE && memcmp(&s->pool[at].prefix, key, sizeof(*key)) != 0)
		at = s->pool[at].next;
	if (at != NONE) {
		if (s->pool[at].conns == 0)
			silent_del(s, at);
		return at;
	}
	at = entry_take(t, s);
	if (at == NONE)
		return NONE;
	s->pool[at] = (struct client){.prefix = *key, .next = *first};
	*first = at;
	return at;
}

/* --- what others call ---------------------------------------------------------------------------------------------------------- */

/* @cost_us more on the account at @paid_us, unless that runs further ahead of now than @burst_us. *@late_us: by how much. */
static bool pay(_Atomic uint64_t *paid_us, uint64_t now_us, uint64_t cost_us, uint64_t burst_us, uint64_t *late_us)
{
	uint64_t old_us = atomic_load(paid_us), new_us;

	do {
		new_us = (old_us > now_us ? old_us : now_us) + cost_us;
		if (new_us - now_us > burst_us) {
			*late_us = new_us - now_us - burst_us;
			return false;
		}
	} while (!atomic_compare_exchange_weak(paid_us, &old_us, new_us));
	return true;
}

static bool worth_telling(struct clients *t, struct client *c, uint64_t now_us)
{
	uint64_t told_us = c != NULL ? atomic_load(&c->told_us) : 0, late_us;

	if (told_us != 0 && now_us < told_us + TELL_EVERY_US)
		return false;
	if (!pay(&t->log_paid_us, now_us, TELL_COST_US, TELL_BURST_US, &late_us))
		return false;
	return c == NULL || atomic_compare_exchange_strong(&c->told_us, &told_us, now_us);
}

enum client_verdict clients_enter(struct clients *t, const struct ip_addr *a, uint64_t now_us, struct client **out, bool *tell)
{
	struct ip_addr key = key_of(t, a);
	uint64_t hash = hash_of(t, &key);
	struct shard *s = &t->shards[hash & (SHARDS - 1)];
	enum client_verdict v = CLIENT_OK;

	*out = NULL;
	*tell = false;
	pthread_mutex_lock(&s->lock);
	uint32_t at = entry_find(t, s, hash, &key);
	struct client *c = at == NONE ? NULL : &s->pool[at];
	if (c == NULL)
		v = CLIENT_FULL;
	else if (t->lim.connections > 0 && c->conns >= t->lim.connections)
		v = CLIENT_OVER;
	if (v == CLIENT_OK) {
		c->conns++;
		*out = c;
	} else {
		*tell = worth_telling(t, c, now_us);
	}
	pthread_mutex_unlock(&s->lock);
	return v;
}

void clients_leave(struct clients *t, struct client *c)
{
	if (c == NULL)
		return;
	struct shard *s = &t->shards[hash_of(t, &c->prefix) & (SHARDS - 1)];
	pthread_mutex_lock(&s->lock);
	if (--c->conns == 0)
		silent_add(s, (uint32_t)(c - s->pool));
	pthread_mutex_unlock(&s->lock);
}

bool clients_request(struct clients *t, struct client *c, uint64_t now_us, unsigned *retry_s, bool *tell)
{
	uint64_t late_us;

	*tell = false;
	if (t->lim.request_us == 0 || pay(&c->paid_us, now_us, t->lim.request_us, t->lim.burst_us, &late_us))
		return true;
	*retry_s = (unsigned)((late_us + US_PER_S - 1) / US_PER_S);
	*tell = worth_telling(t, c, now_us);
	return false;
}
