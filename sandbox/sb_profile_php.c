/* SPDX-License-Identifier: Apache-2.0 */
/* What `php` has over `strict`, and what `strict` refuses for it. */
#include <linux/sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/socket.h>

#include "sandbox/sb_parts.h"

static const struct sb_rule php_more[] = {
	ALLOW("bind"), ALLOW("listen"), ALLOW("accept"), ALLOW("accept4"), ALLOW("rseq"), ALLOW("set_robust_list"),
	ALLOW("set_tid_address"), ALLOW("mlock"), ALLOW("munlock"), ALLOW("semget"), ALLOW("semop"),
	ALLOW("semtimedop"), ALLOW("semctl"), ALLOW("shmget"), ALLOW("shmdt"), ALLOW("shmctl"), ALLOW("msgget"),
	ALLOW("msgsnd"), ALLOW("msgrcv"), ALLOW("msgctl"),
	/* Code may be mapped from a file (a character-set or name-service module loaded late), never made writable. */
	{.name = "mmap", WHEN1(BITS(2, PROT_WRITE | PROT_EXEC, PROT_EXEC))},
	{.name = "shmat", WHEN1(WITHOUT(2, SHM_EXEC))},
	/* getaddrinfo(3) asks the kernel for its addresses. */
	{.name = "socket", WHEN3(IS(0, AF_NETLINK), BITS(1, SOCK_TYPE_BITS, SOCK_RAW), IS(2, 0))},
	/* A thread of this process, as libcurl's resolver starts one; neither a process nor a namespace. */
	{.name = "clone", WHEN1(BITS(0, CLONE_THREAD | CLONE_NEW_ANY, CLONE_THREAD))},
};

static const struct sb_rule strict_cell[] = {
	EPERM_("semget"), EPERM_("shmget"), EPERM_("shmat"), EPERM_("msgget"),
	/* A cell gives up new tasks for good (RLIMIT_NPROC) before it loads the delta. */
	{.name = "prlimit64", .where = SB_ZYGOTE, WHEN2(IS(0, 0), IS(1, RLIMIT_NPROC))},
	{.name = "prlimit64", .action = SB_EPERM, .where = SB_DELTA, WHEN1(IS_NOT_LONG(2, 0))},
};

const struct sb_part sb_part_php = PART(php_more), sb_part_strict_cell = PART(strict_cell);
