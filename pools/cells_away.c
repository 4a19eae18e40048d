/* SPDX-License-Identifier: Apache-2.0 */
/** Cells that work on behind their answer, after fastcgi_finish_request(), until one octet says that they read again. */
#include <errno.h>
#include <sys/socket.h>

#include "gateway/base/container.h"
#include "pools/cells_priv.h"

static void on_octet(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct cell *c = container_of(io, struct cell, away);
	struct cells *s = c->site;
	uint8_t got[2];

	(void)l;
	(void)ready;
	pthread_mutex_lock(&s->lock);
	ssize_t n = recv(c->lease.fd, got, sizeof(got), MSG_DONTWAIT);
	bool again = n == -1 && (errno == EAGAIN || errno == EINTR);
	if (n == 1 && got[0] == IPC_CELL_READY)
		cells_make_idle(s, c);
	else if (!again)
		cells_close(s, c); /* its end, or octets that nobody asked for */
	cells_settle(s);
	pthread_mutex_unlock(&s->lock);
}

void cells_watch_away(struct cells *s)
{
	struct cell *next;

	for (struct cell *c = TAILQ_FIRST(&s->closing); c != NULL; c = next) {
		next = TAILQ_NEXT(c, link);
		if (c->state != CELL_AWAY || c->away.fd != -1)
			continue;
		c->away = (struct loop_io){.fd = c->lease.fd, .events = EPOLLIN, .cb = on_octet};
		if (loop_io_add(s->loop, &c->away, 0) < 0) {
			c->away.fd = -1;
			cells_close(s, c); /* goes to the end of this list, as one that is closing */
		}
	}
}
