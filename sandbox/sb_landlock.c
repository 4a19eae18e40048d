/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_landlock.h"

#include <errno.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"

/* As the kernel defines them; the headers of older systems end earlier. */
#define FS_EXECUTE (UINT64_C(1) << 0)
#define FS_WRITE_FILE (UINT64_C(1) << 1)
#define FS_READ_FILE (UINT64_C(1) << 2)
#define FS_READ_DIR (UINT64_C(1) << 3)
#define FS_REMOVE_DIR (UINT64_C(1) << 4)
#define FS_REMOVE_FILE (UINT64_C(1) << 5)
#define FS_MAKE_CHAR (UINT64_C(1) << 6)
#define FS_MAKE_DIR (UINT64_C(1) << 7)
#define FS_MAKE_REG (UINT64_C(1) << 8)
#define FS_MAKE_SOCK (UINT64_C(1) << 9)
#define FS_MAKE_FIFO (UINT64_C(1) << 10)
#define FS_MAKE_BLOCK (UINT64_C(1) << 11)
#define FS_MAKE_SYM (UINT64_C(1) << 12)
#define FS_REFER (UINT64_C(1) << 13)
#define FS_TRUNCATE (UINT64_C(1) << 14)
#define FS_IOCTL_DEV (UINT64_C(1) << 15)
#define NET_BIND_TCP (UINT64_C(1) << 0)
#define NET_CONNECT_TCP (UINT64_C(1) << 1)
#define SCOPE_ABSTRACT_UNIX (UINT64_C(1) << 0)
#define SCOPE_SIGNAL (UINT64_C(1) << 1)
#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_NET 4
#define ABI_IOCTL 5
#define ABI_SCOPE 6

struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

struct net_port_attr {
	uint64_t allowed_access, port;
};

#define READ (FS_READ_FILE | FS_READ_DIR)
#define WRITE (FS_WRITE_FILE | FS_TRUNCATE | FS_REMOVE_DIR | FS_REMOVE_FILE | FS_MAKE_DIR | FS_MAKE_REG | FS_MAKE_SOCK | \
	FS_MAKE_FIFO | FS_MAKE_SYM | FS_REFER)
#define OF_FILES (FS_EXECUTE | FS_WRITE_FILE | FS_READ_FILE | FS_TRUNCATE | FS_IOCTL_DEV)

int sb_landlock_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

const char *sb_landlock_lacks(int abi)
{
	static const char *const lacks[] = {
		[0] = "Landlock",
		[1] = "Landlock's rules for moving and truncating files (Linux 6.2), TCP ports (6.7), signals and abstract sockets (6.12)",
		[2] = "Landlock's rules for truncating files (Linux 6.2), TCP ports (6.7), signals and abstract sockets (6.12)",
		[3] = "Landlock's rules for TCP ports (Linux 6.7), signals and abstract sockets (6.12)",
		[4] = "Landlock's rules for devices (Linux 6.10), signals and abstract sockets (6.12)",
		[5] = "Landlock's rules for signals and abstract sockets (Linux 6.12)",
	};

	return abi >= ABI_SCOPE ? "" : lacks[abi < 0 ? 0 : abi];
}

/* What this ABI knows of files. Everything known is handled, so what no rule allows is denied. */
static uint64_t known_fs(int abi)
{
	uint64_t known = (UINT64_C(1) << 13) - 1;

	if (abi >= ABI_REFER)
		known |= FS_REFER;
	if (abi >= ABI_TRUNCATE)
		known |= FS_TRUNCATE;
	if (abi >= ABI_IOCTL)
		known |= FS_IOCTL_DEV;
	return known;
}

static uint64_t handled_net(const struct spec *s, int abi)
{
	return abi < ABI_NET ? 0 : (s->connect.any ? 0 : NET_CONNECT_TCP) | (s->bind.any ? 0 : NET_BIND_TCP);
}

static int create(const struct ruleset_attr *attr, int abi)
{
	/* An older kernel takes a longer structure only when what it does not know is zero, which it is. */
	size_t size = abi < ABI_NET ? sizeof(attr->handled_access_fs) : abi < ABI_SCOPE ? 2 * sizeof(uint64_t) : sizeof(*attr);
	long fd = syscall(SYS_landlock_create_ruleset, attr, size, 0);

	return fd == -1 ? GW_ERR_SYS : (int)fd;
}

static int allow_below(int rules, int fd, uint64_t access)
{
	const struct path_beneath_attr attr = {.allowed_access = access, .parent_fd = fd};

	if (access == 0)
		return 0;
	return syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &attr, 0) == -1 ? GW_ERR_SYS : 0;
}

static uint64_t access_of(const struct sb_shown *f)
{
	uint64_t access = READ | ((f->flags & SB_SHOW_WRITE) != 0 ? WRITE : 0) | ((f->flags & SB_SHOW_EXEC) != 0 ? FS_EXECUTE : 0);

	return f->is_dir ? access : access & OF_FILES;
}

static int allow_ports(int rules, const struct spec_ports *p, uint64_t access)
{
	for (size_t i = 0; i < p->n; i++) {
		const struct net_port_attr attr = {.allowed_access = access, .port = p->v[i]};
		if (syscall(SYS_landlock_add_rule, rules, RULE_NET_PORT, &attr, 0) == -1)
			return GW_ERR_SYS;
	}
	return 0;
}

static int add_rules(int rules, const struct sb_root *r, const struct spec *s, int proc_fd, const struct ruleset_attr *attr)
{
	int err = 0;

	for (size_t i = 0; i < r->n && err == 0; i++)
		err = allow_below(rules, r->shown[i].fd, access_of(&r->shown[i]) & attr->handled_access_fs);
	if (err == 0 && proc_fd != -1)
		err = allow_below(rules, proc_fd, READ);
	if (err == 0 && (attr->handled_access_net & NET_CONNECT_TCP) != 0)
		err = allow_ports(rules, &s->connect, NET_CONNECT_TCP);
	if (err == 0 && (attr->handled_access_net & NET_BIND_TCP) != 0)
		err = allow_ports(rules, &s->bind, NET_BIND_TCP);
	return err;
}

int sb_landlock_build(const struct sb_root *r, const struct spec *s, int proc_fd)
{
	int abi = sb_landlock_abi();
	struct ruleset_attr attr = {.handled_access_fs = known_fs(abi), .handled_access_net = handled_net(s, abi),
		.scoped = abi >= ABI_SCOPE ? SCOPE_ABSTRACT_UNIX | SCOPE_SIGNAL : 0};

	if (abi == 0)
		return GW_ERR_DENIED;
	int rules = create(&attr, abi);
	if (rules < 0)
		return rules;
	int err = add_rules(rules, r, s, proc_fd, &attr);
	if (err != 0) {
		io_close(&rules);
		return err;
	}
	return rules;
}

int sb_landlock_enter(int rules)
{
	return syscall(SYS_landlock_restrict_self, rules, 0) == -1 ? GW_ERR_SYS : 0;
}
