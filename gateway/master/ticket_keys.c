/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/ticket_keys.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"

#define RETRY_MS 60000

static int add(struct ticket_keys *t, bool tell)
{
	struct ticket_key k;

	if (ticket_key_new(&k) < 0)
		return GW_ERR_SYS;
	ticket_ring_add(t->mem.mem, &k);
	if (tell)
		t->changed(t, &k);
	explicit_bzero(&k, sizeof(k));
	return GW_OK;
}

static void on_renew(struct loop *l, struct loop_timer *timer)
{
	struct ticket_keys *t = container_of(timer, struct ticket_keys, renew);
	int err = add(t, true);

	if (err < 0)
		log_err("no new key for session tickets: the old one stays: %m");
	if (loop_timer_set(l, &t->renew, err < 0 ? RETRY_MS : t->life_ms) < 0)
		log_err("no memory for a timer: the key of session tickets stays as it is");
}

void ticket_keys_init(struct ticket_keys *t, struct loop *l, void (*changed)(struct ticket_keys *t, const struct ticket_key *k))
{
	*t = (struct ticket_keys){.loop = l, .changed = changed, .renew.cb = on_renew};
}

int ticket_keys_start(struct ticket_keys *t, unsigned life_ms)
{
	if (t->mem.mem == NULL) {
		int err = secret_new(&t->mem, sizeof(struct ticket_ring));
		if (err == GW_OK)
			err = add(t, false);
		if (err < 0)
			return err;
	}
	if (loop_timer_armed(&t->renew) && t->life_ms == life_ms)
		return GW_OK;
	t->life_ms = life_ms;
	return loop_timer_set(t->loop, &t->renew, life_ms);
}

int ticket_keys_export(const struct ticket_keys *t)
{
	const struct ticket_ring *r = t->mem.mem;
	uint8_t key[TICKET_KEY_LEN];
	int fd = r == NULL ? -1 : memfd_create("tickets", MFD_CLOEXEC), err = GW_OK;

	/* The oldest first: each becomes the newest when it is read. */
	for (size_t i = fd == -1 ? 0 : r->n; i-- > 0 && err == GW_OK;) {
		ticket_key_encode(&r->v[i], key);
		err = io_write_all(fd, key, sizeof(key));
	}
	explicit_bzero(key, sizeof(key));
	if (err == GW_OK && fd != -1 && lseek(fd, 0, SEEK_SET) == 0)
		return fd;
	io_close(&fd);
	return -1;
}

int ticket_keys_import(struct ticket_keys *t, int fd)
{
	uint8_t octets[TICKET_KEY_LEN];
	struct ticket_key k;
	int err = t->mem.mem != NULL ? GW_OK : secret_new(&t->mem, sizeof(struct ticket_ring));

	for (size_t i = 0; i < TICKET_RING_KEYS && err == GW_OK; i++) {
		err = io_read_all(fd, octets, sizeof(octets));
		if (err == GW_OK)
			err = ticket_key_decode(octets, sizeof(octets), &k);
		if (err == GW_OK)
			ticket_ring_add(t->mem.mem, &k);
		else if (err == GW_ERR_CLOSED && i > 0) {
			err = GW_OK;
			break;
		}
	}
	explicit_bzero(octets, sizeof(octets));
	explicit_bzero(&k, sizeof(k));
	if (err < 0)
		secret_free(&t->mem);
	return err;
}

void ticket_keys_fini(struct ticket_keys *t)
{
	if (t->loop != NULL)
		loop_timer_stop(t->loop, &t->renew);
	secret_free(&t->mem);
}

struct ticket_ring *ticket_keys_ring(const struct ticket_keys *t)
{
	return t->mem.mem;
}
