/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_sigsys.h"

#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

static struct sb_slot *own_slot;
static sb_sigsys_watch_fn *own_watch;

/* Where the kernel takes a call's arguments from: syscall(2), architecture calling conventions. */
static void note_args(struct sb_slot *slot, const ucontext_t *at)
{
#if defined(__x86_64__)
	static const int regs[] = {REG_RDI, REG_RSI, REG_RDX, REG_R10, REG_R8, REG_R9};
	for (size_t i = 0; i < 6; i++)
		slot->args[i] = (uint64_t)at->uc_mcontext.gregs[regs[i]];
#elif defined(__aarch64__)
	for (size_t i = 0; i < 6; i++)
		slot->args[i] = at->uc_mcontext.regs[i];
#else
	(void)slot;
	(void)at;
#endif
}

static void on_sigsys(int sig, siginfo_t *info, void *context)
{
	(void)sig;
	if (own_watch != NULL && own_watch(info, context))
		return;
	if (own_slot != NULL) {
		note_args(own_slot, context);
		own_slot->number = info->si_syscall;
	}
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

void sb_sigsys_set_slot(struct sb_slot *slot)
{
	own_slot = slot;
}

void sb_sigsys_set_watch(sb_sigsys_watch_fn *watch)
{
	own_watch = watch;
}
