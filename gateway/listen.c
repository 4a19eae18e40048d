/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/listen.h"

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
	return a->len == b->len && memcmp(&a->u, &b->u, a->len) == 0;
}

static int find_fd(const struct listen_set *s, const struct conf_addr *addr)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (same_addr(&s->addrs[i], addr))
			return s->fds[i];
	return -1;
}

static bool holds_fd(const struct listen_set *s, int fd)
{
	for (size_t i = 0; s != NULL && i < s->n; i++)
		if (s->fds[i] == fd)
			return true;
	return false;
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
	if (bind(fd, &a->u.sa, a->len) == -1 || listen(fd, BACKLOG) == -1) {
		io_close(&fd);
		return -1;
	}
	if (family == AF_UNIX)
		chmod(a->u.un.sun_path, 0666);
	return fd;
}

int listen_open(struct listen_set *out, const struct conf *c, const struct listen_set *old)
{
	struct listen_set s = {.n = 0, .fds = calloc(c->listen_n + 1, sizeof(int)),
		.addrs = calloc(c->listen_n + 1, sizeof(struct conf_addr))};
	int err = s.fds == NULL || s.addrs == NULL ? GW_ERR_NOMEM : GW_OK;

	for (size_t i = 0; i < c->listen_n && err == GW_OK; i++) {
		int fd = find_fd(old, &c->listen[i]);
		if (fd == -1)
			fd = open_one(c, &c->listen[i]);
		if (fd == -1) {
			log_line(log_server(), LOG_LV_CRIT, NULL, "cannot listen on %s: %s%s", c->listen[i].text, strerror(errno),
				errno == EADDRINUSE ? ": another server is running there" :
				errno == EACCES && c->listen[i].u.sa.sa_family != AF_UNIX ? ": ports below 1024 need root" : "");
			err = GW_ERR_SYS;
			break;
		}
		s.fds[s.n] = fd;
		s.addrs[s.n] = c->listen[i];
		s.addrs[s.n++].text = NULL; /* outlives the configuration */
	}
	if (err == GW_OK)
		*out = s;
	else
		listen_close(&s, old);
	return err;
}

void listen_close(struct listen_set *s, const struct listen_set *keep)
{
	for (size_t i = 0; i < s->n; i++)
		if (!holds_fd(keep, s->fds[i]))
			close(s->fds[i]);
	free(s->fds);
	free(s->addrs);
	*s = (struct listen_set){0};
}
