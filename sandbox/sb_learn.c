/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_learn.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

const char *const sb_need_words[SB_NEEDS] = {[SB_NEED_STRICT] = "strict", [SB_NEED_PHP] = "php", [SB_NEED_LEGACY] = "legacy",
	[SB_NEED_ALLOW] = "allow"};

int sb_learn_load(const struct sb_filter *f)
{
	struct sock_fprog prog = {.len = f->insns_n, .filter = f->insns};
	long fd;

	if (f->insns_n == 0) {
		errno = EINVAL;
		return GW_ERR_SYS;
	}
	fd = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &prog);
	return fd == -1 ? GW_ERR_SYS : (int)fd;
}

int sb_learn_receive(int listener, struct sb_stopped *out)
{
	struct seccomp_notif n;

	memset(&n, 0, sizeof(n)); /* the kernel insists */
	if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &n) == -1)
		return errno == ENOENT || errno == EINTR ? GW_ERR_AGAIN : GW_ERR_SYS;
	out->id = n.id;
	out->nr = n.data.nr;
	for (size_t i = 0; i < 6; i++)
		out->args[i] = n.data.args[i];
	return 0;
}

void sb_learn_go_on(int listener, const struct sb_stopped *s)
{
	struct seccomp_notif_resp r = {.id = s->id, .flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE};

	(void)ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &r);
}
