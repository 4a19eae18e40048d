/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/listen.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/base/log.h"

#define BACKLOG 4096

static bool same_addr(const struct conf_addr *a, const struct conf_addr *b)
{
	if (a->u.sa.sa_family != b->u.sa.sa_family)
		return false;
	/* The kernel counts the NUL at the end of a path, or does not. */
	if (a->u.sa.sa_family == AF_UNIX)
		return strncmp(a->u.un.sun_path, b->u.un.sun_path, sizeof(a->u.un.sun_path)) == 0;
	return a->len == b->len && memcmp(&a->u, &b->u, a->len) == 0;
}

static struct listen_socket *find_addr(const struct listen_stock *st, const struct conf_addr *addr)
{
	for (size_t i = 0; i < st->n; i++)
		if (same_addr(&st->v[i].addr, addr))
			return &st->v[i];
	return NULL;
}

static struct listen_socket *find_fd(const struct listen_stock *st, int fd)
{
	for (size_t i = 0; i < st->n; i++)
		if (st->v[i].fd == fd)
			return &st->v[i];
	return NULL;
}

static struct listen_socket *add_socket(struct listen_stock *st, int fd, const struct conf_addr *addr)
{
	struct listen_socket *v = realloc(st->v, (st->n + 1) * sizeof(*v));

	if (v == NULL)
		return NULL;
	st->v = v;
	v[st->n] = (struct listen_socket){.fd = fd, .addr = *addr};
	v[st->n].addr.text = NULL; /* outlives the configuration */
	return &v[st->n++];
}

/* A socket file left by a server that is gone: nobody accepts on it. */
static void unlink_stale(const struct conf_addr *a)
{
	struct stat st;
	int fd;

	if (lstat(a->u.un.sun_path, &st) == -1 || !S_ISSOCK(st.st_mode))
		return;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0); /* a full backlog is somebody alive */
	if (fd == -1)
		return;
	if (connect(fd, &a->u.sa, a->len) == -1 && errno == ECONNREFUSED)
		unlink(a->u.un.sun_path);
	io_close(&fd);
}

static int set_int(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value));
}

/* Whether [::] must leave IPv4 alone, because the same port is listened to there as well. */
static bool v6_only(const struct conf *c, const struct conf_addr *a)
{
	const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)&a->u.ss;

	if (!IN6_IS_ADDR_UNSPECIFIED(&v6->sin6_addr))
		return true;
	for (size_t i = 0; i < c->listen_n; i++) {
		const struct sockaddr_in *v4 = (const struct sockaddr_in *)&c->listen[i].u.ss;
		if (v4->sin_family == AF_INET && v4->sin_port == v6->sin6_port)
			return true;
	}
	return false;
}

static int open_one(const struct conf *c, const struct conf_addr *a)
{
	int family = a->u.sa.sa_family;
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd == -1)
		return -1;
	if (family == AF_UNIX) {
		unlink_stale(a);
	} else {
		/* Accepted sockets inherit TCP_NODELAY: our writes are whole answers already. */
		if (set_int(fd, SOL_SOCKET, SO_REUSEADDR, 1) == -1 || set_int(fd, IPPROTO_TCP, TCP_NODELAY, 1) == -1 ||
		    (family == AF_INET6 && set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, v6_only(c, a)) == -1)) {
			io_close(&fd);
			return -1;
		}
	}
	/* Who may connect is the directory's business. */
	if (bind(fd, &a->u.sa, a->len) == -1 || listen(fd, BACKLOG) == -1 ||
	    (family == AF_UNIX && chmod(a->u.un.sun_path, 0666) == -1)) {
		io_close(&fd);
		return -1;
	}
	return fd;
}

int listen_adopt(struct listen_stock *st, int fd)
{
	struct conf_addr addr = {.len = sizeof(addr.u)};
	int listening = 0;
	socklen_t len = sizeof(listening);

	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &len) == -1 || !listening ||
	    getsockname(fd, &addr.u.sa, &addr.len) == -1)
		return GW_ERR_PROTO;
	st->shared = true;
	return add_socket(st, fd, &addr) != NULL ? GW_OK : GW_ERR_NOMEM;
}

/* One that listens at @a; it may be one that has stopped to. NULL with errno set. */
static struct listen_socket *take(const struct conf *c, const struct conf_addr *a, struct listen_stock *st)
{
	struct listen_socket *s = find_addr(st, a);

	if (s == NULL) {
		int fd = open_one(c, a);
		if (fd == -1)
			return NULL;
		s = add_socket(st, fd, a);
		if (s == NULL) {
			close(fd);
			errno = ENOMEM;
			return NULL;
		}
	} else if (s->quiet) {
		if (listen(s->fd, BACKLOG) == -1)
			return NULL;
		s->quiet = false;
	}
	s->users++;
	s->serving++;
	return s;
}

int listen_open(struct listen_set *out, const struct conf *c, struct listen_stock *st)
{
	struct listen_set s = {.n = 0, .fds = calloc(c->listen_n + 1, sizeof(int))};
	int err = s.fds == NULL ? GW_ERR_NOMEM : GW_OK;

	for (size_t i = 0; i < c->listen_n && err == GW_OK; i++) {
		const struct listen_socket *k = take(c, &c->listen[i], st);
		if (k == NULL) {
			log_line(log_server(), LOG_LV_CRIT, NULL, "cannot listen on %s: %s%s", c->listen[i].text, strerror(errno),
				errno == EADDRINUSE ? ": another server is running there" :
				errno == EACCES && c->listen[i].u.sa.sa_family != AF_UNIX ? ": ports below 1024 need root" : "");
			err = GW_ERR_SYS;
			break;
		}
		s.fds[s.n++] = k->fd;
	}
	if (err == GW_OK)
		*out = s;
	else
		listen_close(&s, st);
	return err;
}

/* tcp(7): a listening socket that is shut down for reading listens no more, keeps its port, and can listen again. */
void listen_retire(struct listen_set *s, struct listen_stock *st)
{
	for (size_t i = 0; i < s->n && !s->retired; i++) {
		struct listen_socket *k = find_fd(st, s->fds[i]);
		if (k != NULL && --k->serving == 0 && !st->shared && k->addr.u.sa.sa_family != AF_UNIX)
			k->quiet = shutdown(k->fd, SHUT_RD) == 0;
	}
	s->retired = true;
}

void listen_trim(struct listen_stock *st)
{
	size_t kept = 0;

	for (size_t i = 0; i < st->n; i++) {
		if (st->v[i].users > 0) {
			st->v[kept++] = st->v[i];
			continue;
		}
		if (!st->shared)
			shutdown(st->v[i].fd, SHUT_RD); /* an old front or master may hold it for long */
		close(st->v[i].fd);
	}
	st->n = kept;
	if (kept == 0) {
		free(st->v);
		st->v = NULL;
	}
}

void listen_close(struct listen_set *s, struct listen_stock *st)
{
	listen_retire(s, st);
	for (size_t i = 0; i < s->n; i++) {
		struct listen_socket *k = find_fd(st, s->fds[i]);
		if (k != NULL)
			k->users--;
	}
	free(s->fds);
	*s = (struct listen_set){.retired = true};
	listen_trim(st);
}
