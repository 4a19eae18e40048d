/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_call_text.h"

#include <linux/bpf.h>
#include <linux/prctl.h>
#include <linux/ptrace.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>

#include "sandbox/sb_policy.h"

struct word {
	uint32_t value;
	const char *text;
};

#define W(name) {(uint32_t)(name), #name}
#define END {0, NULL}

static const struct word families[] = {W(AF_UNIX), W(AF_INET), W(AF_INET6), W(AF_NETLINK), W(AF_PACKET), W(AF_ALG),
	W(AF_VSOCK), W(AF_BLUETOOTH), W(AF_CAN), W(AF_KEY), W(AF_XDP), W(AF_TIPC), W(AF_RDS), END};
static const struct word sock_types[] = {W(SOCK_STREAM), W(SOCK_DGRAM), W(SOCK_RAW), W(SOCK_RDM), W(SOCK_SEQPACKET), END};
static const struct word prots[] = {W(PROT_READ), W(PROT_WRITE), W(PROT_EXEC), END};
static const struct word clones[] = {W(CLONE_VM), W(CLONE_FS), W(CLONE_FILES), W(CLONE_SIGHAND), W(CLONE_PTRACE),
	W(CLONE_VFORK), W(CLONE_PARENT), W(CLONE_THREAD), W(CLONE_NEWNS), W(CLONE_SYSVSEM), W(CLONE_NEWCGROUP),
	W(CLONE_NEWUTS), W(CLONE_NEWIPC), W(CLONE_NEWUSER), W(CLONE_NEWPID), W(CLONE_NEWNET), END};
static const struct word namespaces[] = {W(CLONE_FS), W(CLONE_FILES), W(CLONE_SYSVSEM), W(CLONE_NEWNS),
	W(CLONE_NEWCGROUP), W(CLONE_NEWUTS), W(CLONE_NEWIPC), W(CLONE_NEWUSER), W(CLONE_NEWPID), W(CLONE_NEWNET),
	W(CLONE_NEWTIME), END};
static const struct word prctls[] = {W(PR_SET_PDEATHSIG), W(PR_SET_DUMPABLE), W(PR_SET_KEEPCAPS), W(PR_SET_SECCOMP),
	W(PR_CAPBSET_DROP), W(PR_SET_SECUREBITS), W(PR_SET_MM), W(PR_SET_CHILD_SUBREAPER), W(PR_SET_NO_NEW_PRIVS),
	W(PR_CAP_AMBIENT), W(PR_SET_PTRACER), W(PR_SET_SPECULATION_CTRL), W(PR_SET_NAME), END};
static const struct word ptraces[] = {W(PTRACE_TRACEME), W(PTRACE_PEEKTEXT), W(PTRACE_PEEKDATA), W(PTRACE_POKETEXT),
	W(PTRACE_POKEDATA), W(PTRACE_ATTACH), W(PTRACE_DETACH), W(PTRACE_SEIZE), W(PTRACE_GETREGSET), END};
static const struct word bpfs[] = {W(BPF_MAP_CREATE), W(BPF_PROG_LOAD), W(BPF_OBJ_GET), W(BPF_PROG_ATTACH), W(BPF_BTF_LOAD), END};
static const struct word mounts[] = {W(MS_RDONLY), W(MS_NOSUID), W(MS_NODEV), W(MS_NOEXEC), W(MS_REMOUNT), W(MS_BIND),
	W(MS_MOVE), W(MS_REC), W(MS_PRIVATE), W(MS_SHARED), END};
static const struct word umounts[] = {W(MNT_FORCE), W(MNT_DETACH), END};
static const struct word ioctls[] = {W(TIOCSTI), W(TIOCLINUX), W(TIOCGWINSZ), W(FIONREAD), W(FIONBIO), W(TCGETS), END};
static const struct word levels[] = {{SOL_SOCKET, "SOL_SOCKET"}, {6, "TCP"}, {0, "IP"}, {41, "IPv6"}, END};

/* How one argument is shown: decimal, as a word or decimal, as flags, as the low four bits' word. */
enum form { NUMBER, HEX, WORD, FLAGS, TYPE };

struct shown {
	uint8_t arg;
	uint8_t form;
	const char *label;
	const struct word *words;
};

#define SHOW_MAX 3

static const struct {
	const char *call;
	struct shown show[SHOW_MAX];
} calls[] = {
	{"socket", {{0, WORD, "family", families}, {1, TYPE, "type", sock_types}, {2, NUMBER, "protocol", NULL}}},
	{"socketpair", {{0, WORD, "family", families}, {1, TYPE, "type", sock_types}, {2, NUMBER, "protocol", NULL}}},
	{"mmap", {{2, FLAGS, "prot", prots}}},
	{"mprotect", {{2, FLAGS, "prot", prots}}},
	{"pkey_mprotect", {{2, FLAGS, "prot", prots}}},
	{"clone", {{0, FLAGS, "flags", clones}}},
	{"unshare", {{0, FLAGS, "flags", namespaces}}},
	{"setns", {{0, NUMBER, "fd", NULL}, {1, FLAGS, "type", namespaces}}},
	{"prctl", {{0, WORD, "option", prctls}}},
	{"ptrace", {{0, WORD, "request", ptraces}, {1, NUMBER, "pid", NULL}}},
	{"process_vm_readv", {{0, NUMBER, "pid", NULL}}},
	{"process_vm_writev", {{0, NUMBER, "pid", NULL}}},
	{"kcmp", {{0, NUMBER, "pid1", NULL}, {1, NUMBER, "pid2", NULL}, {2, NUMBER, "type", NULL}}},
	{"kill", {{0, NUMBER, "pid", NULL}, {1, NUMBER, "signal", NULL}}},
	{"tgkill", {{0, NUMBER, "pid", NULL}, {1, NUMBER, "thread", NULL}, {2, NUMBER, "signal", NULL}}},
	{"tkill", {{0, NUMBER, "thread", NULL}, {1, NUMBER, "signal", NULL}}},
	{"bpf", {{0, WORD, "command", bpfs}}},
	{"keyctl", {{0, NUMBER, "operation", NULL}}},
	{"mount", {{3, FLAGS, "flags", mounts}}},
	{"umount2", {{1, FLAGS, "flags", umounts}}},
	{"open_tree", {{2, HEX, "flags", NULL}}},
	{"userfaultfd", {{0, HEX, "flags", NULL}}},
	{"seccomp", {{0, NUMBER, "operation", NULL}, {1, HEX, "flags", NULL}}},
	{"pidfd_getfd", {{0, NUMBER, "pidfd", NULL}, {1, NUMBER, "fd", NULL}}},
	{"ioctl", {{1, WORD, "request", ioctls}}},
	{"fcntl", {{1, NUMBER, "command", NULL}}},
	{"setsockopt", {{1, WORD, "level", levels}, {2, NUMBER, "option", NULL}}},
	{"personality", {{0, HEX, "persona", NULL}}},
	{"syslog", {{0, NUMBER, "type", NULL}}},
	{"quotactl", {{0, HEX, "command", NULL}}},
	{"iopl", {{0, NUMBER, "level", NULL}}},
	{"chmod", {{1, HEX, "mode", NULL}}},
	{"fchmod", {{1, HEX, "mode", NULL}}},
	{"fchmodat", {{2, HEX, "mode", NULL}}},
	{"listen", {{1, NUMBER, "backlog", NULL}}},
	{"prlimit64", {{0, NUMBER, "pid", NULL}, {1, NUMBER, "resource", NULL}}},
	{"setpriority", {{0, NUMBER, "which", NULL}, {1, NUMBER, "who", NULL}, {2, NUMBER, "priority", NULL}}},
};

struct out {
	char *p;
	size_t left; /* with the NUL */
};

static void put(struct out *o, const char *s)
{
	size_t n = strnlen(s, o->left - 1);

	memcpy(o->p, s, n);
	o->p += n;
	o->left -= n;
	*o->p = '\0';
}

static void put_flags(struct out *o, uint32_t value, const struct word *words)
{
	bool any = false;
	char hex[16];

	for (const struct word *w = words; w->text != NULL; w++) {
		if (w->value == 0 || (value & w->value) != w->value)
			continue;
		put(o, any ? "|" : "");
		put(o, w->text);
		value &= ~w->value;
		any = true;
	}
	if (value == 0 && any)
		return;
	snprintf(hex, sizeof(hex), "%s0x%x", any ? "|" : "", value);
	put(o, hex);
}

/* All of these are 32 bits wide: what has more may be an address that somebody put in its place. */
static void put_value(struct out *o, const struct shown *s, uint64_t arg)
{
	uint32_t value = (uint32_t)arg;
	char text[16];

	if (arg >> 32 != 0 && arg >> 32 != UINT32_MAX) {
		put(o, "...");
		return;
	}
	if (s->form == FLAGS) {
		put_flags(o, value, s->words);
		return;
	}
	if (s->form == TYPE)
		value &= 0xf;
	if (s->form == WORD || s->form == TYPE)
		for (const struct word *w = s->words; w->text != NULL; w++)
			if (w->value == value) {
				put(o, w->text);
				return;
			}
	if (s->form == NUMBER)
		snprintf(text, sizeof(text), "%d", (int32_t)value);
	else
		snprintf(text, sizeof(text), "0x%x", value);
	put(o, text);
}

const char *sb_call_text(int32_t nr, const uint64_t args[6], char *out, size_t size)
{
	struct out o = {.p = out, .left = size};
	const char *name = sb_call_name(nr);
	char text[32];

	if (size == 0)
		return out;
	*out = '\0';
	if (name == NULL) {
		snprintf(text, sizeof(text), "call %d", nr);
		put(&o, text);
		return out;
	}
	put(&o, name);
	put(&o, "(");
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].call, name) != 0)
			continue;
		for (size_t k = 0; k < SHOW_MAX && calls[i].show[k].label != NULL; k++) {
			put(&o, k > 0 ? " " : "");
			put(&o, calls[i].show[k].label);
			put(&o, "=");
			put_value(&o, &calls[i].show[k], args[calls[i].show[k].arg]);
		}
	}
	put(&o, ")");
	return out;
}
