/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_sigsys.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile int32_t *own_slot;

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	(void)context;
	if (own_slot != NULL)
		*own_slot = info->si_syscall;
	/* SIGSYS is blocked while we are here, so a second violation is fatal in the kernel: the parent sees SIGSYS.
	 * nfsservctl is one in every profile, and without any filter it does nothing. */
	syscall(SYS_nfsservctl, 0L);
	_exit(128 + SIGSYS);
}

int sb_sigsys_install(void)
{
	struct sigaction sa;

	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = on_sigsys;
	sa.sa_flags = SA_SIGINFO;
	sigfillset(&sa.sa_mask);
	return sigaction(SIGSYS, &sa, NULL) == -1 ? GW_ERR_SYS : 0;
}

void sb_sigsys_set_slot(volatile int32_t *slot)
{
	own_slot = slot;
}
