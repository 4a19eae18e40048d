/* SPDX-License-Identifier: Apache-2.0 */
#include <seccomp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/rollback/rb_kernel.h"
#include "sandbox/sb_parts.h"
#include "sandbox/sb_policy.h"

static const char other_user[] = "it changes who the process is";
static const char hidden[] = "its arguments lie in memory, where no filter can look at them";
static const char around[] = "it does what a filtered call does, around the filter";
static const char others[] = "it reaches other processes of the site's user, its zygote among them";
static const char machine[] = "it changes the machine or its name, not the site";

/* Beside the violations, which are a table of their own: what must not come back by configuration. */
static const struct {
	const char *name, *why;
} never[] = {
	{"setuid", other_user}, {"setgid", other_user}, {"setreuid", other_user}, {"setregid", other_user},
	{"setresuid", other_user}, {"setresgid", other_user}, {"setgroups", other_user}, {"setfsuid", other_user},
	{"setfsgid", other_user}, {"capset", other_user}, {"personality", around}, {"io_uring_setup", around},
	{"io_uring_enter", around}, {"io_uring_register", around}, {"pkey_mprotect", around},
	{"remap_file_pages", around}, {"fchmodat2", around}, {"clone3", hidden}, {"openat2", hidden},
	{"socketcall", hidden}, {"ipc", hidden}, {"seccomp", "a later filter could answer in the place of this one"},
	{"name_to_handle_at", "with file handles it opens what no path leads to"},
	{"fanotify_init", "it watches files of other sites"}, {"fanotify_mark", "it watches files of other sites"},
	{"pidfd_open", others}, {"pidfd_send_signal", others}, {"rt_sigqueueinfo", others},
	{"rt_tgsigqueueinfo", others}, {"process_madvise", others}, {"process_mrelease", others},
	{"migrate_pages", others}, {"move_pages", others}, {"get_robust_list", others},
	{"sethostname", machine}, {"setdomainname", machine}, {"swapon", machine}, {"stime", machine},
	{"clock_settime64", machine}, {"clock_adjtime64", machine}, {"umount", machine},
	{"mlockall", "it holds memory beyond the site's limit"}, {"quotactl_fd", machine},
	{"set_mempolicy", around}, {"mbind", around}, {"set_mempolicy_home_node", around},
	{"memfd_secret", "memory that nobody can look into"}, {"landlock_restrict_self", "the zygote uses it"},
	{"vm86", around}, {"vm86old", around}, {"uselib", around},
	{"_sysctl", machine}, {"nfsservctl", machine}, {"security", machine}, {"afs_syscall", machine},
	{"create_module", machine}, {"get_kernel_syms", machine}, {"query_module", machine},
};

/* Without these no cell answers a request, or ends. */
static const char *const needed[] = {"read", "write", "close", "mmap", "munmap", "brk", "exit_group", "rt_sigreturn",
	"rt_sigaction", "rt_sigprocmask", "setitimer", "newfstatat", "fstat"};

static bool is_violation(const char *name)
{
	for (size_t i = 0; i < sb_part_kill.rules_n; i++)
		if (strcmp(sb_part_kill.rules[i].name, name) == 0)
			return true;
	return false;
}

const char *sb_never(const char *name)
{
	for (size_t i = 0; i < sizeof(never) / sizeof(never[0]); i++)
		if (strcmp(never[i].name, name) == 0)
			return never[i].why;
	return is_violation(name) ? "it is a violation: only who attacks the kernel or leaves the site calls it" : NULL;
}

const char *sb_needed(const char *name)
{
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (strcmp(needed[i], name) == 0)
			return "no cell answers a request without it";
	return NULL;
}

/* Calls newer than the library, whose numbers are the same on all architectures. */
static int newer_number(const char *name)
{
	static const struct {
		const char *name;
		int nr;
	} newer[] = {{"mseal", SYS_mseal}};

	for (size_t i = 0; i < sizeof(newer) / sizeof(newer[0]); i++)
		if (strcmp(newer[i].name, name) == 0)
			return newer[i].nr;
	return __NR_SCMP_ERROR;
}

int sb_call_number(const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR)
		nr = newer_number(name);
	return nr == __NR_SCMP_ERROR ? -2 : nr < 0 ? -1 : nr;
}

const char *sb_call_name(int nr)
{
	static char text[64];
	char *name = nr < 0 ? NULL : seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);

	if (name == NULL)
		return NULL;
	snprintf(text, sizeof(text), "%s", name);
	free(name);
	return text;
}
