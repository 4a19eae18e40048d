/* SPDX-License-Identifier: Apache-2.0 */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/static/script_find.h"
#include "tests/unit/check_static.h"

static int is_php(void *arg, const char *name)
{
	size_t n = strlen(name);

	ck_assert_ptr_eq(arg, &top);
	return n > 4 && strcmp(name + n - 4, ".php") == 0;
}

static const struct {
	const char *path;
	enum script_kind kind;
	size_t len;
	int status;
} script_cases[] = {
	{"/", SCRIPT_DIRECTORY, 1, 0},
	{"/index.php", SCRIPT_FILE, 10, 0},
	{"/index.php/", SCRIPT_FILE, 10, 0},
	{"/index.php/a/b.php", SCRIPT_FILE, 10, 0},
	{"/index.php/a\r\n?b", SCRIPT_FILE, 10, 0},
	{"/index.phpx", SCRIPT_MISSING, 0, 404},
	{"/INDEX.PHP", SCRIPT_MISSING, 0, 404},
	{"/file.txt", SCRIPT_FILE, 9, 0},
	{"/file.txt/", SCRIPT_MISSING, 0, 404},
	{"/file.txt/x.php", SCRIPT_MISSING, 0, 404},
	{"/dir", SCRIPT_DIRECTORY, 4, 0},
	{"/dir/", SCRIPT_DIRECTORY, 5, 0},
	{"/dir/none", SCRIPT_MISSING, 4, 404},
	{"/dir/none/x/y/z", SCRIPT_MISSING, 4, 404},
	{"/dir/deep/none/", SCRIPT_MISSING, 9, 404},
	{"/dir/a.php", SCRIPT_FILE, 10, 0},
	{"/dir/a.php/deep/x", SCRIPT_FILE, 10, 0},
	{"/dir/a.php/1/2/3/4/5/6/7/8/9", SCRIPT_FILE, 10, 0},
	{"/app.php", SCRIPT_DIRECTORY, 8, 0},
	{"/app.php/inner.php", SCRIPT_FILE, 18, 0},
	{"/app.php/inner.php/rest", SCRIPT_FILE, 18, 0},
	{"/app.php/none", SCRIPT_MISSING, 8, 404},
	{"/fifo", SCRIPT_MISSING, 0, 403},
	{"/none/../index.php", SCRIPT_MISSING, 0, 403},
	{"", SCRIPT_MISSING, 0, 404},
	{"index.php", SCRIPT_MISSING, 0, 404},
};

START_TEST(scripts)
{
	const char *path = script_cases[_i].path;
	int before = fds();
	struct script_found f;

	ck_assert_int_eq(file_resolve_script(root_fd, path, FILE_LINKS_NEVER, is_php, &top, &f), script_cases[_i].kind);
	ck_assert_uint_eq(f.len, script_cases[_i].len);
	ck_assert_int_eq(f.status, script_cases[_i].status);
	if (script_cases[_i].kind == SCRIPT_MISSING) {
		ck_assert_int_eq(f.fd, -1);
	} else {
		ck_assert(S_ISDIR(f.st.st_mode) == (script_cases[_i].kind == SCRIPT_DIRECTORY));
		close(f.fd);
	}
	ck_assert_int_eq(fds(), before);
}
END_TEST

START_TEST(script_long_paths)
{
	char path[PATH_MAX + 100];
	struct script_found f;

	/* A name too long for a file is good enough for PATH_INFO. */
	memset(path, 'a', sizeof(path));
	memcpy(path, "/index.php/", 11);
	path[1000] = '\0';
	ck_assert_int_eq(file_resolve_script(root_fd, path, FILE_LINKS_NEVER, is_php, &top, &f), SCRIPT_FILE);
	ck_assert_uint_eq(f.len, 10);
	close(f.fd);
	memcpy(path, "/index.txt/", 11);
	ck_assert_int_eq(file_resolve_script(root_fd, path, FILE_LINKS_NEVER, is_php, &top, &f), SCRIPT_MISSING);
	/* Slashes all the way. */
	for (size_t i = 10; i < 4000; i++)
		path[i] = i % 2 ? 'a' : '/';
	memcpy(path, "/index.php/", 11);
	path[4000] = '\0';
	ck_assert_int_eq(file_resolve_script(root_fd, path, FILE_LINKS_FOLLOW, is_php, &top, &f), SCRIPT_FILE);
	ck_assert_uint_eq(f.len, 10);
	close(f.fd);
	memset(path, '/', sizeof(path));
	path[PATH_MAX - 1] = '\0';
	ck_assert_int_eq(file_resolve_script(root_fd, path, FILE_LINKS_FOLLOW, is_php, &top, &f), SCRIPT_MISSING);
	path[PATH_MAX - 1] = '/';
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(file_resolve_script(root_fd, path, FILE_LINKS_FOLLOW, is_php, &top, &f), SCRIPT_MISSING);
	ck_assert_int_eq(f.status, 414);
}
END_TEST

/* Scripts and directories that only others may read are found; files are not. */
START_TEST(script_unreadable)
{
	struct script_found f;
	int status;

	if (geteuid() != 0)
		return;
	put("root/private.php", "p");
	put("root/private.txt", "p");
	make_dir("root/passage");
	put("root/passage/x.php", "x");
	ck_assert_int_eq(fchmodat(top_fd, "root/private.php", 0600, 0), 0);
	ck_assert_int_eq(fchmodat(top_fd, "root/private.txt", 0600, 0), 0);
	ck_assert_int_eq(fchmodat(top_fd, "root/passage", 0711, 0), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (setuid(ALICE) != 0)
			_exit(2);
		_exit(file_resolve_script(root_fd, "/private.php", FILE_LINKS_FOLLOW, is_php, &top, &f) == SCRIPT_FILE &&
				      f.path_only && f.fd >= 0 &&
				      file_resolve_script(root_fd, "/private.php/i", FILE_LINKS_FOLLOW, is_php, &top, &f) ==
					      SCRIPT_FILE &&
				      f.path_only && f.len == 12 &&
				      file_resolve_script(root_fd, "/private.txt", FILE_LINKS_FOLLOW, is_php, &top, &f) ==
					      SCRIPT_MISSING &&
				      f.status == 403 && f.fd == -1 &&
				      file_resolve_script(root_fd, "/passage/", FILE_LINKS_FOLLOW, is_php, &top, &f) ==
					      SCRIPT_DIRECTORY &&
				      f.path_only &&
				      file_resolve_script(root_fd, "/passage/x.php/y", FILE_LINKS_FOLLOW, is_php, &top, &f) ==
					      SCRIPT_FILE &&
				      !f.path_only
			      ? 0
			      : 1);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}
END_TEST

Suite *suite_script_find(void)
{
	Suite *s = suite_create("script_find");
	TCase *t = tcase_create("scripts");
	tcase_add_checked_fixture(t, tree_setup, tree_teardown);
	tcase_add_loop_test(t, scripts, 0, COUNT(script_cases));
	tcase_add_test(t, script_long_paths);
	tcase_add_test(t, script_unreadable);
	suite_add_tcase(s, t);
	return s;
}
