/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_landlock.h"

#include <stddef.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CREATE_RULESET_VERSION 1U
#define RULE_PATH_BENEATH 1
#define RULE_NET_PORT 2

#define ABI_REFER 2
#define ABI_TRUNCATE 3
#define ABI_NET 4
#define ABI_IOCTL 5

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

	return abi >= SB_LANDLOCK_ABI_SCOPE ? "" : lacks[abi < 0 ? 0 : abi];
}

/* The kernel refuses a right that it does not know. */
static uint64_t known_fs(int abi)
{
	uint64_t known = (UINT64_C(1) << 13) - 1;

	if (abi >= ABI_REFER)
		known |= SB_FS_REFER;
	if (abi >= ABI_TRUNCATE)
		known |= SB_FS_TRUNCATE;
	if (abi >= ABI_IOCTL)
		known |= SB_FS_IOCTL_DEV;
	return known;
}

int sb_landlock_open(struct sb_landlock *l, uint64_t fs, uint64_t net, uint64_t scopes)
{
	int abi = sb_landlock_abi();
	const struct ruleset_attr attr = {.handled_access_fs = fs & known_fs(abi), .handled_access_net = abi < ABI_NET ? 0 : net,
		.scoped = abi < SB_LANDLOCK_ABI_SCOPE ? 0 : scopes};
	size_t size = abi < ABI_NET ? offsetof(struct ruleset_attr, handled_access_net)
		: abi < SB_LANDLOCK_ABI_SCOPE ? offsetof(struct ruleset_attr, scoped) : sizeof(attr);

	if (abi == 0)
		return GW_ERR_DENIED;
	*l = (struct sb_landlock){.fd = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0), .fs = attr.handled_access_fs,
		.net = attr.handled_access_net};
	return l->fd == -1 ? GW_ERR_SYS : 0;
}

int sb_landlock_allow_below(const struct sb_landlock *l, int fd, uint64_t fs)
{
	const struct path_beneath_attr attr = {.allowed_access = fs & l->fs, .parent_fd = fd};

	if (attr.allowed_access == 0)
		return 0;
	return syscall(SYS_landlock_add_rule, l->fd, RULE_PATH_BENEATH, &attr, 0) == -1 ? GW_ERR_SYS : 0;
}

int sb_landlock_allow_port(const struct sb_landlock *l, uint16_t port, uint64_t net)
{
	const struct net_port_attr attr = {.allowed_access = net & l->net, .port = port};

	if (attr.allowed_access == 0)
		return 0;
	return syscall(SYS_landlock_add_rule, l->fd, RULE_NET_PORT, &attr, 0) == -1 ? GW_ERR_SYS : 0;
}

int sb_landlock_enter(int rules)
{
	return syscall(SYS_landlock_restrict_self, rules, 0) == -1 ? GW_ERR_SYS : 0;
}
