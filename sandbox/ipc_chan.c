/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/ipc_chan.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/io.h"

/* Room for the descriptors of one message, aligned as cmsg(3) wants. */
union control {
	struct cmsghdr align;
	char space[CMSG_SPACE(IPC_FDS_MAX * sizeof(int))];
};

int ipc_pair(int ends[2])
{
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) == -1 ? GW_ERR_SYS : 0;
}

static void make_room(const int ends[2], int octets)
{
	for (int i = 0; i < 2; i++)
		if (setsockopt(ends[i], SOL_SOCKET, SO_SNDBUFFORCE, &octets, sizeof(octets)) == -1)
			setsockopt(ends[i], SOL_SOCKET, SO_SNDBUF, &octets, sizeof(octets));
}

pid_t ipc_fork(int *chan, int room, pid_t (*forks)(const void *arg), const void *arg)
{
	int ends[2];

	*chan = -1;
	if (ipc_pair(ends) < 0)
		return -1;
	if (room > 0)
		make_room(ends, room);
	pid_t pid = io_nonblock(ends[0], 1) < 0 ? -1 : forks != NULL ? forks(arg) : fork();
	io_close(&ends[pid == 0 ? 0 : 1]);
	if (pid == -1)
		io_close(&ends[0]);
	*chan = ends[pid == 0 ? 1 : 0];
	return pid;
}

int ipc_send(int chan, const struct ipc_msg *m)
{
	uint8_t out[IPC_HEAD_LEN + IPC_BODY_MAX];
	ssize_t len = ipc_encode(m, out);
	if (len < 0)
		return (int)len;

	struct iovec iov = {.iov_base = out, .iov_len = (size_t)len};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1};
	union control ctl;
	if (m->fds_n > 0) {
		memset(&ctl, 0, sizeof(ctl));
		mh.msg_control = &ctl;
		mh.msg_controllen = CMSG_SPACE(m->fds_n * sizeof(int));
		struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(m->fds_n * sizeof(int));
		memcpy(CMSG_DATA(c), m->fds, m->fds_n * sizeof(int));
	}
	for (;;) {
		if (sendmsg(chan, &mh, MSG_NOSIGNAL) != -1)
			return 0;
		if (errno == EAGAIN)
			return GW_ERR_AGAIN;
		if (errno == EPIPE || errno == ECONNRESET)
			return GW_ERR_CLOSED;
		if (errno != EINTR)
			return GW_ERR_SYS;
	}
}

/* Take every descriptor that came along; more than IPC_FDS_MAX do not fit the buffer and the kernel drops them. */
static size_t take_fds(struct msghdr *mh, int *fds)
{
	size_t n = 0;

	for (struct cmsghdr *c = CMSG_FIRSTHDR(mh); c != NULL; c = CMSG_NXTHDR(mh, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		size_t here = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
		for (size_t i = 0; i < here; i++) {
			int fd;
			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(fd));
			if (n < IPC_FDS_MAX)
				fds[n++] = fd;
			else
				io_close(&fd);
		}
	}
	return n;
}

int ipc_recv(int chan, enum ipc_role from, enum ipc_role to, struct ipc_msg *m)
{
	uint8_t in[IPC_HEAD_LEN + IPC_BODY_MAX];
	struct iovec iov = {.iov_base = in, .iov_len = sizeof(in)};
	union control ctl;
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl)};
	ssize_t len;

	do
		len = recvmsg(chan, &mh, MSG_CMSG_CLOEXEC);
	while (len == -1 && errno == EINTR);
	if (len == -1) {
		if (errno == EAGAIN)
			return GW_ERR_AGAIN;
		return errno == ECONNRESET ? GW_ERR_CLOSED : GW_ERR_SYS;
	}

	size_t fds_n = take_fds(&mh, m->fds);
	int err = 0;
	if (len == 0) /* end of file; an empty datagram looks the same and is as final */
		err = GW_ERR_CLOSED;
	else if ((mh.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
		err = GW_ERR_PROTO;
	else
		err = ipc_decode(in, (size_t)len, fds_n, m);
	if (err == 0 && !ipc_allowed(from, to, m->type))
		err = GW_ERR_PROTO;
	if (err != 0) {
		for (size_t i = 0; i < fds_n; i++)
			io_close(&m->fds[i]);
		m->fds_n = 0;
	}
	return err;
}
