/* SPDX-License-Identifier: Apache-2.0 */
/** One member of a pool: connecting to it, whether it is up, and how many connections it bears. */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "pools/pool_priv.h"

#define WARN_EVERY_US 1000000
#define BACKOFF_SHIFT_MAX 3 /* fail_timeout doubles up to 8 times itself */

/* --- health ------------------------------------------------------------------------------------------------------------ */

static void member_failed(struct pool_member *m, int err, uint64_t now_us)
{
	unsigned shift = m->fails < BACKOFF_SHIFT_MAX ? m->fails : BACKOFF_SHIFT_MAX;
	uint64_t wait_ms = (uint64_t)m->pool->conf->fail_timeout_ms << shift;

	m->pool->failures++;
	if (m->state == POOL_MEMBER_FAILING)
		return; /* one of several attempts that were under way together */
	if (m->fails++ == 0)
		log_err("pool=%s member=%s is down: %s; used again as soon as it answers", m->pool->conf->name,
			m->conf->addr.text, strerrordesc_np(err));
	m->state = POOL_MEMBER_FAILING;
	m->retry_us = now_us + wait_ms * 1000 + 1; /* not now, even with a fail_timeout of 0 */
}

static void member_up(struct pool_member *m, uint64_t now_us)
{
	m->up_us = now_us;
	if (m->fails > 0)
		log_notice("pool=%s member=%s is up again", m->pool->conf->name, m->conf->addr.text);
	m->fails = 0;
	m->state = POOL_MEMBER_UP;
}

/* --- connecting -------------------------------------------------------------------------------------------------------- */

void pool_conn_close(struct pool_conn *c)
{
	pool_member_known(c);
	c->member->open--;
	c->member->closed_us = io_now_us();
	io_close(&c->lease.fd);
	free(c);
}

static struct pool_conn *conn_new(struct pool_member *m, int fd, uint64_t now_us)
{
	struct pool_conn *c = calloc(1, sizeof(*c));

	if (c == NULL)
		return NULL;
	c->member = m;
	c->lease.fd = fd;
	c->lease.backend = &m->pool->backend;
	c->lease.peer = m->conf->addr.text;
	c->opened_us = c->since_us = now_us;
	c->state = POOL_CONN_CONNECTING;
	m->open++;
	m->pool->connects++;
	return c;
}

/* The result of a connect under way: 0, an errno, or EINPROGRESS. A loopback handshake is over before connect()
 * returns, though it says otherwise; asked a second time it tells the truth. */
static int connect_result(int fd, const struct conf_addr *a)
{
	if (connect(fd, &a->u.sa, a->len) == 0 || errno == EISCONN)
		return 0;
	return errno == EALREADY || errno == EINTR ? EINPROGRESS : errno;
}

/* We are the side that closes, so we would be the side with a TIME_WAIT for each: a few seconds of a busy pool and no
 * port is left. A reset instead of FIN costs nothing here: what we close has either nothing in flight, or is given up. */
static int set_tcp(int fd)
{
	const struct linger reset = {.l_onoff = 1, .l_linger = 0};
	int one = 1;

	if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one)) == -1)
		return -1;
	return setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
}

static int start_connect(const struct conf_addr *a, int *out)
{
	int err = 0;
	int fd = socket(a->u.sa.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	*out = fd;
	if (fd == -1 || (a->u.sa.sa_family != AF_UNIX && set_tcp(fd) == -1))
		return errno;
	if (a->u.sa.sa_family == AF_UNIX)
		io_no_descriptors(fd);
	if (connect(fd, &a->u.sa, a->len) == -1)
		err = errno == EINTR ? EINPROGRESS : errno;
	return err == EINPROGRESS ? connect_result(fd, a) : err;
}

/* Reasons that say nothing against the member: its backlog is full, or we are short of something ourselves
 * (EADDRNOTAVAIL: of ports). */
static bool is_busy(int err)
{
	return err == EAGAIN || err == EADDRNOTAVAIL || err == EMFILE || err == ENFILE || err == ENOMEM || err == ENOBUFS;
}

enum pool_connect pool_member_connect(struct pool_member *m, uint64_t now_us, struct pool_conn **out)
{
	struct pool *p = m->pool;
	struct pool_conn *c = NULL;
	int fd, err = start_connect(&m->conf->addr, &fd);

	*out = NULL;
	m->tried_us = now_us;
	if (m->state == POOL_MEMBER_FAILING)
		m->state = POOL_MEMBER_PROBING; /* until the outcome is known */
	if (err == 0 || err == EINPROGRESS) {
		c = conn_new(m, fd, now_us);
		if (c == NULL)
			err = ENOMEM;
	}
	if (c == NULL) {
		io_close(&fd);
		if (is_busy(err)) {
			m->busy_until_us = now_us + POOL_BUSY_US;
			/* A backlog that is full is proof of life, and so is nothing else here. */
			if (err == EAGAIN) {
				member_up(m, now_us);
				return POOL_CONNECT_BUSY;
			}
			if (m->state == POOL_MEMBER_PROBING)
				m->state = POOL_MEMBER_FAILING;
			if (now_us >= m->warned_us + WARN_EVERY_US) {
				m->warned_us = now_us;
				log_warn("pool=%s member=%s cannot be connected to: %s", p->conf->name, m->conf->addr.text,
					strerrordesc_np(err));
			}
			return POOL_CONNECT_BUSY;
		}
		member_failed(m, err, now_us);
		return POOL_CONNECT_FAILED;
	}
	if (err == EINPROGRESS) {
		TAILQ_INSERT_TAIL(&p->connecting, c, link);
		m->connecting++;
		c->probe = m->state != POOL_MEMBER_UP;
		if (!c->probe)
			p->connecting_n++;
		return POOL_CONNECT_PENDING;
	}
	member_up(m, now_us);
	*out = c;
	return POOL_CONNECT_DONE;
}

void pool_member_connected(struct pool_conn *c, int err, uint64_t now_us)
{
	struct pool_member *m = c->member;

	TAILQ_REMOVE(&m->pool->connecting, c, link);
	m->connecting--;
	if (!c->probe)
		m->pool->connecting_n--;
	if (err == 0) {
		member_up(m, now_us);
		return;
	}
	member_failed(m, err, now_us);
	pool_conn_close(c);
}

/* --- how many ---------------------------------------------------------------------------------------------------------- */

void pool_member_known(struct pool_conn *c)
{
	if (!c->in_fresh)
		return;
	TAILQ_REMOVE(&c->member->fresh, c, fresh_link);
	c->member->fresh_n--;
	c->in_fresh = false;
}

/* Whether the server has taken the connection; *@unread_us: for how long its request lies there unread. */
static bool is_accepted(struct pool_conn *c, uint64_t now_us, uint64_t *unread_us)
{
	int left = 0;

	*unread_us = 0;
	switch (atomic_load_explicit(&c->lease.progress, memory_order_acquire)) {
	case LEASE_ANSWERED:
		return true;
	case LEASE_GRANTED:
		return false;
	default:
		break;
	}
	if (c->lease.mark && ioctl(c->lease.fd, SIOCOUTQ, &left) == 0 &&
		left <= atomic_load_explicit(&c->lease.unread, memory_order_relaxed))
		return true;
	*unread_us = now_us - c->since_us;
	return false;
}

static void probe_failed(struct pool_member *m, uint64_t now_us)
{
	m->probe_wait_us *= 2;
	if (m->probe_wait_us < POOL_PROBE_MIN_US)
		m->probe_wait_us = POOL_PROBE_MIN_US;
	if (m->probe_wait_us > POOL_PROBE_MAX_US)
		m->probe_wait_us = POOL_PROBE_MAX_US;
	m->probe = 0;
	m->probe_us = now_us + m->probe_wait_us;
}

static void learn(struct pool_member *m, const struct pool_conn *oldest, bool ending, uint64_t now_us)
{
	unsigned accepted = m->open - m->fresh_n - m->connecting;

	if (m->conf->addr.u.sa.sa_family != AF_UNIX)
		return; /* over TCP nobody can tell */
	if (m->unread) {
		/* Between the end of one connection and the accept of the next a child belongs to nobody and would not
		 * be counted: so the first look is taken just before an end, and later ones long after the last. */
		uint64_t since_us = oldest->since_us > m->closed_us ? oldest->since_us : m->closed_us;
		if (m->learned == 0 ? ending : accepted < m->learned && now_us >= since_us + POOL_SHRINK_US)
			m->learned = accepted > 0 ? accepted : 1;
		if (m->probe > 0 || m->probe_us == 0)
			probe_failed(m, now_us);
	} else if (m->learned > 0 && accepted > m->learned) {
		m->learned = accepted;
		m->probe_wait_us = 0;
		m->probe = m->probe == 0 ? 1 : 2 * m->probe;
		if (m->probe > POOL_PROBE_BURST_MAX)
			m->probe = POOL_PROBE_BURST_MAX;
	}
}

void pool_member_check(struct pool_member *m, bool ending, uint64_t now_us)
{
	uint64_t unread_us = 0;
	struct pool_conn *c;

	/* The backlog is first in, first out: behind one that was not accepted nobody was. */
	while ((c = TAILQ_FIRST(&m->fresh)) != NULL && is_accepted(c, now_us, &unread_us))
		pool_member_known(c);
	m->unread = c != NULL && unread_us >= POOL_UNREAD_US;
	learn(m, c, ending, now_us);
}

bool pool_member_has_room(struct pool_member *m, uint64_t now_us)
{
	if (now_us < m->busy_until_us)
		return false;
	if (m->conf->max_connections > 0 && m->open >= m->conf->max_connections)
		return false;
	if (m->state != POOL_MEMBER_UP || m->learned == 0)
		return true;
	if (m->probe == 0 && now_us >= m->probe_us)
		m->probe = 1;
	return m->open < m->learned + m->probe;
}
