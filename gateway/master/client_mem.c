/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/client_mem.h"

#include <string.h>
#include <sys/resource.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"

static void make(struct client_mem *m)
{
	struct rlimit files = {0, 0};

	getrlimit(RLIMIT_NOFILE, &files);
	io_close(&m->fd);
	m->fd = clients_mem_new((size_t)files.rlim_cur / 4 * 3);
	m->serial++;
	memset(m->users, 0, sizeof(m->users));
	if (m->fd == -1)
		log_warn("no memory that outlives a front: what LimitClient... counts begins anew with a reload: %m");
}

void client_mem_init(struct client_mem *m)
{
	*m = (struct client_mem){.fd = -1};
	make(m);
}

void client_mem_fini(struct client_mem *m)
{
	io_close(&m->fd);
}

struct client_slot client_mem_take(struct client_mem *m)
{
	struct client_slot s = {.serial = m->serial, .taken = true};

	for (unsigned i = 1; i < CLIENTS_SLOTS; i++)
		if (m->users[i] < m->users[s.slot])
			s.slot = i;
	m->users[s.slot]++;
	return s;
}

void client_mem_give(struct client_mem *m, struct client_slot *s, bool badly)
{
	bool taken = s->taken && s->serial == m->serial;

	s->taken = false;
	if (!taken)
		return;
	m->users[s->slot]--;
	/* Also after a regular end: a count that went wrong is right again then. */
	if (m->users[s->slot] == 0 && m->fd != -1 && clients_mem_forget(m->fd, s->slot) < 0)
		badly = true;
	if (badly)
		make(m);
}
