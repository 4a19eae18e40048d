/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/ipc_chan.h"
#include "sandbox/sb_enter.h"
#include "sandbox/sb_layer.h"
#include "sandbox/spec.h"

/* --- spec ------------------------------------------------------------------------------------------------------------ */

static const gid_t groups[] = {33, 4, 4000000000U};
static const struct spec_ini inis[] = {
	{"memory_limit", "64M", false},
	{"open_basedir", "/srv/shop:/tmp", true},
	{"error_prepend_string", "a\\b\nc\td=e", false},
	{"empty", "", true},
};
static const char *const trees[] = {"/usr/share/wordpress", "/srv/one\nodd\\file.php"};
static const char *const allowed_calls[] = {"execve", "vfork"}, *const denied_calls[] = {"connect"};
static const struct spec full = {.site = "shop.example.org", .docroot = "/srv/shop\tweird", .user = "shop", .drop = true,
	.uid = 1001, .gid = 4294967294U, .groups_n = 3, .groups = groups, .profile = "php", .isolation = "shared",
	.cells_cgroup = "/sys/fs/cgroup/a\tb/z1", .max_requests = 4294967295U, .limit_nofile = -1, .ini_n = 4, .ini = inis, .trees_n = 2, .trees = trees,
	.calls = {.allow_n = 2, .allow = allowed_calls, .deny_n = 1, .deny = denied_calls}};

START_TEST(spec_round_trip)
{
	struct buf out;
	struct arena a;
	struct spec s;
	const char *why;

	buf_init(&out);
	arena_init(&a);
	ck_assert_int_eq(spec_encode(&full, &out), 0);
	ck_assert_int_eq(spec_decode((const char *)buf_head(&out), buf_unread(&out), &a, &s, &why), 0);
	ck_assert_str_eq(s.site, full.site);
	ck_assert_str_eq(s.docroot, full.docroot);
	ck_assert_str_eq(s.user, full.user);
	ck_assert(s.drop && s.uid == full.uid && s.gid == full.gid);
	ck_assert_uint_eq(s.groups_n, 3);
	ck_assert_mem_eq(s.groups, groups, sizeof(groups));
	ck_assert_str_eq(s.profile, "php");
	ck_assert_str_eq(s.isolation, "shared");
	ck_assert_int_eq(spec_level_find(s.isolation), SPEC_SHARED);
	ck_assert_int_eq(spec_level_find("sharing"), -1);
	ck_assert_uint_eq(s.max_requests, full.max_requests);
	ck_assert_int_eq(s.limit_nofile, -1);
	ck_assert_uint_eq(s.ini_n, 4);
	for (size_t i = 0; i < 4; i++) {
		ck_assert_str_eq(s.ini[i].value, inis[i].value);
		ck_assert_int_eq(s.ini[i].admin, inis[i].admin);
	}
	ck_assert_uint_eq(s.calls.allow_n, 2);
	ck_assert_str_eq(s.calls.allow[0], "execve");
	ck_assert_str_eq(s.calls.allow[1], "vfork");
	ck_assert_uint_eq(s.calls.deny_n, 1);
	ck_assert_str_eq(s.calls.deny[0], "connect");
	ck_assert_str_eq(s.cells_cgroup, "/sys/fs/cgroup/a\tb/z1");
	ck_assert_uint_eq(s.trees_n, 2);
	for (size_t i = 0; i < 2; i++)
		ck_assert_str_eq(s.trees[i], trees[i]);
	/* Entries of one kind keep their order; a name never holds "=". */
	ck_assert_str_eq(s.ini[2].name, "error_prepend_string");
	arena_fini(&a);
	buf_fini(&out);
}
END_TEST

#define SPEC_BASE "site\ts\ndocroot\t/d\nuser\tu\nprofile\tphp\nmax_requests\t0\nlimit_nofile\t-1\n"
#define SPEC_IDS "drop\t1\nuid\t7\ngid\t7\n"
#define SPEC_GOOD SPEC_BASE SPEC_IDS "isolation\tfresh\n"

static const struct {
	const char *text;
	int want;
} spec_cases[] = {
	{SPEC_GOOD, 0},
	{SPEC_BASE "isolation\tshared\ndrop\t0\nuid\t0\ngid\t0\n", 0},
	{SPEC_GOOD "group\t0\nini\ta=b\nadmin_ini\tc=\n", 0},
	{SPEC_BASE SPEC_IDS, GW_ERR_PROTO},                                        /* no isolation */
	{SPEC_BASE SPEC_IDS "isolation\trollback\n", 0},
	{SPEC_BASE SPEC_IDS "isolation\trollbacks\n", GW_ERR_PROTO},
	{SPEC_BASE "isolation\tfresh\ndrop\t1\nuid\t0\ngid\t7\n", GW_ERR_PROTO},     /* root */
	{SPEC_BASE "isolation\tfresh\ndrop\t1\nuid\t7\ngid\t0\n", GW_ERR_PROTO},
	{SPEC_BASE "isolation\tfresh\ndrop\t1\nuid\t4294967295\ngid\t7\n", GW_ERR_PROTO},
	{SPEC_BASE "isolation\tfresh\ndrop\t2\nuid\t7\ngid\t7\n", GW_ERR_PROTO},
	{SPEC_GOOD "uid\t8\n", GW_ERR_PROTO},                                        /* twice */
	{SPEC_GOOD "surprise\t8\n", GW_ERR_PROTO},
	{SPEC_GOOD "group\t-1\n", GW_ERR_PROTO},
	{SPEC_GOOD "group\t\n", GW_ERR_PROTO},
	{SPEC_GOOD "allow\texecve\ndeny\tbind\nallow\tvfork\n", 0},
	{SPEC_GOOD "allow\t\n", GW_ERR_PROTO},
	{SPEC_GOOD "deny\tno name\n", GW_ERR_PROTO},
	{SPEC_GOOD "tree\t/x\ntree\t/\n", 0},
	{SPEC_GOOD "cells_cgroup\t/x\n", 0},
	{SPEC_GOOD "cells_cgroup\tx\n", GW_ERR_PROTO},
	{SPEC_GOOD "cells_cgroup\t\n", GW_ERR_PROTO},
	{SPEC_GOOD "cells_cgroup\t/x\ncells_cgroup\t/y\n", GW_ERR_PROTO},
	{SPEC_GOOD "tree\tx\n", GW_ERR_PROTO},
	{SPEC_GOOD "tree\t\n", GW_ERR_PROTO},
	{SPEC_GOOD "ini\tno equals\n", GW_ERR_PROTO},
	{SPEC_GOOD "ini\t=x\n", GW_ERR_PROTO},
	{SPEC_GOOD "ini\ta=\\q\n", GW_ERR_PROTO},
	{SPEC_GOOD "ini\ta=\\0\n", GW_ERR_PROTO},
	{SPEC_GOOD "ini\ta=\\", GW_ERR_PROTO},
	{SPEC_GOOD "ini a=b\n", GW_ERR_PROTO},
	{SPEC_GOOD "\n", GW_ERR_PROTO},
	{"", GW_ERR_PROTO},
};

START_TEST(spec_case)
{
	struct arena a;
	struct spec s;
	const char *why = NULL;

	arena_init(&a);
	int err = spec_decode(spec_cases[_i].text, strlen(spec_cases[_i].text), &a, &s, &why);
	ck_assert_int_eq(err, spec_cases[_i].want);
	ck_assert(err == 0 || why != NULL);
	arena_fini(&a);
}
END_TEST

/* --- layers, paths, ports -------------------------------------------------------------------------------------------- */

START_TEST(layers_round_trip)
{
	char text[128];
	unsigned back;

	for (unsigned layers = 0; layers <= SB_LAYERS_ALL; layers++) {
		sb_layers_text(layers, text, sizeof(text));
		ck_assert(sb_layers_parse(text, &back) && back == layers);
	}
	ck_assert(!sb_layers_parse("mount,mount", &back) && !sb_layers_parse("mounts", &back) && !sb_layers_parse("pid,", &back));
	ck_assert(!sb_layers_parse(",pid", &back));
}
END_TEST

START_TEST(spec_view_round_trip)
{
	static const struct spec_path paths[] = {{"/srv/a", SPEC_PATH_RO}, {"/srv/b\n", SPEC_PATH_RW}, {"/c", SPEC_PATH_AUTO_LIB}};
	static const uint16_t ports[] = {0, 443, 65535};
	struct spec in = full, s;
	struct buf out;
	struct arena a;
	const char *why;

	in.layers = SB_LAYER_MOUNT | SB_LAYER_NET;
	in.network = "loopback";
	in.tmp_size = 1 << 20;
	in.paths_n = 3;
	in.paths = paths;
	in.connect = (struct spec_ports){.n = 3, .v = ports};
	in.bind = (struct spec_ports){.any = true};
	buf_init(&out);
	arena_init(&a);
	ck_assert_int_eq(spec_encode(&in, &out), 0);
	ck_assert_int_eq(spec_decode((const char *)buf_head(&out), buf_unread(&out), &a, &s, &why), 0);
	ck_assert_uint_eq(s.layers, in.layers);
	ck_assert_str_eq(s.network, "loopback");
	ck_assert_int_eq(s.tmp_size, 1 << 20);
	ck_assert_uint_eq(s.paths_n, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(s.paths[i].path, paths[i].path);
		ck_assert_int_eq(s.paths[i].kind, paths[i].kind);
		ck_assert_uint_eq(s.connect.v[i], ports[i]);
	}
	ck_assert(!s.connect.any && s.bind.any && s.bind.n == 0);
	/* A network of its own is a layer: neither goes without the other. */
	in.layers = SB_LAYER_MOUNT;
	buf_consume(&out, buf_unread(&out));
	ck_assert_int_eq(spec_encode(&in, &out), 0);
	ck_assert_int_eq(spec_decode((const char *)buf_head(&out), buf_unread(&out), &a, &s, &why), GW_ERR_PROTO);
	arena_fini(&a);
	buf_fini(&out);
}
END_TEST

START_TEST(spec_too_long)
{
	struct buf out;
	struct spec s = full;
	char *big = malloc(SPEC_MAX + 1);

	ck_assert_ptr_nonnull(big);
	memset(big, 'x', SPEC_MAX);
	big[SPEC_MAX] = '\0';
	s.docroot = big;
	buf_init(&out);
	ck_assert_int_eq(spec_encode(&s, &out), GW_ERR_RANGE);
	buf_fini(&out);
	free(big);
}
END_TEST

/* --- messages -------------------------------------------------------------------------------------------------------- */

static const struct {
	unsigned type;
	enum ipc_role from, to;
	size_t fds_n;
} types[] = {
	{IPC_TICKET_KEY, IPC_MASTER, IPC_FRONT, 0}, {IPC_DRAIN, IPC_MASTER, IPC_FRONT, 0}, {IPC_SITE_UP, IPC_MASTER, IPC_FRONT, 1},
	{IPC_SITE_DOWN, IPC_MASTER, IPC_FRONT, 0}, {IPC_SITE_WANT, IPC_FRONT, IPC_MASTER, 0},
	{IPC_SITE_KILL, IPC_FRONT, IPC_MASTER, 0}, {IPC_FRONT_READY, IPC_FRONT, IPC_MASTER, 0},
	{IPC_FRONT_DRAINS, IPC_FRONT, IPC_MASTER, 0},
	{IPC_CELL_WANT, IPC_FRONT, IPC_ZYGOTE, 0}, {IPC_CELL_KILL, IPC_FRONT, IPC_ZYGOTE, 0},
	{IPC_ZYGOTE_READY, IPC_ZYGOTE, IPC_FRONT, 1}, {IPC_CELL_UP, IPC_ZYGOTE, IPC_FRONT, 1},
	{IPC_CELL_FAIL, IPC_ZYGOTE, IPC_FRONT, 0}, {IPC_CELL_GONE, IPC_ZYGOTE, IPC_FRONT, 0},
	{IPC_MAIL_SITE, IPC_MASTER, IPC_MAIL, 1}, {IPC_ZYGOTE_SPEC, IPC_MASTER, IPC_ZYGOTE, 1},
	{IPC_ZYGOTE_MAIL, IPC_MASTER, IPC_ZYGOTE, 1},
	{IPC_LEARNED, IPC_ZYGOTE, IPC_FRONT, 0}, {IPC_FRONT_LOG, IPC_MASTER, IPC_FRONT, 1},
	{IPC_FRONT_LOGGED, IPC_FRONT, IPC_MASTER, 0},
	{IPC_LOG_FD, IPC_MASTER, IPC_LOGGER, 1}, {IPC_LOG_NONE, IPC_MASTER, IPC_LOGGER, 0},
	{IPC_LOG_REOPEN, IPC_MASTER, IPC_LOGGER, 0}, {IPC_LOG_GONE, IPC_MASTER, IPC_LOGGER, 0},
	{IPC_LOG_END, IPC_MASTER, IPC_LOGGER, 0}, {IPC_LOG_WANT, IPC_LOGGER, IPC_MASTER, 0},
};

START_TEST(ipc_type)
{
	struct ipc_msg m, got;
	uint8_t out[IPC_HEAD_LEN + IPC_BODY_MAX];

	ipc_fill(&m, types[_i].type, 0xfffefdfc, "why");
	m.fds_n = types[_i].fds_n;
	ssize_t n = ipc_encode(&m, out);
	ck_assert_int_eq(n, IPC_HEAD_LEN + 3);
	ck_assert_int_eq(ipc_decode(out, (size_t)n, types[_i].fds_n, &got), 0);
	ck_assert_uint_eq(got.type, types[_i].type);
	ck_assert_uint_eq(got.id, 0xfffefdfc);
	ck_assert_uint_eq(got.body_len, 3);
	ck_assert_mem_eq(got.body, "why", 3);
	/* Any other number of descriptors, any cut, any addition. */
	for (size_t fds = 0; fds < 4; fds++)
		if (fds != types[_i].fds_n)
			ck_assert_int_eq(ipc_decode(out, (size_t)n, fds, &got), GW_ERR_PROTO);
	for (size_t len = 0; len < (size_t)n; len++)
		ck_assert_int_eq(ipc_decode(out, len, types[_i].fds_n, &got), GW_ERR_PROTO);
	out[n] = 0;
	ck_assert_int_eq(ipc_decode(out, (size_t)n + 1, types[_i].fds_n, &got), GW_ERR_PROTO);
	m.fds_n++;
	ck_assert_int_eq(ipc_encode(&m, out), GW_ERR_RANGE);
	for (int from = 0; from < IPC_ROLES; from++)
		for (int to = 0; to < IPC_ROLES; to++)
			ck_assert_int_eq(ipc_allowed((enum ipc_role)from, (enum ipc_role)to, types[_i].type),
				from == (int)types[_i].from && to == (int)types[_i].to);
}
END_TEST

START_TEST(ipc_bad_head)
{
	struct ipc_msg m, got;
	uint8_t out[IPC_HEAD_LEN + IPC_BODY_MAX];

	ipc_fill(&m, IPC_CELL_WANT, 1, NULL);
	ck_assert_int_eq(ipc_encode(&m, out), IPC_HEAD_LEN);
	for (size_t i = 0; i < 8; i++) { /* every octet but the id's counts */
		uint8_t saved = out[i];
		out[i] ^= 0x40;
		ck_assert_int_eq(ipc_decode(out, IPC_HEAD_LEN, 0, &got), GW_ERR_PROTO);
		out[i] = saved;
	}
	ck_assert(!ipc_allowed(IPC_FRONT, IPC_ZYGOTE, 0x99));
	m.type = 0x99;
	ck_assert_int_eq(ipc_encode(&m, out), GW_ERR_RANGE);
	m.type = IPC_CELL_WANT;
	m.body_len = IPC_BODY_MAX + 1;
	ck_assert_int_eq(ipc_encode(&m, out), GW_ERR_RANGE);
}
END_TEST

START_TEST(ipc_gone)
{
	struct ipc_cell_gone g = {.how = 2, .asked = 1, .code = -31, .syscall = -1, .args = {1, UINT64_MAX, 0x1234567890abcdef, 0, 5, 6}}, got;
	struct ipc_msg m;

	ipc_fill(&m, IPC_CELL_GONE, 5, NULL);
	ipc_put_cell_gone(&m, &g);
	ck_assert_int_eq(ipc_get_cell_gone(&m, &got), 0);
	ck_assert(got.how == 2 && got.asked == 1 && got.code == -31 && got.syscall == -1);
	ck_assert_mem_eq(got.args, g.args, sizeof(g.args));
	m.body[0] = 3;
	ck_assert_int_eq(ipc_get_cell_gone(&m, &got), GW_ERR_PROTO);
	m.body[0] = 0;
	m.body_len--;
	ck_assert_int_eq(ipc_get_cell_gone(&m, &got), GW_ERR_PROTO);
}
END_TEST

START_TEST(ipc_text_is_cut)
{
	char text[IPC_BODY_MAX * 2];
	struct ipc_msg m;

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	ipc_fill(&m, IPC_CELL_FAIL, 1, text);
	ck_assert_uint_eq(m.body_len, IPC_BODY_MAX);
}
END_TEST

static int open_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}

START_TEST(chan_passes_descriptors)
{
	int ends[2], before = open_fds();
	struct ipc_msg m, got;

	ck_assert_int_eq(ipc_pair(ends), 0);
	ipc_fill(&m, IPC_CELL_UP, 3, NULL);
	m.fds_n = 1;
	m.fds[0] = open("/dev/null", O_RDWR);
	ck_assert_int_eq(ipc_send(ends[0], &m), 0);
	ck_assert_int_eq(ipc_recv(ends[1], IPC_ZYGOTE, IPC_FRONT, &got), 0);
	ck_assert_uint_eq(got.fds_n, 1);
	ck_assert_int_eq(fcntl(got.fds[0], F_GETFD), FD_CLOEXEC);
	io_close(&got.fds[0]);

	/* Sent by the wrong role: refused, and the descriptor does not linger. */
	ck_assert_int_eq(ipc_send(ends[0], &m), 0);
	ck_assert_int_eq(ipc_recv(ends[1], IPC_FRONT, IPC_ZYGOTE, &got), GW_ERR_PROTO);
	ck_assert_int_eq(io_nonblock(ends[1], 1), 0);
	ck_assert_int_eq(ipc_recv(ends[1], IPC_ZYGOTE, IPC_FRONT, &got), GW_ERR_AGAIN);
	io_close(&ends[0]);
	ck_assert_int_eq(ipc_recv(ends[1], IPC_ZYGOTE, IPC_FRONT, &got), GW_ERR_CLOSED);
	ck_assert_int_eq(ipc_send(ends[1], &m), GW_ERR_CLOSED);
	io_close(&m.fds[0]);
	io_close(&ends[1]);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

/* More descriptors than any message has, and junk: nothing is left open. */
START_TEST(chan_refuses_junk)
{
	int ends[2], before = open_fds(), fds[8];
	struct ipc_msg got;
	char junk[IPC_HEAD_LEN + IPC_BODY_MAX + 1] = {0};
	struct iovec iov = {.iov_base = junk, .iov_len = sizeof(junk)};
	union {
		struct cmsghdr align;
		char space[CMSG_SPACE(sizeof(fds))];
	} ctl = {.space = {0}};
	struct msghdr mh = {.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &ctl, .msg_controllen = sizeof(ctl)};

	ck_assert_int_eq(ipc_pair(ends), 0);
	ck_assert_int_eq((int)send(ends[0], junk, sizeof(junk), 0), (int)sizeof(junk)); /* one octet too long */
	ck_assert_int_eq(ipc_recv(ends[1], IPC_MASTER, IPC_FRONT, &got), GW_ERR_PROTO);
	for (size_t i = 0; i < 8; i++)
		fds[i] = ends[0];
	struct cmsghdr *c = CMSG_FIRSTHDR(&mh);
	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(fds));
	memcpy(CMSG_DATA(c), fds, sizeof(fds));
	iov.iov_len = IPC_HEAD_LEN;
	ck_assert_int_eq((int)sendmsg(ends[0], &mh, 0), IPC_HEAD_LEN);
	ck_assert_int_eq(ipc_recv(ends[1], IPC_MASTER, IPC_FRONT, &got), GW_ERR_PROTO);
	io_close(&ends[0]);
	io_close(&ends[1]);
	ck_assert_int_eq(open_fds(), before);
}
END_TEST

/* --- entry ------------------------------------------------------------------------------------------------------------- */

/* Exit status of a child that ran @fn. */
static int in_child(int (*fn)(pid_t parent))
{
	int status;
	pid_t parent = getpid(), pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		_exit(fn(parent));
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1000 + WTERMSIG(status);
}

static const gid_t one_group[] = {65533};

static struct spec plan(bool drop)
{
	struct spec s = full;

	s.drop = drop;
	s.cells_cgroup = NULL;
	s.uid = 65534;
	s.gid = 65534;
	s.groups_n = 1;
	s.groups = one_group;
	s.limit_nofile = 100;
	return s;
}

static int enter_and_look(pid_t parent)
{
	struct spec s = plan(geteuid() == 0);
	struct sb_entry e;
	struct rlimit rl;
	uid_t before = getuid();
	int spare = dup(0), death = 0;
	gid_t got[4];

	signal(SIGUSR1, SIG_IGN);
	if (sb_enter(&s, parent, -1, 2, &e) != 0)
		return 1;
	if (getuid() != (s.drop ? 65534 : before) || e.dropped != s.drop)
		return 2;
	if (s.drop && (getgroups(4, got) != 1 || got[0] != 65533 || setuid(0) == 0 || setgid(0) == 0))
		return 3;
	cap_t now = cap_get_proc(), none = cap_init();
	if (cap_compare(now, none) != 0 || (s.drop && cap_get_bound(CAP_SETUID) != 0))
		return 4;
	cap_free(now);
	cap_free(none);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0)
		return 5;
	if (prctl(PR_GET_PDEATHSIG, &death, 0, 0, 0) == -1 || death != SIGKILL)
		return 6;
	if (fcntl(spare, F_GETFD) != -1 || getsid(0) != getpid())
		return 7;
	if (getrlimit(RLIMIT_NOFILE, &rl) == -1 || rl.rlim_max != 100 || getrlimit(RLIMIT_CORE, &rl) == -1 || rl.rlim_max != 0)
		return 8;
	struct sigaction sa;
	if (sigaction(SIGUSR1, NULL, &sa) == -1 || sa.sa_handler != SIG_DFL)
		return 9;
	return 0;
}

START_TEST(enter_locks)
{
	ck_assert_int_eq(in_child(enter_and_look), 0);
}
END_TEST

/* The plan does not say who we are: nothing is entered. */
static int enter_wrong_plan(pid_t parent)
{
	struct spec s = plan(geteuid() != 0);
	struct sb_entry e;

	return sb_enter(&s, parent, -1, 2, &e) == GW_ERR_DENIED ? 0 : 1;
}

/* The parent is not the one that started us. */
static int enter_orphaned(pid_t parent)
{
	struct spec s = plan(geteuid() == 0);
	struct sb_entry e;

	return sb_enter(&s, parent + 1, -1, 2, &e) == GW_ERR_CLOSED ? 0 : 1;
}

/* Cells that were to have cgroups do not run without. */
static int enter_no_cgroup(pid_t parent)
{
	struct spec s = plan(geteuid() == 0);
	struct sb_entry e;

	s.cells_cgroup = "/nowhere/at/all";
	return sb_enter(&s, parent, -1, 2, &e) == GW_ERR_SYS && strcmp(e.step, "cgroups of cells") == 0 ? 0 : 1;
}

START_TEST(enter_fails_closed)
{
	ck_assert_int_eq(in_child(enter_no_cgroup), 0);
	ck_assert_int_eq(in_child(enter_wrong_plan), 0);
	ck_assert_int_eq(in_child(enter_orphaned), 0);
}
END_TEST

static Suite *sandbox_suite(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("spec");
	tcase_add_test(t, spec_round_trip);
	tcase_add_loop_test(t, spec_case, 0, (int)(sizeof(spec_cases) / sizeof(spec_cases[0])));
	tcase_add_test(t, layers_round_trip);
	tcase_add_test(t, spec_view_round_trip);
	tcase_add_test(t, spec_too_long);
	suite_add_tcase(s, t);
	t = tcase_create("ipc");
	tcase_add_loop_test(t, ipc_type, 0, (int)(sizeof(types) / sizeof(types[0])));
	tcase_add_test(t, ipc_bad_head);
	tcase_add_test(t, ipc_gone);
	tcase_add_test(t, ipc_text_is_cut);
	tcase_add_test(t, chan_passes_descriptors);
	tcase_add_test(t, chan_refuses_junk);
	suite_add_tcase(s, t);
	t = tcase_create("enter");
	tcase_add_test(t, enter_locks);
	tcase_add_test(t, enter_fails_closed);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(sandbox_suite)
