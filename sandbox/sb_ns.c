/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_ns.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/keyctl.h>
#include <net/if.h>
#include <sched.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/sb_layer.h"
#include "sandbox/sb_newmount.h"

#define HOST_NAME_MAX_LEN 64 /* __NEW_UTS_LEN */

static const struct {
	unsigned layer;
	int flag;
} spaces[] = {{SB_LAYER_IPC, CLONE_NEWIPC}, {SB_LAYER_UTS, CLONE_NEWUTS}, {SB_LAYER_NET, CLONE_NEWNET},
	{SB_LAYER_CGROUP, CLONE_NEWCGROUP}};

static int loopback_up(void)
{
	struct ifreq ifr;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd == -1)
		return GW_ERR_SYS;
	memset(&ifr, 0, sizeof(ifr));
	memcpy(ifr.ifr_name, "lo", sizeof("lo"));
	ifr.ifr_flags = IFF_UP;
	int err = ioctl(fd, SIOCSIFFLAGS, &ifr) == -1 ? GW_ERR_SYS : 0;
	io_close(&fd);
	return err;
}

int sb_ns_enter(const struct spec *s)
{
	size_t len = strlen(s->site);
	int flags = 0;

	for (size_t i = 0; i < sizeof(spaces) / sizeof(spaces[0]); i++)
		if ((s->layers & spaces[i].layer) != 0)
			flags |= spaces[i].flag;
	if (flags != 0 && unshare(flags) == -1)
		return GW_ERR_SYS;
	if ((s->layers & SB_LAYER_UTS) != 0 && sethostname(s->site, len > HOST_NAME_MAX_LEN ? HOST_NAME_MAX_LEN : len) == -1)
		return GW_ERR_SYS;
	return (s->layers & SB_LAYER_NET) != 0 && strcmp(s->network, "loopback") == 0 ? loopback_up() : 0;
}

int sb_ns_proc(bool own)
{
	int fd = -1;

	if (own)
		fd = sb_newmount("proc", (const char *const[]){"subset", "pid", "hidepid", "invisible", NULL},
			MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	/* In a user namespace the kernel may refuse; "self" is ourselves in the host's as well. */
	if (fd == -1)
		fd = open("/proc", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd == -1)
		return GW_ERR_SYS;
	/* A descriptor like any other, of which flags and offset can be asked for. */
	int dir = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	io_close(&fd);
	return dir == -1 ? GW_ERR_SYS : dir;
}

int sb_ns_keyring(void)
{
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) != -1)
		return 0;
	return errno == ENOSYS ? 0 : GW_ERR_SYS;
}
