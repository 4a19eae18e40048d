/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Landlock, as every role uses it. Only what this kernel's ABI knows is asked for; see sb_landlock_lacks().
 * Source: landlock(7), Documentation/userspace-api/landlock.rst.
 */
#ifndef SB_LANDLOCK_H
#define SB_LANDLOCK_H

#include <stdint.h>

#include "gateway/base/err.h"

/* Rights as the kernel defines them; the headers of older systems end earlier. */
#define SB_FS_EXECUTE (UINT64_C(1) << 0)
#define SB_FS_WRITE_FILE (UINT64_C(1) << 1)
#define SB_FS_READ_FILE (UINT64_C(1) << 2)
#define SB_FS_READ_DIR (UINT64_C(1) << 3)
#define SB_FS_REMOVE_DIR (UINT64_C(1) << 4)
#define SB_FS_REMOVE_FILE (UINT64_C(1) << 5)
#define SB_FS_MAKE_DIR (UINT64_C(1) << 7)
#define SB_FS_MAKE_REG (UINT64_C(1) << 8)
#define SB_FS_MAKE_SOCK (UINT64_C(1) << 9)
#define SB_FS_MAKE_FIFO (UINT64_C(1) << 10)
#define SB_FS_MAKE_SYM (UINT64_C(1) << 12)
#define SB_FS_REFER (UINT64_C(1) << 13)     /* ABI 2 */
#define SB_FS_TRUNCATE (UINT64_C(1) << 14)  /* ABI 3 */
#define SB_FS_IOCTL_DEV (UINT64_C(1) << 15) /* ABI 5 */
#define SB_FS_ALL UINT64_MAX                /* whatever this kernel knows */
/* Those that mean something of what is no directory. */
#define SB_FS_OF_FILES (SB_FS_EXECUTE | SB_FS_WRITE_FILE | SB_FS_READ_FILE | SB_FS_TRUNCATE | SB_FS_IOCTL_DEV)
#define SB_NET_BIND_TCP (UINT64_C(1) << 0) /* ABI 4 */
#define SB_NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SB_SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SB_SCOPE_SIGNAL (UINT64_C(1) << 1)
#define SB_LANDLOCK_ABI_SCOPE 6 /* the first with scopes: Linux 6.12 */

struct sb_landlock {
	int fd;           /* the rule set; whoever opened it closes it */
	uint64_t fs, net; /* handled: what no rule allows is denied */
};

/** The kernel's Landlock ABI; 0: it has none, or has it switched off. Any thread. */
int sb_landlock_abi(void);

/** What of our use ABI @abi does not know, as a text for people; "" when nothing is missing. Static. */
const char *sb_landlock_lacks(int abi);

/**
 * A rule set that handles what this kernel knows of @fs, @net and @scopes. Returns 0, GW_ERR_SYS, or GW_ERR_DENIED without
 * Landlock. Close @l->fd after sb_landlock_enter().
 */
int sb_landlock_open(struct sb_landlock *l, uint64_t fs, uint64_t net, uint64_t scopes) GW_MUST_USE;

/** Allow what @l handles of @fs for @fd (O_PATH will do) and below it. Returns 0 or GW_ERR_SYS. */
int sb_landlock_allow_below(const struct sb_landlock *l, int fd, uint64_t fs) GW_MUST_USE;

/** Allow what @l handles of @net for TCP port @port. Returns 0 or GW_ERR_SYS. */
int sb_landlock_allow_port(const struct sb_landlock *l, uint16_t port, uint64_t net) GW_MUST_USE;

/** Enter the domain of @rules, for good, children included. Needs no_new_privs. Returns 0 or GW_ERR_SYS. */
int sb_landlock_enter(int rules) GW_MUST_USE;

#endif
