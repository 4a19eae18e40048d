/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "tests/unit/check_static.h"

char top[64];
int top_fd, root_fd;

void put(const char *name, const char *content)
{
	int fd = openat(top_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(io_write_all(fd, content, strlen(content)), 0);
	close(fd);
}

void make_dir(const char *name)
{
	ck_assert_int_eq(mkdirat(top_fd, name, 0755), 0);
}

void make_link(const char *target, const char *name, uid_t owner)
{
	ck_assert_int_eq(symlinkat(target, top_fd, name), 0);
	if (geteuid() == 0)
		ck_assert_int_eq(fchownat(top_fd, name, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW), 0);
}

void make_absolute_link(const char *below_top, const char *name, uid_t owner)
{
	char target[256];

	snprintf(target, sizeof(target), "%s/%s", top, below_top);
	make_link(target, name, owner);
}

static void give(const char *name, uid_t owner)
{
	if (geteuid() == 0)
		ck_assert_int_eq(fchownat(top_fd, name, owner, (gid_t)-1, AT_SYMLINK_NOFOLLOW), 0);
}

static void make_socket(const char *name)
{
	struct sockaddr_un un = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(un.sun_path, sizeof(un.sun_path), "%s/%s", top, name);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&un, sizeof(un)), 0);
	close(fd);
}

void tree_setup(void)
{
	strcpy(top, "/tmp/check_static.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(top));
	ck_assert_int_eq(chmod(top, 0755), 0);
	top_fd = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ne(top_fd, -1);
	make_dir("root");
	make_dir("root/dir");
	make_dir("root/dir/deep");
	make_dir("root/app.php");
	make_dir("outside");
	make_dir("outside/dir");
	put("root/file.txt", "file");
	put("root/index.php", "index");
	put("root/dir/a.php", "a");
	put("root/dir/deep/x", "x");
	put("root/app.php/inner.php", "inner");
	put("outside/secret", "secret");
	put("outside/alice", "alice");
	give("outside/alice", ALICE);
	put("root/alice.txt", "alice's");
	give("root/alice.txt", ALICE);
	ck_assert_int_eq(mkfifoat(top_fd, "root/fifo", 0644), 0);
	make_socket("root/socket");
	root_fd = openat(top_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ne(root_fd, -1);
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

void tree_teardown(void)
{
	close(root_fd);
	close(top_fd);
	ck_assert_int_eq(nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

int fds(void)
{
	int n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return n;
}
