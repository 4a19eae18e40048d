/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/client/transport.h"

#include <errno.h>
#include <sys/socket.h>

#include "gateway/client/conn.h"
#include "gateway/client/outq.h"

ssize_t transport_recv(struct conn *c, void *buf, size_t n)
{
	return c->transport == NULL ? recv(c->io.fd, buf, n, 0) : c->transport->recv(c, buf, n);
}

int64_t transport_send(struct conn *c, const void *data, size_t n)
{
	if (c->transport != NULL)
		return c->transport->send(c, data, n);
	return outq_io_result(send(c->io.fd, data, n, MSG_NOSIGNAL));
}

int64_t transport_flush(struct conn *c, struct outq *q)
{
	return c->transport == NULL ? outq_flush(q, c->io.fd) : c->transport->flush(c, q);
}

bool transport_pending(const struct conn *c)
{
	return c->transport != NULL && c->transport->pending(c);
}

void transport_wake(struct conn *c)
{
	c->transport->wake(c);
}

bool transport_peek(struct conn *c)
{
	char probe;

	return transport_pending(c) || recv(c->io.fd, &probe, 1, MSG_DONTWAIT | MSG_PEEK) > 0;
}

void transport_shutdown(struct conn *c)
{
	if (c->transport != NULL)
		c->transport->shutdown(c);
	shutdown(c->io.fd, SHUT_WR);
}

void transport_fini(struct conn *c)
{
	if (c->transport != NULL)
		c->transport->fini(c);
	c->transport = NULL;
}
