/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/fcgi_stub.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "pools/fcgi_codec.h"

static void must(bool ok, const char *what)
{
	if (!ok) {
		perror(what);
		abort();
	}
}

void stub_record(struct buf *b, unsigned version, unsigned type, unsigned id, const void *content, size_t len, unsigned padding)
{
	const struct fcgi_hdr h = {.type = (uint8_t)type, .id = (uint16_t)id, .content_len = (uint16_t)len,
		.padding_len = (uint8_t)padding};
	uint8_t head[FCGI_CODEC_HEAD_LEN];
	static const uint8_t pad[256];

	fcgi_hdr_encode(head, &h);
	head[0] = (uint8_t)version;
	must(buf_append(b, head, sizeof(head)) == GW_OK, "record");
	must(len == 0 || buf_append(b, content, len) == GW_OK, "record");
	must(padding == 0 || buf_append(b, pad, padding) == GW_OK, "record");
}

void stub_end(struct buf *b, unsigned app_status, unsigned protocol_status)
{
	const uint8_t body[8] = {(uint8_t)(app_status >> 24), (uint8_t)(app_status >> 16), (uint8_t)(app_status >> 8),
		(uint8_t)app_status, (uint8_t)protocol_status};

	stub_record(b, 1, FCGI_T_END_REQUEST, 1, body, sizeof(body), 0);
}

static __thread uint16_t request_id; /* of the request read last */

int stub_read_request(int fd, struct buf *params, struct buf *in, bool *keep)
{
	static __thread uint8_t content[65536 + 256];
	uint8_t head[FCGI_CODEC_HEAD_LEN];
	struct fcgi_hdr h;

	for (bool first = true;; first = false) {
		if (io_read_all(fd, head, sizeof(head)) != GW_OK)
			return 0;
		must(fcgi_hdr_decode(head, sizeof(head), &h) == FCGI_CODEC_HEAD_LEN && h.id != 0, "the client's record");
		must(!first || h.type == FCGI_T_BEGIN_REQUEST, "begins with BEGIN_REQUEST");
		must(first || h.id == request_id, "one request id");
		request_id = h.id;
		size_t n = (size_t)h.content_len + h.padding_len;
		if (n > 0 && io_read_all(fd, content, n) != GW_OK)
			return 0;
		if (h.type == FCGI_T_BEGIN_REQUEST && keep != NULL)
			*keep = (content[2] & 1) != 0;
		struct buf *to = h.type == FCGI_T_PARAMS ? params : h.type == FCGI_T_STDIN ? in : NULL;
		if (to != NULL && h.content_len > 0)
			must(buf_append(to, content, h.content_len) == GW_OK, "request");
		if (h.type == FCGI_T_STDIN && h.content_len == 0)
			return 1;
	}
}

void stub_answer(struct buf *out, const struct buf *answer)
{
	const uint16_t id = request_id;

	buf_reset(out);
	must(buf_append(out, answer->data, answer->len) == GW_OK, "answer");
	for (size_t at = 0; at + FCGI_CODEC_HEAD_LEN <= out->len;) {
		uint8_t *h = out->data + at;
		if (h[2] == 0 && h[3] == 1) {
			h[2] = (uint8_t)(id >> 8);
			h[3] = (uint8_t)id;
		}
		at += FCGI_CODEC_HEAD_LEN + ((size_t)h[4] << 8 | h[5]) + h[6];
	}
}

/* --- a server ---------------------------------------------------------------------------------------------------------- */

static void serve_connection(struct stub *s, int fd, const struct buf *answer)
{
	bool keep = false;
	struct buf out;

	buf_init(&out);
	for (unsigned n = 1; stub_read_request(fd, NULL, NULL, &keep) == 1; n++) {
		if (s->delay_ms > 0)
			usleep(s->delay_ms * 1000);
		atomic_fetch_add(&s->requests, 1);
		stub_answer(&out, answer);
		if (send(fd, out.data, out.len, MSG_NOSIGNAL) == -1 || !keep || n == s->requests_max)
			break;
	}
	buf_fini(&out);
	close(fd);
}

static void *child(void *arg)
{
	struct stub *s = arg;
	struct buf answer;

	buf_init(&answer);
	if (!s->overloaded)
		stub_record(&answer, 1, FCGI_T_STDOUT, 1, "Content-Type: text/plain\r\n\r\nok", 30, 2);
	stub_end(&answer, 0, s->overloaded ? FCGI_PS_OVERLOADED : FCGI_PS_COMPLETE);
	for (;;) {
		int fd = accept(s->listen_fd, NULL, NULL);
		if (fd == -1)
			break;
		atomic_fetch_add(&s->accepted, 1);
		serve_connection(s, fd, &answer);
	}
	buf_fini(&answer);
	return NULL;
}

static void begin(struct stub *s, int backlog)
{
	int one = 1;

	s->listen_fd = socket(s->addr.u.sa.sa_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	must(s->listen_fd != -1, "socket");
	must(setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) == 0, "SO_REUSEADDR");
	must(bind(s->listen_fd, &s->addr.u.sa, s->addr.len) == 0, "bind");
	must(listen(s->listen_fd, backlog) == 0, "listen");
	if (s->addr.u.sa.sa_family == AF_INET) /* the port that it got */
		must(getsockname(s->listen_fd, &s->addr.u.sa, &s->addr.len) == 0, "getsockname");
	pthread_t *t = calloc(s->children + 1, sizeof(*t));
	must(t != NULL, "threads");
	s->threads = t;
	for (unsigned i = 0; i < s->children; i++)
		must(pthread_create(&t[i], NULL, child, s) == 0, "thread");
}

void stub_start(struct stub *s, bool tcp, int backlog)
{
	static atomic_uint serial;

	if (!tcp) {
		snprintf(s->path, sizeof(s->path), "/tmp/bh-stub.%d.%u", (int)getpid(), atomic_fetch_add(&serial, 1));
		s->addr.u.un.sun_family = AF_UNIX;
		memcpy(s->addr.u.un.sun_path, s->path, sizeof(s->path));
		s->addr.len = sizeof(s->addr.u.un);
		snprintf(s->text, sizeof(s->text), "unix:%s", s->path);
		unlink(s->path);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)(void *)&s->addr.u.ss;
		in->sin_family = AF_INET;
		in->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
		s->addr.len = sizeof(*in);
		snprintf(s->text, sizeof(s->text), "127.0.0.1");
	}
	s->addr.text = s->text;
	begin(s, backlog);
}

void stub_restart(struct stub *s)
{
	begin(s, 64);
}

void stub_stop(struct stub *s)
{
	pthread_t *t = s->threads;

	shutdown(s->listen_fd, SHUT_RDWR);
	for (unsigned i = 0; i < s->children; i++)
		pthread_join(t[i], NULL);
	free(t);
	close(s->listen_fd);
	if (s->path[0] != '\0')
		unlink(s->path);
}
