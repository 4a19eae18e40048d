/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/clients.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/siphash.h"

#define SHARDS 16                 /* locks; a power of two */
#define WAYS 16                   /* entries of a set; a power of two */
#define SILENT 32768              /* clients without a connection that are remembered at least, about */
#define ENTRIES_MAX (1U << 21) /* of 64 octets, and there only once somebody came: enough for a million descriptors */
#define NOBODY 0                  /* tag of an entry never used: zeroed memory is an empty table */
#define SPINS 200                 /* looks at a lock before sleeping: it is held for less than a microsecond */
#define LOCK_HELD_US 100000       /* by one holder: it died there, or is stopped */
#define US_PER_S 1000000ULL
#define TELL_EVERY_US (60 * US_PER_S) /* a line for a client */
#define TELL_COST_US (US_PER_S / 2)   /* two lines a second for all of them in the long run ... */
#define TELL_BURST_US (20 * US_PER_S) /* ... and forty at once */

/* So many connections as long as the table's epoch of the same slot is this one; else none. */
struct count {
	uint32_t epoch, conns;
};

struct client {
	uint64_t tag;             /* hash of the address: of 64 bits that nobody can steer, so that two never meet */
	_Atomic uint64_t paid_us; /* when all its requests will have been paid for */
	_Atomic uint32_t told_s;  /* when the log last heard of it; 0: never */
	uint32_t left_s;          /* when its last connection went */
	struct count held[CLIENTS_SLOTS];
};

_Static_assert(sizeof(struct client) == 64, "an entry is a cache line");

/* The shared memory: this, then the entries, set after set. */
struct table {
	_Atomic uint32_t epoch[CLIENTS_SLOTS]; /* first: clients_mem_forget() */
	uint8_t seed[16];
	_Atomic uint64_t log_paid_us;
	_Atomic uint32_t locks[SHARDS]; /* of sets; 0: free */
	struct client entries[] __attribute__((aligned(64)));
};

struct clients {
	struct client_limits lim;
	struct table *mem;
	size_t mem_len;
	uint32_t sets;            /* a power of two */
	unsigned slot;
	uint8_t seed[16];         /* our own copy */
};

/* --- the memory ------------------------------------------------------------------------------------------------------------- */

static int fill(int fd, size_t len)
{
	struct table *mem = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (mem == MAP_FAILED)
		return GW_ERR_SYS;
	int err = getrandom(mem->seed, sizeof(mem->seed), 0) == (ssize_t)sizeof(mem->seed) ? GW_OK : GW_ERR_SYS;
	munmap(mem, len);
	return err;
}

int clients_mem_new(size_t live_max)
{
	size_t want = (live_max > ENTRIES_MAX ? ENTRIES_MAX : live_max) * 3 + SILENT, n = WAYS;
	int fd = memfd_create("clients", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	/* Three for one: a hash that nobody can steer fills hardly any set then. */
	while (n < want && n < ENTRIES_MAX)
		n *= 2;
	size_t len = sizeof(struct table) + n * sizeof(struct client);
	if (fd != -1 && (ftruncate(fd, (off_t)len) == -1 || fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == -1 ||
	    fill(fd, len) < 0))
		io_close(&fd);
	return fd;
}

int clients_mem_forget(int fd, unsigned slot)
{
	uint32_t epoch = (uint32_t)io_now_us();

	return pwrite(fd, &epoch, sizeof(epoch), (off_t)(slot * sizeof(epoch))) == (ssize_t)sizeof(epoch) ? GW_OK : GW_ERR_SYS;
}

struct clients *clients_new(const struct client_limits *lim, int fd, unsigned slot)
{
	struct clients *t = calloc(1, sizeof(*t));
	struct stat st;

	if (t == NULL || fstat(fd, &st) == -1 || (size_t)st.st_size < sizeof(struct table) + WAYS * sizeof(struct client)) {
		free(t);
		return NULL;
	}
	t->lim = *lim;
	t->slot = slot % CLIENTS_SLOTS;
	t->mem_len = (size_t)st.st_size;
	for (t->sets = 1; (size_t)t->sets * 2 * WAYS * sizeof(struct client) <= t->mem_len - sizeof(struct table); t->sets *= 2)
		;
	t->mem = mmap(NULL, t->mem_len, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (t->mem == MAP_FAILED) {
		free(t);
		return NULL;
	}
	memcpy(t->seed, t->mem->seed, sizeof(t->seed));
	return t;
}

void clients_free(struct clients *t)
{
	if (t == NULL)
		return;
	munmap(t->mem, t->mem_len);
	free(t);
}

/* --- a set; its lock is held ------------------------------------------------------------------------------------------------ */

static uint64_t tag_of(const struct clients *t, const struct ip_addr *a)
{
	struct ip_addr key = ip_net_of(a, ip_is_v4(a) ? 96 + t->lim.v4_bits : t->lim.v6_bits).addr;
	uint64_t tag = siphash_16(t->seed, key.b);

	return tag == NOBODY ? 1 : tag;
}

/*
 * Not pthread's: a mutex between processes that may die holds pointers, which one front could make another follow. A lock
 * that does not change hands for longer than anybody needs it is a dead front's, and is taken from it: nothing in a set can be
 * half done but a count.
 */
static void lock(struct clients *t, uint32_t set)
{
	_Atomic uint32_t *l = &t->mem->locks[set & (SHARDS - 1)];
	const struct timespec moment = {.tv_nsec = 20000};
	uint32_t seen = 0, mine = (uint32_t)(uintptr_t)&seen | 1; /* of this thread's stack: it is enough that the next holder's is hardly ever the same */
	uint64_t since_us = 0;

	for (unsigned tries = 1;; tries++) {
		uint32_t is = 0;
		if (atomic_compare_exchange_weak(l, &is, mine))
			return;
		if (is == 0 || tries < SPINS)
			continue;
		uint64_t now_us = io_now_us();
		if (is != seen) {
			seen = is;
			since_us = now_us;
		} else if (now_us - since_us > LOCK_HELD_US && atomic_compare_exchange_strong(l, &is, mine)) {
			return;
		}
		nanosleep(&moment, NULL);
	}
}

static void unlock(struct clients *t, uint32_t set)
{
	atomic_store(&t->mem->locks[set & (SHARDS - 1)], 0);
}

/* Connections that all fronts hold of it. */
static uint32_t held(const struct clients *t, const struct client *c)
{
	uint32_t n = 0;

	for (unsigned i = 0; i < CLIENTS_SLOTS; i++)
		if (c->held[i].epoch == t->mem->epoch[i])
			n += c->held[i].conns;
	return n;
}

/* The entry of @tag, made when there is none. NULL: no room. */
static struct client *entry_find(struct clients *t, uint32_t set, uint64_t tag)
{
	struct client *first = &t->mem->entries[(size_t)set * WAYS], *oldest = NULL;

	for (struct client *c = first; c < first + WAYS; c++)
		if (c->tag == tag)
			return c;
	for (struct client *c = first; c < first + WAYS; c++) {
		if (c->tag == NOBODY) {
			oldest = c;
			break;
		}
		if ((oldest == NULL || c->left_s < oldest->left_s) && held(t, c) == 0)
			oldest = c;
	}
	if (oldest != NULL) {
		memset(oldest, 0, sizeof(*oldest));
		oldest->tag = tag;
	}
	return oldest;
}

static void count(struct clients *t, struct client *c, int by)
{
	struct count *own = &c->held[t->slot];

	if (own->epoch != t->mem->epoch[t->slot])
		*own = (struct count){.epoch = t->mem->epoch[t->slot]};
	if (by > 0)
		own->conns++;
	else if (own->conns > 0)
		own->conns--;
}

/* --- what others call ---------------------------------------------------------------------------------------------------------- */

/*
 * @cost_us more on the account at @paid_us, unless that runs further ahead of now than @burst_us. *@late_us: by how much. Who
 * was ahead by more, under another configuration, is not any more.
 */
static bool pay(_Atomic uint64_t *paid_us, uint64_t now_us, uint64_t cost_us, uint64_t burst_us, uint64_t *late_us)
{
	uint64_t old_us = atomic_load(paid_us), new_us;

	do {
		new_us = (old_us < now_us ? now_us : old_us > now_us + burst_us ? now_us + burst_us : old_us) + cost_us;
		if (new_us - now_us > burst_us) {
			*late_us = new_us - now_us - burst_us;
			return false;
		}
	} while (!atomic_compare_exchange_weak(paid_us, &old_us, new_us));
	return true;
}

static bool worth_telling(struct clients *t, struct client *c, uint64_t now_us)
{
	uint32_t told_s = c != NULL ? atomic_load(&c->told_s) : 0;
	uint64_t late_us;

	if (told_s != 0 && now_us < told_s * US_PER_S + TELL_EVERY_US)
		return false;
	if (!pay(&t->mem->log_paid_us, now_us, TELL_COST_US, TELL_BURST_US, &late_us))
		return false;
	return c == NULL || atomic_compare_exchange_strong(&c->told_s, &told_s, (uint32_t)(now_us / US_PER_S));
}

enum client_verdict clients_enter(struct clients *t, const struct ip_addr *a, uint64_t now_us, struct client **out, bool *tell)
{
	uint64_t tag = tag_of(t, a);
	uint32_t set = (uint32_t)(tag >> 32) & (t->sets - 1);
	enum client_verdict v = CLIENT_OK;

	*out = NULL;
	*tell = false;
	lock(t, set);
	struct client *c = entry_find(t, set, tag);
	if (c == NULL)
		v = CLIENT_FULL;
	else if (t->lim.connections > 0 && held(t, c) >= t->lim.connections)
		v = CLIENT_OVER;
	if (v == CLIENT_OK) {
		count(t, c, 1);
		*out = c;
	} else {
		*tell = worth_telling(t, c, now_us);
	}
	unlock(t, set);
	return v;
}

void clients_leave(struct clients *t, struct client *c)
{
	if (c == NULL)
		return;
	uint32_t set = (uint32_t)((size_t)(c - t->mem->entries) / WAYS);
	lock(t, set);
	count(t, c, -1);
	c->left_s = (uint32_t)(io_now_us() / US_PER_S);
	unlock(t, set);
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
