/* SPDX-License-Identifier: Apache-2.0 */
/* Opening files beneath a root: by openat2 and by the portable walk, which must give the same verdicts. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "gateway/static/file_open.h"
#include "gateway/static/file_walk.h"
#include "tests/unit/check_static.h"

static void read_all(int fd, char *out, size_t size)
{
	ssize_t n = read(fd, out, size - 1);

	ck_assert_int_ge(n, 0);
	out[n] = '\0';
}

/*
 * Open by file_open() and by the walk alone. @content: what the file holds, "/" for a directory. NULL: refused with
 * @status, and by the walk with one of the errnos that mean it.
 */
static void check_open(const char *rel, enum file_links policy, const char *content, int status)
{
	struct stat st, walked;
	char got[64];
	int before = fds(), fd = file_open(root_fd, rel, policy, &st), by_walk = file_walk(root_fd, rel, policy, false, &walked);

	if (content == NULL) {
		ck_assert_msg(fd == status, "%s: %d", rel, fd);
		ck_assert_msg(by_walk == -1 || status == -403, "%s: the walk opened it", rel);
		if (by_walk != -1) { /* ".." and such are refused before the walk */
			ck_assert_msg(strstr(rel, "..") != NULL || rel[0] == '/', "%s", rel);
			close(by_walk);
		}
		ck_assert_int_eq(fds(), before);
		return;
	}
	ck_assert_msg(fd >= 0, "%s: %d", rel, fd);
	ck_assert_msg(by_walk >= 0, "%s: walk: %s", rel, strerror(errno));
	ck_assert(st.st_ino == walked.st_ino && st.st_dev == walked.st_dev);
	ck_assert(S_ISDIR(st.st_mode) == (strcmp(content, "/") == 0));
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(fcntl(by_walk, F_GETFD), FD_CLOEXEC);
	if (S_ISREG(st.st_mode)) {
		read_all(fd, got, sizeof(got));
		ck_assert_str_eq(got, content);
		read_all(by_walk, got, sizeof(got));
		ck_assert_str_eq(got, content);
	}
	close(fd);
	close(by_walk);
	ck_assert_int_eq(fds(), before);

	fd = file_open_path(root_fd, rel, policy, &walked);
	ck_assert_msg(fd >= 0 && st.st_ino == walked.st_ino, "%s: %d", rel, fd);
	ck_assert_int_ne(fcntl(fd, F_GETFL) & O_PATH, 0);
	close(fd);
}

static const struct {
	const char *rel, *content;
	int status;
} plain_cases[] = {
	{"", "/", 0},
	{"file.txt", "file", 0},
	{"dir", "/", 0},
	{"dir/", "/", 0},
	{"dir/deep/x", "x", 0},
	{"dir//deep/./x", "x", 0},
	{"none", NULL, -404},
	{"dir/none", NULL, -404},
	{"none/x", NULL, -404},
	{"file.txt/", NULL, -404},
	{"file.txt/x", NULL, -404},
	{"FILE.TXT", NULL, -404},
	{"..", NULL, -403},
	{"../outside/secret", NULL, -403},
	{"dir/../file.txt", NULL, -403},
	{"dir/..", NULL, -403},
	{"/etc/passwd", NULL, -403},
	{"..a", NULL, -404},
	{"a..", NULL, -404},
	{"fifo", NULL, -403},
	{"socket", NULL, -403},
};

START_TEST(plain_files)
{
	for (int policy = FILE_LINKS_NEVER; policy <= FILE_LINKS_FOLLOW; policy++)
		check_open(plain_cases[_i].rel, (enum file_links)policy, plain_cases[_i].content, plain_cases[_i].status);
}
END_TEST

START_TEST(long_names)
{
	char name[PATH_MAX + 10];

	memset(name, 'a', sizeof(name));
	name[255] = '\0';
	check_open(name, FILE_LINKS_FOLLOW, NULL, -404);
	name[255] = 'a';
	name[256] = '\0';
	check_open(name, FILE_LINKS_FOLLOW, NULL, -414);
	name[256] = 'a';
	name[sizeof(name) - 1] = '\0';
	check_open(name, FILE_LINKS_FOLLOW, NULL, -414);
}
END_TEST

static const struct {
	const char *target; /* "/..." is below top */
	uid_t owner;        /* of the link; the files are root's but alice's */
	const char *rest;   /* asked for behind the link's name */
	const char *owner_match, *follow; /* what each policy finds; NULL: 403 */
	int status;         /* instead of 403 */
} link_cases[] = {
	/* within the root */
	{"file.txt", 0, "", "file", "file", 0},
	{"file.txt", ALICE, "", NULL, "file", 0},
	{"alice.txt", ALICE, "", "alice's", "alice's", 0},
	{"alice.txt", BOB, "", NULL, "alice's", 0},
	{"alice.txt", 0, "", NULL, "alice's", 0},
	{"dir", 0, "/deep/x", "x", "x", 0},
	{"dir", ALICE, "/deep/x", NULL, "x", 0},
	{"dir/deep/../a.php", 0, "", "a", "a", 0},
	{"dir/deep/../../file.txt", 0, "", "file", "file", 0},
	{"./dir/./deep/..", 0, "/a.php", "a", "a", 0},
	{"file.txt/", 0, "", NULL, NULL, -404},
	{"file.txt/..", 0, "/file.txt", NULL, NULL, -404},
	{"none", 0, "", NULL, NULL, -404},
	{"dir/", 0, "", "/", "/", 0},
	{"dir", 0, "/", "/", "/", 0},
	{"fifo", 0, "", NULL, NULL, 0},
	{"link", 0, "", NULL, NULL, 0}, /* itself */
	/* out of it */
	{"../outside/secret", 0, "", "secret", "secret", 0},
	{"../outside/secret", ALICE, "", NULL, NULL, 0},
	{"../outside/alice", ALICE, "", "alice", "alice", 0},
	{"../outside/alice", BOB, "", NULL, NULL, 0},
	{"../outside/alice", 0, "", NULL, "alice", 0}, /* root made the link: only FOLLOW trusts that */
	{"dir/../../outside/secret", ALICE, "", NULL, NULL, 0},
	{"../root/file.txt", ALICE, "", NULL, NULL, 0}, /* out, even if in again */
	{"../root/alice.txt", ALICE, "", "alice's", "alice's", 0},
	{"..", ALICE, "/outside/secret", NULL, NULL, 0},
	{"..", 0, "/outside/secret", "secret", "secret", 0},
	{"/outside/secret", 0, "", "secret", "secret", 0},
	{"/outside/secret", ALICE, "", NULL, NULL, 0},
	{"/outside/alice", ALICE, "", "alice", "alice", 0},
	{"/outside/alice", BOB, "", NULL, NULL, 0},
	{"/root/alice.txt", ALICE, "", "alice's", "alice's", 0},
	{"/root/file.txt", ALICE, "", NULL, NULL, 0},
	{"/outside", ALICE, "/alice", NULL, NULL, 0}, /* the directory is root's */
	{"/outside", 0, "/alice", "alice", "alice", 0},
	{"/outside/none", 0, "", NULL, NULL, -404},
};

START_TEST(links)
{
	char rel[64];
	const char *target = link_cases[_i].target;
	int status = link_cases[_i].status == 0 ? -403 : link_cases[_i].status;

	/* Only root can give links and files away; for others, all have one owner. */
	if (geteuid() != 0 && (link_cases[_i].owner != 0 || link_cases[_i].owner_match != link_cases[_i].follow))
		return;
	if (*target == '/')
		make_absolute_link(target + 1, "root/link", link_cases[_i].owner);
	else
		make_link(target, "root/link", link_cases[_i].owner);
	snprintf(rel, sizeof(rel), "link%s", link_cases[_i].rest);
	check_open(rel, FILE_LINKS_NEVER, NULL, -403);
	check_open(rel, FILE_LINKS_OWNER, link_cases[_i].owner_match, status);
	check_open(rel, FILE_LINKS_FOLLOW, link_cases[_i].follow, status);
}
END_TEST

START_TEST(link_chains)
{
	char name[32], target[32];

	/* A link of alice's to a link of root's that leads out: hers leads out as well. */
	make_absolute_link("outside/secret", "root/admin", 0);
	make_link("admin", "root/sly", ALICE);
	check_open("admin", FILE_LINKS_FOLLOW, "secret", 0);
	if (geteuid() == 0)
		check_open("sly", FILE_LINKS_FOLLOW, NULL, -403);
	/* And one of root's to one of alice's. */
	make_absolute_link("outside/secret", "root/hers", ALICE);
	make_link("hers", "root/to_hers", 0);
	if (geteuid() == 0)
		check_open("to_hers", FILE_LINKS_FOLLOW, NULL, -403);

	for (int i = 0; i < 45; i++) {
		snprintf(name, sizeof(name), "root/chain%d", i);
		snprintf(target, sizeof(target), i == 0 ? "file.txt" : "chain%d", i - 1);
		make_link(target, name, 0);
	}
	check_open("chain39", FILE_LINKS_FOLLOW, "file", 0);
	check_open("chain40", FILE_LINKS_FOLLOW, NULL, -403);
}
END_TEST

START_TEST(link_to_proc)
{
	make_link("/proc/self/environ", "root/environ", 0);
	make_link("/proc/self/cwd", "root/cwd", 0);
	make_link("/proc/self/fd/0", "root/stdin", 0);
	make_link("/proc", "root/proc", 0);
	make_link("/dev/null", "root/null", 0);
	static const char *const names[] = {"environ", "cwd", "stdin", "proc", "proc/version", "null"};
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		check_open(names[i], FILE_LINKS_FOLLOW, NULL, -403);
		check_open(names[i], FILE_LINKS_OWNER, NULL, -403);
	}
}
END_TEST

/* Whether the directory base/@name is opened by its path, in either way, when links of @trusted are as good as root's. */
static void check_dir(const char *name, uid_t trusted, int err)
{
	char base[PATH_MAX], path[2 * PATH_MAX], self[64];

	snprintf(self, sizeof(self), "/proc/self/fd/%d", top_fd);
	ssize_t n = readlink(self, base, sizeof(base) - 1);
	ck_assert_int_gt(n, 0);
	snprintf(path, sizeof(path), "%.*s/%s", (int)n, base, name);
	for (int i = 0; i < 2; i++) {
		errno = 0;
		int before = fds(), fd = i == 0 ? file_open_dir(path, trusted) : file_walk_dir(path, trusted);
		ck_assert_msg((fd == -1) == (err != 0) && (err == 0 || errno == err), "%s: %d, %s", name, fd, strerror(errno));
		if (fd != -1) {
			ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
			close(fd);
		}
		ck_assert_int_eq(fds(), before);
	}
}

START_TEST(directories)
{
	check_dir("root/dir", 0, 0);
	check_dir("root/dir/", 0, 0);
	check_dir("root/nowhere", 0, ENOENT);
	check_dir("root/file.txt", 0, ENOTDIR);
	make_link("root", "release", 0);
	make_link("/", "machine", 0);
	check_dir("release/dir", 0, 0);
	check_dir("machine", 0, geteuid() == 0 ? 0 : EACCES);
	check_dir("machine", geteuid(), 0);
	make_link("/proc/self/cwd", "cwd", 0);
	check_dir("cwd", geteuid(), EACCES);
	if (geteuid() != 0)
		return;
	/* Not even where the link's text stays near: what is beside a tenant's directory is another's. */
	make_link("root", "alices", ALICE);
	check_dir("alices", 0, EACCES);
	check_dir("alices/dir", 0, EACCES);
	check_dir("alices/dir", ALICE, 0);
	make_dir("hers");
	ck_assert_int_eq(fchownat(top_fd, "hers", ALICE, (gid_t)-1, 0), 0);
	make_link("hers", "current", ALICE);
	check_dir("current", 0, 0);
	make_link("../root", "hers/out", ALICE);
	check_dir("current/out", 0, EACCES);
}
END_TEST

/* A link whose text visits thousands of directories ends in a refusal, soon. */
START_TEST(link_maze)
{
	char text[PATH_MAX] = "", name[32];

	while (strlen(text) + 20 < sizeof(text))
		strcat(text, "dir/deep/../../");
	strcat(text, "file.txt");
	make_link(text, "root/maze", 0);
	check_open("maze", FILE_LINKS_FOLLOW, "file", 0);
	text[0] = '\0';
	while (strlen(text) + 20 < sizeof(text))
		strcat(text, "maze/../");
	for (int i = 0; i < 2; i++) {
		snprintf(name, sizeof(name), "root/maze%d", i);
		make_link(text, name, 0);
	}
	check_open("maze1", FILE_LINKS_FOLLOW, NULL, -404); /* a file has no ".." */
	text[0] = '\0';
	make_link("dir", "root/d", 0);
	while (strlen(text) + 20 < sizeof(text))
		strcat(text, "dir/deep/../deep/../deep/../../");
	make_link(text, "root/m1", 0);
	text[0] = '\0';
	for (int i = 0; i < 35; i++)
		strcat(text, "m1/");
	make_link(text, "root/m2", 0);
	check_open("m2", FILE_LINKS_FOLLOW, NULL, -403);
}
END_TEST

START_TEST(unreadable)
{
	if (geteuid() == 0) {
		pid_t pid = fork();
		if (pid > 0) {
			int status;
			ck_assert_int_eq(waitpid(pid, &status, 0), pid);
			ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
			return;
		}
		put("root/private.php", "p");
		make_dir("root/closed");
		put("root/closed/x", "x");
		make_dir("root/passage");
		put("root/passage/x", "x");
		if (fchmodat(top_fd, "root/private.php", 0600, 0) != 0 || fchmodat(top_fd, "root/closed", 0700, 0) != 0 ||
		    fchmodat(top_fd, "root/passage", 0711, 0) != 0 || setuid(ALICE) != 0)
			_exit(2);
		struct stat st;
		int fd = file_open_path(root_fd, "private.php", FILE_LINKS_NEVER, &st);
		_exit(file_open(root_fd, "private.php", FILE_LINKS_NEVER, &st) == -403 && fd >= 0 && S_ISREG(st.st_mode) &&
				      file_open(root_fd, "closed/x", FILE_LINKS_NEVER, &st) == -403 &&
				      file_open_path(root_fd, "closed/x", FILE_LINKS_NEVER, &st) == -403 &&
				      file_open(root_fd, "passage", FILE_LINKS_NEVER, &st) == -403 &&
				      file_open(root_fd, "passage/x", FILE_LINKS_NEVER, &st) >= 0
			      ? 0
			      : 1);
	}
}
END_TEST

/* Kernels without openat2, and filters that forbid it: the verdicts are the walk's, and the walk needs few calls. */
START_TEST(without_openat2)
{
	static const int errors[] = {ENOSYS, EPERM};
	int needed[] = {SCMP_SYS(openat2), SCMP_SYS(openat), SCMP_SYS(newfstatat), SCMP_SYS(fstat), SCMP_SYS(fstatfs),
		SCMP_SYS(readlinkat), SCMP_SYS(close), SCMP_SYS(exit_group)};

#ifdef BH_SANITIZED
	if (_i == 2) /* a sanitizer makes calls of its own */
		return;
#endif
	make_link("dir/deep/../a.php", "root/link", 0);
	pid_t pid = fork();
	if (pid == 0) {
		scmp_filter_ctx ctx = seccomp_init(_i < 2 ? SCMP_ACT_ALLOW : SCMP_ACT_ERRNO(ENOTSUP));
		int rc = ctx == NULL ? -1 : 0;
		for (size_t i = 0; i < sizeof(needed) / sizeof(*needed) && _i == 2 && rc == 0; i++)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ALLOW, needed[i], 0);
		if (_i < 2 && rc == 0)
			rc = seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)errors[_i]), SCMP_SYS(openat2), 0);
		if (rc != 0 || seccomp_load(ctx) != 0)
			_exit(2);
		struct stat st;
		_exit(file_open(root_fd, "dir/a.php", FILE_LINKS_NEVER, &st) >= 0 &&
				      file_open(root_fd, "link", FILE_LINKS_FOLLOW, &st) >= 0 &&
				      file_open(root_fd, "link", FILE_LINKS_OWNER, &st) >= 0 &&
				      file_open(root_fd, "link", FILE_LINKS_NEVER, &st) == -403 &&
				      file_open(root_fd, "none", FILE_LINKS_NEVER, &st) == -404 &&
				      file_open(root_fd, "fifo", FILE_LINKS_NEVER, &st) == -403 &&
				      file_open(root_fd, "../outside/secret", FILE_LINKS_FOLLOW, &st) == -403
			      ? 0
			      : 1);
	}
	int status;
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "%x", (unsigned)status);
}
END_TEST

/* --- races --------------------------------------------------------------------------------------------------------------- */

static atomic_bool stop;

struct swap {
	const char *a, *b; /* exchanged again and again */
};

static void *swapper(void *arg)
{
	const struct swap *s = arg;

	while (!atomic_load(&stop))
		(void)renameat2(top_fd, s->a, top_fd, s->b, RENAME_EXCHANGE);
	return NULL;
}

/*
 * Open @rel by turns in both ways while @s is swapped, for @ms; the only octets that may ever come are @allowed. Returns
 * how often they came, by the way that gave fewer.
 */
static unsigned race(const struct swap *s, const char *rel, enum file_links policy, const char *allowed, uint64_t ms)
{
	pthread_t thread;
	unsigned opened[2] = {0, 0}, turn = 0;
	int before = fds();

	atomic_store(&stop, false);
	ck_assert_int_eq(pthread_create(&thread, NULL, swapper, (void *)(uintptr_t)s), 0);
	for (uint64_t end = io_now_ms() + ms; io_now_ms() < end;) {
		struct stat st;
		char got[64];
		unsigned by_walk = turn++ & 1;
		int fd = by_walk ? file_walk(root_fd, rel, policy, false, &st) : file_open(root_fd, rel, policy, &st);
		if (fd < 0)
			continue;
		read_all(fd, got, sizeof(got));
		close(fd);
		if (strcmp(got, allowed) != 0) {
			atomic_store(&stop, true);
			ck_abort_msg("%s: read \"%s\"", rel, got);
		}
		opened[by_walk]++;
	}
	atomic_store(&stop, true);
	pthread_join(thread, NULL);
	ck_assert_int_eq(fds(), before);
	return opened[0] < opened[1] ? opened[0] : opened[1];
}

START_TEST(race_file_and_link)
{
	const struct swap s = {"root/target", "root/spare"};

	if (geteuid() != 0)
		return;
	put("root/target", "good");
	make_absolute_link("outside/secret", "root/spare", ALICE);
	ck_assert_uint_gt(race(&s, "target", FILE_LINKS_FOLLOW, "good", 700), 0);
	ck_assert_uint_gt(race(&s, "target", FILE_LINKS_OWNER, "good", 700), 0);
	ck_assert_uint_gt(race(&s, "target", FILE_LINKS_NEVER, "good", 600), 0);
}
END_TEST

START_TEST(race_two_links)
{
	const struct swap s = {"root/target", "root/spare"};

	if (geteuid() != 0)
		return;
	make_absolute_link("outside/alice", "root/target", ALICE);
	make_absolute_link("outside/secret", "root/spare", ALICE);
	ck_assert_uint_gt(race(&s, "target", FILE_LINKS_FOLLOW, "alice", 1000), 0);
	ck_assert_uint_gt(race(&s, "target", FILE_LINKS_OWNER, "alice", 1000), 0);
}
END_TEST

/* The directory that a link climbs from is moved out of the root meanwhile: ".." must not follow it there. */
START_TEST(race_moved_directory)
{
	const struct swap s = {"root/dir/deep", "outside/dir"};

	if (geteuid() != 0)
		return;
	put("root/dir/secret", "inside");
	make_link("dir/deep/../secret", "root/up", ALICE);
	ck_assert_uint_gt(race(&s, "up", FILE_LINKS_FOLLOW, "inside", 2000), 0);
}
END_TEST

static Suite *suite_static(void)
{
	Suite *s = suite_create("static");
	TCase *t = tcase_create("open");

	tcase_add_checked_fixture(t, tree_setup, tree_teardown);
	tcase_add_loop_test(t, plain_files, 0, COUNT(plain_cases));
	tcase_add_test(t, long_names);
	tcase_add_loop_test(t, links, 0, COUNT(link_cases));
	tcase_add_test(t, link_chains);
	tcase_add_test(t, link_to_proc);
	tcase_add_test(t, directories);
	tcase_add_test(t, link_maze);
	tcase_add_test(t, unreadable);
	tcase_add_loop_test(t, without_openat2, 0, 3);
	suite_add_tcase(s, t);
	t = tcase_create("race");
	tcase_add_checked_fixture(t, tree_setup, tree_teardown);
	tcase_set_timeout(t, 30);
	tcase_add_test(t, race_file_and_link);
	tcase_add_test(t, race_two_links);
	tcase_add_test(t, race_moved_directory);
	suite_add_tcase(s, t);
	return s;
}

UNIT_MAIN(suite_static, suite_script_find)
