/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which of the state that a rollback must look at was touched at all. Most of it changes by system calls that hardly any
 * request makes: in front of the cell's last filter stand a few instructions that trap them. The handler of SIGSYS notes
 * the kind of state where it is not put back, makes the call in the request's place and gives it the result. Only that one
 * instruction may make such calls untrapped, so nothing that goes on in the request's memory can be mistaken for it.
 * Source: seccomp(2), SECCOMP_RET_TRAP.
 */
#include "sandbox/rollback/rb_watch.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <ucontext.h>
#include <unistd.h>

#include "sandbox/rollback/rb_priv.h"
#include "sandbox/sb_sigsys.h"

/* In memory that is not put back. */
static struct {
	unsigned touched;
	uint64_t fds; /* that are watched, 0 in the lowest bit */
} *watch;

#if defined(__x86_64__)

/* rb_watch_call() and the address behind its system call, which is what filters are shown. */
extern const char rb_watch_site[] __attribute__((visibility("hidden")));
__asm__(".pushsection .text\n"
	"	.p2align 4\n"
	"	.globl rb_watch_call\n"
	"	.hidden rb_watch_call, rb_watch_site\n"
	"	.type rb_watch_call, @function\n"
	"rb_watch_call:\n"
	"	mov %rdi, %rax\n"
	"	mov %rsi, %rdi\n"
	"	mov %rdx, %rsi\n"
	"	mov %rcx, %rdx\n"
	"	mov %r8, %r10\n"
	"	syscall\n"
	"	.globl rb_watch_site\n"
	"rb_watch_site:\n"
	"	ret\n"
	"	.size rb_watch_call, . - rb_watch_call\n"
	".popsection\n");

/* --- the instructions ------------------------------------------------------------------------------------------------- */

#define LEAVE 0xffffffffU /* a jump to what comes behind all of them */

struct program {
	struct sock_filter *insns;
	size_t n;
};

static void add(struct program *p, unsigned code, uint32_t k, size_t yes, size_t no)
{
	if (p->n < ROLLBACK_WATCH_MAX)
		p->insns[p->n] = (struct sock_filter){.code = (uint16_t)code, .k = k, .jt = (uint8_t)yes, .jf = (uint8_t)no};
	p->n++;
}

static void load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

static void load_arg(struct program *p, unsigned arg)
{
	load(p, offsetof(struct seccomp_data, args) + arg * sizeof(uint64_t)); /* the lower half: little-endian */
}

static void leave(struct program *p)
{
	add(p, BPF_JMP | BPF_JA, LEAVE, 0, 0);
}

static void leave_if(struct program *p, unsigned test, uint32_t k)
{
	add(p, BPF_JMP | test | BPF_K, k, 0, 1);
	leave(p);
}

static void leave_unless_one_of(struct program *p, const uint32_t *values, size_t n)
{
	for (size_t i = 0; i < n; i++)
		add(p, BPF_JMP | BPF_JEQ | BPF_K, values[i], n - i, 0);
	leave(p);
}

static void leave_unless_watched_fd(struct program *p, unsigned arg)
{
	uint32_t fds[64];
	size_t n = 0;

	for (uint32_t fd = 0; fd < 64; fd++)
		if ((watch->fds >> fd & 1) != 0)
			fds[n++] = fd;
	load_arg(p, arg);
	leave_unless_one_of(p, fds, n);
}

/* To ask for an action changes none. PHP sets the one of SIGPROF in each request, so that is not watched but set again. */
static void when_sigaction(struct program *p)
{
	load_arg(p, 1);
	add(p, BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 3);
	load(p, offsetof(struct seccomp_data, args) + sizeof(uint64_t) + sizeof(uint32_t));
	leave_if(p, BPF_JEQ, 0);
	load_arg(p, 0);
	leave_if(p, BPF_JEQ, SIGPROF);
	leave_if(p, BPF_JGT, RB_SIGNALS);
}

/* PHP's own timer is stopped anyway. */
static void when_setitimer(struct program *p)
{
	load_arg(p, 0);
	leave_if(p, BPF_JEQ, ITIMER_PROF);
}

static void when_first(struct program *p)
{
	leave_unless_watched_fd(p, 0);
}

static void when_second(struct program *p)
{
	leave_unless_watched_fd(p, 1);
}

static void when_fcntl(struct program *p)
{
	static const uint32_t commands[] = {F_SETFD};

	load_arg(p, 1);
	leave_unless_one_of(p, commands, 1);
	leave_unless_watched_fd(p, 0);
}

static void when_ioctl(struct program *p)
{
	static const uint32_t commands[] = {FIOCLEX, FIONCLEX};

	load_arg(p, 1);
	leave_unless_one_of(p, commands, 2);
	leave_unless_watched_fd(p, 0);
}

static void always(struct program *p)
{
	(void)p;
}

/* Every call that changes what RB_TOUCHED_* stand for; a descriptor's number can only be given again once it is closed. */
static const struct {
	int number;
	enum rb_touched what;
	void (*when)(struct program *p);
} calls[] = {
	{SYS_rt_sigaction, RB_TOUCHED_SIGNALS, when_sigaction},
	{SYS_setitimer, RB_TOUCHED_TIMERS, when_setitimer},
	{SYS_alarm, RB_TOUCHED_TIMERS, always},
	{SYS_close, RB_TOUCHED_FDS, when_first},
	{SYS_close_range, RB_TOUCHED_FDS, always},
	{SYS_dup2, RB_TOUCHED_FDS, when_second},
	{SYS_dup3, RB_TOUCHED_FDS, when_second},
	{SYS_fcntl, RB_TOUCHED_FDS, when_fcntl},
	{SYS_ioctl, RB_TOUCHED_FDS, when_ioctl},
};
#define CALLS_N (sizeof(calls) / sizeof(calls[0]))

static void trap_unless_ours(struct program *p)
{
	uint64_t site = (uintptr_t)rb_watch_site;

	load(p, offsetof(struct seccomp_data, instruction_pointer));
	add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)site, 0, 3);
	load(p, offsetof(struct seccomp_data, instruction_pointer) + sizeof(uint32_t));
	leave_if(p, BPF_JEQ, (uint32_t)(site >> 32));
	add(p, BPF_RET | BPF_K, SECCOMP_RET_TRAP, 0, 0);
}

/* The number is looked at first: so the kernel knows all other calls to pass, and does not ask again. */
static size_t write_program(struct sock_filter *insns)
{
	struct program p = {.insns = insns};

	load(&p, offsetof(struct seccomp_data, arch));
	add(&p, BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0);
	leave(&p);
	load(&p, offsetof(struct seccomp_data, nr));
	for (size_t i = 0; i < CALLS_N; i++) {
		size_t test = p.n;
		add(&p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)calls[i].number, 0, 0);
		calls[i].when(&p);
		trap_unless_ours(&p);
		if (p.n > ROLLBACK_WATCH_MAX || p.n - test - 1 > UINT8_MAX)
			return 0;
		insns[test].jf = (uint8_t)(p.n - test - 1);
	}
	for (size_t i = 0; i < p.n; i++)
		if (insns[i].code == (BPF_JMP | BPF_JA) && insns[i].k == LEAVE)
			insns[i].k = (uint32_t)(p.n - i - 1);
	return p.n;
}

/* --- when one is made ------------------------------------------------------------------------------------------------- */

#define BY_FILTER 1 /* SYS_SECCOMP of asm-generic/siginfo.h; the library's header lacks it */

static bool caught(const siginfo_t *info, void *context)
{
	greg_t *regs = ((ucontext_t *)context)->uc_mcontext.gregs;

	for (size_t i = 0; i < CALLS_N && info->si_code == BY_FILTER; i++) {
		if (calls[i].number != info->si_syscall)
			continue;
		__atomic_fetch_or(&watch->touched, (unsigned)calls[i].what, __ATOMIC_RELAXED);
		regs[REG_RAX] = rb_watch_call(info->si_syscall, regs[REG_RDI], regs[REG_RSI], regs[REG_RDX], regs[REG_R10]);
		return true;
	}
	return false;
}

static uint64_t open_fds(void)
{
	uint64_t open = 0;

	for (int fd = 0; fd < ROLLBACK_FD; fd++)
		if (fcntl(fd, F_GETFD) != -1)
			open |= UINT64_C(1) << fd;
	return open;
}

size_t rollback_watch(struct sock_filter *first)
{
	watch = rb_map(sizeof(*watch));
	if (watch == NULL)
		return 0;
	watch->fds = open_fds();
	size_t n = write_program(first);
	if (n == 0)
		watch = NULL;
	else
		sb_sigsys_set_watch(caught);
	return n;
}

#else

long rb_watch_call(long number, long a0, long a1, long a2, long a3)
{
	long result = syscall(number, a0, a1, a2, a3);

	return result == -1 ? -errno : result;
}

size_t rollback_watch(struct sock_filter *first)
{
	(void)first;
	return 0;
}

#endif

unsigned rb_watch_touched(void)
{
	return watch == NULL ? RB_TOUCHED_ALL : __atomic_load_n(&watch->touched, __ATOMIC_RELAXED);
}

void rb_watch_forget(void)
{
	if (watch != NULL)
		__atomic_store_n(&watch->touched, 0, __ATOMIC_RELAXED);
}

bool rb_watch_has(int fd)
{
	return watch == NULL || (fd < 64 && (watch->fds >> fd & 1) != 0);
}
