/* SPDX-License-Identifier: Apache-2.0 */
/* What a front can still do once it is locked: each try in a process of its own, a denied one beside an allowed one. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conf/conf.h"
#include "gateway/front_lock.h"
#include "gateway/front_paths.h"
#include "tests/unit/unit.h"

static char base[64], path[256];
static int listener = -1;
static unsigned short port;

static const char *at(const char *name)
{
	snprintf(path, sizeof(path), "%s/%s", base, name);
	return path;
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(at(name), "we");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	fclose(f);
}

static void tree(void)
{
	static const char *const dirs[] = {"site", "site/www", "alias", "granted", "denied", "named", "elsewhere", "spool", "rel", "rel/one", "rel/two"};
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(in);
	char text[2048];

	snprintf(base, sizeof(base), "/tmp/bh-lock-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(base));
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		ck_assert_int_eq(mkdir(at(dirs[i]), 0755), 0);
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
		snprintf(text, sizeof(text), "%s/f", dirs[i]);
		put(text, "x");
	}
	put("alias.txt", "x");
	snprintf(text, sizeof(text), "%s", at("rel/one"));
	ck_assert_int_eq(symlink(text, at("rel/current")), 0);
	listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert(bind(listener, (struct sockaddr *)&in, sizeof(in)) == 0 && listen(listener, 4) == 0 &&
		getsockname(listener, (struct sockaddr *)&in, &len) == 0);
	port = ntohs(in.sin_port);
	snprintf(text, sizeof(text), "Listen 127.0.0.1:1\nUser nobody\nGroup nogroup\nFrontPath %s/named\n<FastCGIPool p>\nServer 127.0.0.1:%u\n</FastCGIPool>\n"
		"<Directory />\nRequire all denied\n</Directory>\n<Directory %s/granted>\nRequire all granted\n</Directory>\n"
		"<Directory %s/denied>\nRequire all denied\n</Directory>\n<VirtualHost *:1>\nServerName a.test\nDocumentRoot %s/site/www\nAlias /a %s/alias/f\n"
		"</VirtualHost>\n<VirtualHost *:1>\nServerName b.test\nDocumentRoot %s/rel/current\n</VirtualHost>\n", base, port, base, base, base, base, base);
	put("conf", text);
}

static void untree(void)
{
	char cmd[128];

	snprintf(cmd, sizeof(cmd), "rm -rf %s", base);
	ck_assert_int_eq(system(cmd), 0);
	close(listener);
}

/* --- what is tried --------------------------------------------------------------------------------------------------------- */

enum what { READ, WRITE, LIST, TMPFILE, SWAPPED, CONNECT, CONNECT_OTHER, UNIX_SOCKET, EXEC, FORK, THREAD_FORK, PACKET, MPTCP, DGRAM, EXEC_MEMORY,
	PLAIN_MEMORY, KILL_PARENT, STTY, PTRACE, UNSHARE, NO_DUMP, FASTOPEN, CHMOD, MKDIR, OUTQ, SCHEDULE, SCHEDULE_PARENT,
	POLICY_OF_PARENT };

static int as_errno(long ret)
{
	return ret == -1 ? errno : 0;
}

static int connect_to(unsigned short to)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(to)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd == -1 ? 255 : as_errno(connect(fd, (struct sockaddr *)&in, sizeof(in)));
}

static int policy_of(const char *name)
{
	static const struct {
		const char *name;
		int policy;
	} all[] = {{"other", SCHED_OTHER}, {"batch", SCHED_BATCH}, {"idle", SCHED_IDLE}, {"fifo", SCHED_FIFO},
		{"batch, not inherited", SCHED_BATCH | 0x40000000 /* SCHED_RESET_ON_FORK */}};

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		if (strcmp(all[i].name, name) == 0)
			return all[i].policy;
	return -1;
}

static int try_it(enum what what, const char *arg)
{
	switch (what) {
	case READ:
		return as_errno(open(at(arg), O_RDONLY | O_CLOEXEC));
	case WRITE:
		return as_errno(open(at(arg), O_WRONLY | O_CLOEXEC));
	case LIST:
		return as_errno(open(at(arg), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	case TMPFILE:
		return as_errno(open(at(arg), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600));
	case SWAPPED:
		return as_errno(open(at("rel/current/f"), O_RDONLY | O_CLOEXEC));
	case CONNECT:
		return connect_to(port);
	case CONNECT_OTHER:
		return connect_to(9);
	case UNIX_SOCKET:
		return as_errno(socket(AF_UNIX, SOCK_STREAM, 0));
	case PACKET:
		return as_errno(socket(AF_PACKET, SOCK_RAW, 0));
	case MPTCP:
		return as_errno(socket(AF_INET, SOCK_STREAM, 262));
	case DGRAM:
		return as_errno(socket(AF_INET, SOCK_DGRAM, 0));
	case EXEC:
		return as_errno(execl("/bin/true", "true", (char *)NULL));
	case FORK:
		return as_errno(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
	case THREAD_FORK:
		return as_errno(syscall(SYS_clone3, NULL, 0));
	case EXEC_MEMORY:
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
	case PLAIN_MEMORY:
		return mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? errno : 0;
	case KILL_PARENT:
		return as_errno(syscall(SYS_tgkill, getppid(), getppid(), 0));
	case STTY:
		return as_errno(ioctl(0, TIOCSTI, "x"));
	case PTRACE:
		return as_errno(syscall(SYS_ptrace, 0, 0, 0, 0));
	case UNSHARE:
		return as_errno(syscall(SYS_unshare, 0));
	case NO_DUMP:
		return as_errno(prctl(PR_SET_DUMPABLE, 1));
	case FASTOPEN:
		return as_errno(sendto(listener, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, NULL, 0));
	case CHMOD:
		return as_errno(chmod(at(arg), 0777));
	case MKDIR:
		return as_errno(mkdir(at(arg), 0777));
	case OUTQ:
		return as_errno(openat(AT_FDCWD, at(arg), O_PATH | O_CLOEXEC));
	case POLICY_OF_PARENT:
		return as_errno(sched_getscheduler(getppid()));
	case SCHEDULE:
	case SCHEDULE_PARENT:
		return as_errno(sched_setscheduler(what == SCHEDULE ? 0 : getppid(), policy_of(arg), &(struct sched_param){.sched_priority = *arg == 'f'}));
	}
	return 254;
}

static const struct {
	const char *name;
	enum what what;
	const char *arg;
	int want; /* errno, or minus the signal that ends it */
	int abi;  /* Landlock's, that it takes */
} tries[] = {
	{"a document root's file", READ, "site/www/f", 0, 0},
	{"beside the root: it may be replaced", READ, "site/f", 0, 0},
	{"an alias", READ, "alias/f", 0, 0},
	{"granted by <Directory>", READ, "granted/f", 0, 0},
	{"named by FrontPath", READ, "named/f", 0, 0},
	{"denied by <Directory>", READ, "denied/f", EACCES, 1},
	{"nobody's", READ, "elsewhere/f", EACCES, 1},
	{"the configuration", READ, "conf", EACCES, 1},
	{"the system's", READ, "../../etc/passwd", EACCES, 1},
	{"a root that is a link", READ, "rel/current/f", 0, 0},
	{"a root that is a link, now to elsewhere", SWAPPED, "", 0, 0},
	{"a root's list", LIST, "site/www", 0, 0},
	{"another list", LIST, "elsewhere", EACCES, 1},
	{"by path only", OUTQ, "elsewhere/f", 0, 0},
	{"writing what is served", WRITE, "site/www/f", EACCES, 1},
	{"spooling", TMPFILE, "spool", 0, 0},
	{"spooling elsewhere", TMPFILE, "site/www", EACCES, 1},
	{"a pool", CONNECT, "", 0, 0},
	{"another port", CONNECT_OTHER, "", EACCES, 4},
	{"a unix socket", UNIX_SOCKET, "", 0, 0},
	{"a packet socket", PACKET, "", EPERM, 0},
	{"MPTCP", MPTCP, "", EPERM, 0},
	{"UDP", DGRAM, "", EPERM, 0},
	{"connecting by sending", FASTOPEN, "", EPERM, 0},
	{"execve", EXEC, "", -SIGSYS, 0},
	{"fork", FORK, "", -SIGSYS, 0},
	{"clone3", THREAD_FORK, "", -SIGSYS, 0},
	{"ptrace", PTRACE, "", -SIGSYS, 0},
	{"unshare", UNSHARE, "", -SIGSYS, 0},
	{"memory with code", EXEC_MEMORY, "", EPERM, 0},
	{"memory", PLAIN_MEMORY, "", 0, 0},
	{"signalling the master", KILL_PARENT, "", EPERM, 0},
	{"TIOCSTI", STTY, "", EPERM, 0},
	{"dumpable", NO_DUMP, "", EPERM, 0},
	{"yielding", SCHEDULE, "batch", 0, 0},
	{"as before", SCHEDULE, "other", 0, 0},
	{"idle", SCHEDULE, "idle", EPERM, 0},
	{"before all others", SCHEDULE, "fifo", EPERM, 0},
	{"yielding, but not what is forked", SCHEDULE, "batch, not inherited", EPERM, 0},
	{"another process's policy", SCHEDULE_PARENT, "batch", EPERM, 0},
	{"asking for it", POLICY_OF_PARENT, "", EPERM, 0},
	{"chmod", CHMOD, "site/www/f", EPERM, 0},
	{"mkdir", MKDIR, "site/www/d", EPERM, 0},
};

static struct conf *load(void)
{
	static char file[256];
	struct conf_load_opts o = {.file = file};
	struct conf_diags d;

	snprintf(file, sizeof(file), "%s", at("conf"));
	conf_diags_init(&d);
	struct conf *c = conf_load(&o, &d);
	if (c == NULL)
		conf_diags_print(&d, STDERR_FILENO);
	conf_diags_fini(&d);
	return c;
}

/* Exit status: the errno. */
static _Noreturn void in_front(const struct conf *c, enum what what, const char *arg, bool has_landlock)
{
	char spool[256];

	snprintf(spool, sizeof(spool), "%s", at("spool"));
	int rules = front_paths_build(c, spool);
	if ((rules >= 0) != has_landlock || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		_exit(253);
	front_bound(rules);
	front_filter();
	_exit(try_it(what, arg));
}

START_TEST(front_is_bound)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	int status;

#ifdef BH_SANITIZED
	return; /* the filter is not loaded, see front_filter() */
#endif
	if (abi < tries[_i].abi)
		return;
	tree();
	struct conf *c = load();
	ck_assert_ptr_nonnull(c);
	pid_t pid = fork();
	if (pid == 0) {
		if (tries[_i].what == SWAPPED) {
			char to[256];
			int rules = front_paths_build(c, "/nonexistent");
			snprintf(to, sizeof(to), "%s", at("rel/two"));
			if (rules < 0 || unlink(at("rel/current")) == -1 || symlink(to, at("rel/current")) == -1 ||
			    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 || front_paths_enter(rules) < 0)
				_exit(252);
			_exit(try_it(SWAPPED, ""));
		}
		in_front(c, tries[_i].what, tries[_i].arg, abi >= 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	int got = WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
	ck_assert_msg(got == tries[_i].want, "%s: %d (%s), not %d", tries[_i].name, got, got > 0 ? strerror(got) : "", tries[_i].want);
	conf_free(c);
	untree();
}
END_TEST

static Suite *front_lock_suite(void)
{
	Suite *s = suite_create("front lock");
	TCase *t = tcase_create("bound");

	tcase_add_loop_test(t, front_is_bound, 0, (int)(sizeof(tries) / sizeof(tries[0])));
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(front_lock_suite)
