/* SPDX-License-Identifier: Apache-2.0 */
/* bulkhead-phpX.Y: becomes one site's zygote. Started by the master with the channel and the spec, by nobody else. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <iconv.h>
#include <limits.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <main/build-defs.h>

#include "gateway/base/arena.h"
#include "gateway/base/io.h"
#include "gateway/base/log.h"
#include "sandbox/ipc_chan.h"
#include "sandbox/php/sapi.h"
#include "sandbox/php/warm.h"
#include "sandbox/php/zygote.h"
#include "sandbox/sb_enter.h"
#include "sandbox/sb_proc.h"
#include "sandbox/sb_sigsys.h"
#include "sandbox/spec.h"

#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static const char by_hand[] = "bulkhead-php" BH_PHP_VERSION ": started by bulkhead, not by hand; see bulkhead(8)\n";

/* Nothing of the surroundings is passed on to scripts; what Debian gives Apache is what they are used to. */
static char *const environment[] = {
	(char[]){"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}, (char[]){"LANG=C"}, NULL};

/* Of a socket that was bound or accepted, somebody can know the name; a pair has none. */
static bool is_nameless(int (*name)(int fd, struct sockaddr *addr, socklen_t *len))
{
	struct sockaddr_un addr;
	socklen_t len = sizeof(addr);

	return name(SPEC_CHAN_FD, (struct sockaddr *)&addr, &len) == 0 && addr.sun_family == AF_UNIX && len == sizeof(sa_family_t);
}

/* What this PHP reads beside what every program does: its settings, where Debian's are linked to, its extensions. */
static const char *system_dirs(void)
{
	static char dirs[2 * PATH_MAX];
	const char *ini = sapi_ini_dir();

	if (ini == NULL)
		return PHP_EXTENSION_DIR;
	/* Not all of it: php-fpm keeps other sites' pools there. */
	snprintf(dirs, sizeof(dirs), "%s/php.ini:%s/conf.d:/etc/php/" BH_PHP_VERSION "/mods-available:" PHP_EXTENSION_DIR, ini, ini);
	return dirs;
}

/* One end of a pair, made by a process of the user that we still are: the master's. It gives the other end to the front. */
static bool has_channel(void)
{
	struct ucred maker;
	socklen_t len = sizeof(maker);
	int type;
	socklen_t type_len = sizeof(type);

	return getsockopt(SPEC_CHAN_FD, SOL_SOCKET, SO_TYPE, &type, &type_len) == 0 && type == SOCK_SEQPACKET &&
	       getsockopt(SPEC_CHAN_FD, SOL_SOCKET, SO_PEERCRED, &maker, &len) == 0 && maker.uid == geteuid() &&
	       is_nameless(getsockname) && is_nameless(getpeername);
}

/* Sealed: nobody who kept a descriptor can change it while we read. */
static bool has_spec(void)
{
	int seals = fcntl(SPEC_SPEC_FD, F_GET_SEALS);

	return seals != -1 && (seals & SEALS) == SEALS;
}

static _Noreturn void fail(const char *what, const char *why, int err)
{
	log_err("%s: %s%s%s", what, why, err == GW_ERR_SYS ? ": " : "", err == GW_ERR_SYS ? strerror(errno) : "");
	exit(EXIT_FAILURE);
}

/* Nobody's zygote yet: load what all of them need, then wait to be told whose it is. */
static void wait_for_spec(void)
{
	struct ipc_msg m;

	log_role("spare");
	prctl(PR_SET_NAME, "bh-spare", 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	warm_libraries(sapi_ini_dir());
	zygote_warm();
	int err = ipc_recv(SPEC_CHAN_FD, IPC_MASTER, IPC_ZYGOTE, &m);
	if (err == GW_ERR_CLOSED)
		exit(EXIT_SUCCESS); /* the master is gone, or needs us no more */
	if (err != 0 || m.type != IPC_ZYGOTE_SPEC)
		fail("spec", "does not come", err);
	if (m.fds[0] != SPEC_SPEC_FD && dup3(m.fds[0], SPEC_SPEC_FD, O_CLOEXEC) == -1)
		fail("spec", "cannot be kept", GW_ERR_SYS);
	if (!has_spec())
		fail("spec", "not sealed", 0);
}

/* What the spec speaks of: the next message, before anything of the front. */
static void wait_for_mail(void)
{
	struct ipc_msg m;
	int err = ipc_recv(SPEC_CHAN_FD, IPC_MASTER, IPC_ZYGOTE, &m);

	if (err != 0 || m.type != IPC_ZYGOTE_MAIL)
		fail("mail", "its channel does not come", err);
	if (m.fds[0] != SPEC_MAIL_FD && dup3(m.fds[0], SPEC_MAIL_FD, O_CLOEXEC) == -1)
		fail("mail", "its channel cannot be kept", GW_ERR_SYS);
}

/* What ps and -S show of us. Never longer than what was there. */
static void set_title(char *argument, const char *site)
{
	size_t room = strlen(argument), len = strlen(site);

	memset(argument, 0, room);
	memcpy(argument, site, len < room ? len : room);
}

static void read_spec(struct arena *a, struct spec *s)
{
	struct stat st;
	const char *why;

	if (fstat(SPEC_SPEC_FD, &st) == -1 || st.st_size <= 0 || st.st_size > SPEC_MAX)
		fail("spec", "unreadable, empty or too long", 0);
	size_t len = (size_t)st.st_size;
	char *text = malloc(len);
	if (text == NULL || lseek(SPEC_SPEC_FD, 0, SEEK_SET) == -1 || io_read_all(SPEC_SPEC_FD, text, len) != 0)
		fail("spec", "cannot be read", GW_ERR_SYS);
	int err = spec_decode(text, len, a, s, &why);
	if (err != 0)
		fail("spec", why, err);
	free(text);
}

/* Open now what the C library opens late, while every cell can still inherit it. */
static void preload(const struct spec *s)
{
	static const char *const charsets[] = {"ISO-8859-1", "WINDOWS-1252", "UTF-16"};

	for (size_t i = 0; i < sizeof(charsets) / sizeof(charsets[0]); i++)
		iconv_open("UTF-8", charsets[i]); /* kept open: the module stays loaded */
	getpwuid(s->uid);
	getgrgid(s->gid);
}

/* libfcgi takes signals for itself; a cell's are PHP's and the script's. */
static void init_fcgi(void)
{
	static const struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL};

	if (FCGX_Init() != 0)
		fail("start", "libfcgi does not start", 0);
	sigaction(SIGPIPE, &ignore, NULL); /* a vanished client is an error of write(2) */
	sigaction(SIGUSR1, &standard, NULL);
	sigaction(SIGTERM, &standard, NULL);
}

/* The last of the descriptors that came with us. */
static int keep_fd(const struct spec *s, int parent_fd)
{
	return parent_fd != -1 ? parent_fd : s->mail_timeout_ms > 0 ? SPEC_MAIL_FD : SPEC_SPEC_FD;
}

int main(int argc, char **argv)
{
	pid_t parent = getppid();
	struct arena arena;
	struct spec spec;
	static struct sb_entry entry;
	const char *why;
	bool spare = fcntl(SPEC_SPEC_FD, F_GETFD) == -1;
	int spec_fd = SPEC_SPEC_FD, parent_fd = fcntl(SPEC_PARENT_FD, F_GETFD) != -1 ? SPEC_PARENT_FD : -1;

	if (!has_channel() || (!spare && !has_spec()) || fcntl(STDOUT_FILENO, F_GETFD) == -1 || fcntl(STDERR_FILENO, F_GETFD) == -1) {
		if (write(STDERR_FILENO, by_hand, sizeof(by_hand) - 1) == -1)
			return EXIT_FAILURE;
		return EXIT_FAILURE;
	}
	environ = (char **)(uintptr_t)environment;
	log_pid_of_machine();
	if (spare)
		wait_for_spec();
	log_role("zygote");
	prctl(PR_SET_NAME, "bh-zygote", 0, 0, 0);
	arena_init(&arena);
	read_spec(&arena, &spec);
	log_server()->site = spec.site;
	if (spec.mail_timeout_ms > 0)
		wait_for_mail();
	if (spare && argc > 1)
		set_title(argv[1], spec.site);

	entry.system_dirs = system_dirs();
	int err = sb_enter(&spec, parent, parent_fd, keep_fd(&spec, parent_fd), &entry);
	if (err != 0)
		fail("sandbox", entry.step, err);
	io_close(&spec_fd);
	io_close(&parent_fd);
	/* The cells' descriptors are those from 0 to PHP's last, without a gap that the zygote's own could fill. */
	if (sb_proc_settle() != 0)
		fail("start", "descriptors", GW_ERR_SYS);
	if (chdir("/") == -1 || io_cloexec(SPEC_CHAN_FD, 1) != 0 || (spec.mail_timeout_ms > 0 && io_cloexec(SPEC_MAIL_FD, 1) != 0))
		fail("start", "working directory", GW_ERR_SYS);
	init_fcgi();
	if (sb_sigsys_install() != 0)
		fail("start", "signal handler", GW_ERR_SYS);
	err = sapi_start(&spec, &why);
	if (err != 0)
		fail("start", why, err);
	preload(&spec);
	err = zygote_run(&spec, &entry, SPEC_CHAN_FD, &why);
	if (err != 0)
		fail("zygote", why, err);
	/* No module shutdown: nothing of PHP's outlives the process, and cells are gone. */
	_exit(EXIT_SUCCESS);
}
