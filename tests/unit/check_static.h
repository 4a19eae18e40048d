/* SPDX-License-Identifier: Apache-2.0 */
/** The tree of files that the tests of gateway/static work on, made anew for each: root/ and outside/ below a new directory. */
#ifndef CHECK_STATIC_H
#define CHECK_STATIC_H

#include <sys/types.h>

#include "tests/unit/unit.h"

#define COUNT(a) ((int)(sizeof(a) / sizeof(*(a))))
#define ALICE 12345 /* owners that are not root */
#define BOB 12346

extern char top[64];          /* its path */
extern int top_fd, root_fd;   /* the directory, and root/ in it */

/** For tcase_add_checked_fixture(). */
void tree_setup(void);
void tree_teardown(void);

/** Make a file, directory or link; names are below top. Links get their @owner when the test runs as root. */
void put(const char *name, const char *content);
void make_dir(const char *name);
void make_link(const char *target, const char *name, uid_t owner);
void make_absolute_link(const char *below_top, const char *name, uid_t owner);

/** Number of open descriptors: none may be left behind. */
int fds(void);

Suite *suite_script_find(void);

#endif
