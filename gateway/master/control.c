/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/master/control.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"

#define CLIENTS_MAX 16
#define TEXT_MAX 4096
#define WAIT_S 180 /* a client's patience: a large configuration and a new front are a matter of seconds */

const char *const control_words[CONTROL_WORDS] = {"graceful", "upgrade", "reopen", "sites"};

/* What a client waits for: not said yet, asked for, being done. */
enum stage { STAGE_NEW, STAGE_ASKED, STAGE_BEGUN };

struct control_client {
	struct control_client *next;
	struct control *control;
	struct loop_io io;
	enum stage stage;
	enum control_word word;
};

/* --- the socket's name --------------------------------------------------------------------------------------------------- */

/* A path may be longer than a unix address: it is reached through a descriptor of its directory, which must stay open. */
static int address_of(const char *pid_file, struct sockaddr_un *a, int *dir)
{
	const char *slash = strrchr(pid_file, '/'), *name = slash == NULL ? pid_file : slash + 1;
	char *path = slash == NULL ? strdup(".") : strndup(pid_file, slash == pid_file ? 1 : (size_t)(slash - pid_file));

	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	*dir = path == NULL ? -1 : open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	free(path);
	if (*dir == -1)
		return GW_ERR_SYS;
	int n = snprintf(a->sun_path, sizeof(a->sun_path), "/proc/self/fd/%d/%s.ctl", *dir, name);
	if (n > 0 && (size_t)n < sizeof(a->sun_path))
		return GW_OK;
	io_close(dir);
	errno = ENAMETOOLONG;
	return GW_ERR_SYS;
}

/* --- the master ------------------------------------------------------------------------------------------------------------ */

static void drop(struct control_client *k)
{
	struct control_client **p = &k->control->clients;

	while (*p != k)
		p = &(*p)->next;
	*p = k->next;
	loop_io_del(k->control->loop, &k->io);
	io_close(&k->io.fd);
	free(k);
}

/* Who does not read its few answers has lost them: nothing is kept for it. */
static void tell(const struct control_client *k, const char *text, size_t n)
{
	if (send(k->io.fd, text, n, MSG_NOSIGNAL | MSG_DONTWAIT) == -1)
		log_debug("whoever asked with -k %s does not listen: %m", control_words[k->word]);
}

static bool is_ours(int fd)
{
	struct ucred who;
	socklen_t len = sizeof(who);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && (who.uid == 0 || who.uid == geteuid());
}

static void on_client(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct control_client *k = container_of(io, struct control_client, io);
	char text[CONTROL_WORD_MAX];

	(void)l;
	(void)ready;
	ssize_t n = recv(io->fd, text, sizeof(text), MSG_DONTWAIT);
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0 || k->stage != STAGE_NEW) {
		drop(k); /* it has gone, or says more than it may */
		return;
	}
	for (int w = 0; w < CONTROL_WORDS; w++) {
		if ((size_t)n != strlen(control_words[w]) || memcmp(text, control_words[w], (size_t)n) != 0)
			continue;
		k->word = (enum control_word)w;
		k->stage = STAGE_ASKED;
		k->control->ask(k->control, k->word);
		return;
	}
	drop(k);
}

static void on_connect(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct control *c = container_of(io, struct control, listener);
	int fd = accept4(io->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	size_t n = 0;

	(void)ready;
	for (const struct control_client *k = c->clients; k != NULL; k = k->next)
		n++;
	struct control_client *k = fd == -1 || n >= CLIENTS_MAX || !is_ours(fd) ? NULL : calloc(1, sizeof(*k));
	if (k == NULL) {
		io_close(&fd);
		return;
	}
	io_no_descriptors(fd);
	*k = (struct control_client){.next = c->clients, .control = c, .io = {.fd = fd, .events = EPOLLIN, .cb = on_client}};
	c->clients = k;
	if (loop_io_add(l, &k->io, 0) < 0)
		drop(k);
}

int control_open(struct control *c, struct loop *l, const char *pid_file)
{
	struct sockaddr_un a;
	int dir, err = GW_ERR_SYS;

	c->loop = l;
	c->listener = (struct loop_io){.fd = -1, .events = EPOLLIN, .cb = on_connect};
	if (address_of(pid_file, &a, &dir) < 0)
		return GW_ERR_SYS;
	c->listener.fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(a.sun_path);
	mode_t old = umask(0177);
	if (c->listener.fd != -1 && bind(c->listener.fd, (struct sockaddr *)&a, sizeof(a)) == 0 && listen(c->listener.fd, CLIENTS_MAX) == 0 &&
	    loop_io_add(l, &c->listener, 0) == 0 && asprintf(&c->path, "%s.ctl", pid_file) != -1)
		err = GW_OK;
	umask(old);
	int saved = errno;
	io_close(&dir);
	if (err < 0)
		io_close(&c->listener.fd);
	errno = saved;
	return err;
}

void control_close(struct control *c, bool remove)
{
	if (c->path == NULL)
		return;
	while (c->clients != NULL)
		drop(c->clients);
	loop_io_del(c->loop, &c->listener);
	io_close(&c->listener.fd);
	if (remove)
		unlink(c->path);
	free(c->path);
	c->path = NULL;
}

void control_begin(struct control *c, enum control_word word)
{
	for (struct control_client *k = c->clients; k != NULL; k = k->next)
		if (k->stage == STAGE_ASKED && k->word == word)
			k->stage = STAGE_BEGUN;
}

void control_be(struct control *c, enum control_word word, enum control_word other)
{
	for (struct control_client *k = c->clients; k != NULL; k = k->next)
		if (k->word == word && k->stage != STAGE_NEW) {
			k->word = other;
			k->stage = STAGE_ASKED;
		}
}

void control_say(struct control *c, enum control_word word, const char *fmt, ...)
{
	char text[TEXT_MAX] = "T";
	va_list ap;

	va_start(ap, fmt);
	int n = vsnprintf(text + 1, sizeof(text) - 1, fmt, ap);
	va_end(ap);
	if (n < 0)
		return;
	size_t len = (size_t)n < sizeof(text) - 1 ? (size_t)n + 1 : sizeof(text) - 1;
	for (struct control_client *k = c->clients; k != NULL; k = k->next)
		if (k->stage == STAGE_BEGUN && k->word == word)
			tell(k, text, len);
}

void control_done(struct control *c, enum control_word word, bool ok)
{
	for (struct control_client *k = c->clients, *next; k != NULL; k = next) {
		next = k->next;
		if (k->stage != STAGE_BEGUN || k->word != word)
			continue;
		tell(k, ok ? "D\0" : "D\1", 2);
		drop(k);
	}
}

/* --- the client ------------------------------------------------------------------------------------------------------------ */

/* What the master quotes may come from a file that a tenant has written: no control octet reaches the terminal. */
static void print_text(const char *text, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char ch = (unsigned char)text[i];
		if ((ch < 0x20 && ch != '\n') || ch == 0x7f)
			fprintf(stderr, "\\x%02x", ch);
		else
			fputc(ch, stderr);
	}
}

static int wait_answer(int fd, const char *word)
{
	char text[TEXT_MAX];

	for (;;) {
		ssize_t n = recv(fd, text, sizeof(text), 0);
		if (n == -1 && errno == EINTR)
			continue;
		if (n > 0 && text[0] == 'T') {
			print_text(text + 1, (size_t)n - 1);
			continue;
		}
		if (n == 2 && text[0] == 'D')
			return text[1] == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
		fprintf(stderr, "bulkhead: the server does not say how %s went%s%s\n", word, n == -1 ? ": " : "; it has ended, or is ending",
			n == -1 ? strerror(errno) : "");
		return EXIT_FAILURE;
	}
}

int control_ask(const char *pid_file, const char *word)
{
	const struct timeval patience = {.tv_sec = WAIT_S};
	struct sockaddr_un a;
	int dir, status = -1;

	if (address_of(pid_file, &a, &dir) < 0)
		return -1;
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	if (fd != -1 && connect(fd, (struct sockaddr *)&a, sizeof(a)) == 0 &&
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)) == 0 &&
	    send(fd, word, strlen(word), MSG_NOSIGNAL) == (ssize_t)strlen(word))
		status = wait_answer(fd, word);
	io_close(&fd);
	io_close(&dir);
	return status;
}
