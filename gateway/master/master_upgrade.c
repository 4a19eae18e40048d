/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Another program takes this one's place: the old master goes on serving until the new one says that it does. Trust: the
 * new master is what the administrator installed under the path that this one was started from, run with its rights.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/container.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "gateway/master/master_priv.h"
#include "gateway/master/notify.h"

#define PATIENCE_MS 120000 /* for thousands of virtual hosts on a busy machine */

static void refuse(struct master *m, const char *why)
{
	log_err("upgrade refused: %s", why);
	control_say(&m->control, CONTROL_UPGRADE, "bulkhead: upgrade refused: %s\n", why);
	control_done(&m->control, CONTROL_UPGRADE, false);
}

static void forget(struct master *m)
{
	struct master_upgrade *u = &m->upgrade;

	loop_timer_stop(m->host.loop, &u->patience);
	loop_io_del(m->host.loop, &u->report);
	io_close(&u->report.fd);
	io_close(&u->pidfd);
	u->pid = 0;
	u->why_len = 0;
}

static void kill_new(const struct master *m)
{
	if (m->upgrade.pidfd != -1)
		syscall(SYS_pidfd_send_signal, m->upgrade.pidfd, SIGKILL, NULL, 0);
}

static void fail(struct master *m, const char *how)
{
	struct master_upgrade *u = &m->upgrade;

	u->why[u->why_len] = '\0';
	control_say(&m->control, CONTROL_UPGRADE, "%s", u->why);
	/* Each line was a line of its own; the log escapes what is no text. */
	for (char *save = NULL, *line = strtok_r(u->why, "\n", &save); line != NULL; line = strtok_r(NULL, "\n", &save))
		log_err("the new server says: %s", line);
	forget(m);
	refuse(m, how);
}

/* It serves: what runs here comes to its end. The service manager takes the word of its main process, which we are still. */
static void hand_over(struct master *m)
{
	struct master_upgrade *u = &m->upgrade;
	char text[64];

	log_notice("upgrade: process %d serves; this one ends with its last connection", (int)u->pid);
	snprintf(text, sizeof(text), "MAINPID=%d", (int)u->pid);
	notify_send(text);
	m->handed_over = m->listens.shared = true;
	loop_timer_stop(m->host.loop, &u->patience);
	io_close(&u->pidfd);
	u->pid = 0;
	m->leaving = m->current;
	master_stop_gracefully(m);
}

static void on_report(struct loop *l, struct loop_io *io, uint32_t ready)
{
	struct master *m = container_of(io, struct master, upgrade.report);
	struct master_upgrade *u = &m->upgrade;
	char text[512];

	(void)l;
	(void)ready;
	ssize_t n = read(io->fd, text, sizeof(text));
	if (n == -1 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) { /* after the handing over its end is its own affair */
		loop_io_del(l, io);
		io_close(&io->fd);
		if (u->pid != 0)
			fail(m, "the new server ended before it served");
		return;
	}
	for (ssize_t i = 0; i < n; i++) {
		if (m->handed_over) {
			if (text[i] == TAKEOVER_STOP && !m->stopping_now)
				master_stop_now(m);
		} else if (text[i] == TAKEOVER_SERVES) {
			hand_over(m);
		} else if (u->why_len < sizeof(u->why) - 1) {
			u->why[u->why_len++] = text[i];
		}
	}
}

static void on_patience(struct loop *l, struct loop_timer *t)
{
	struct master *m = container_of(t, struct master, upgrade.patience);

	(void)l;
	kill_new(m);
	fail(m, "the new server does not come up");
}

void master_upgrade(struct master *m)
{
	struct master_upgrade *u = &m->upgrade;

	if (u->pid != 0) {
		/* Who asks meanwhile learns of the same upgrade's end. */
		control_begin(&m->control, CONTROL_UPGRADE);
		return;
	}
	control_begin(&m->control, CONTROL_UPGRADE);
	if (m->stopping || m->next != NULL || m->current == NULL) {
		refuse(m, m->stopping ? "the server is ending" : "a reload is under way");
		return;
	}
	if (getpid() == 1) {
		refuse(m, "the server is process 1 here, and its end would end the container; start a new one instead");
		return;
	}
	log_notice("upgrade asked for: starting %s", m->opts->program);
	u->why_len = 0;
	u->report = (struct loop_io){.fd = -1, .events = EPOLLIN, .cb = on_report};
	u->patience.cb = on_patience;
	int tickets = ticket_keys_export(&m->host.tickets);
	u->pid = takeover_start(m->opts->program, m->opts->argv, &m->listens, tickets, &u->report.fd, &u->pidfd);
	int saved = errno;
	io_close(&tickets);
	errno = saved;
	if (u->pid == -1) {
		u->pid = 0;
		refuse(m, strerror(errno));
		return;
	}
	if (loop_io_add(m->host.loop, &u->report, 0) < 0 || loop_timer_set(m->host.loop, &u->patience, PATIENCE_MS) < 0) {
		kill_new(m);
		fail(m, "out of memory");
	}
}

void master_upgrade_end(struct master *m)
{
	if (m->upgrade.pid != 0) {
		kill_new(m);
		control_done(&m->control, CONTROL_UPGRADE, false);
	}
	forget(m);
}
