/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_harden.h"

#include <errno.h>
#include <linux/prctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/sb_landlock.h"

/* Newer than the headers of the oldest system we build on. */
#ifndef PR_SET_MDWE
#define PR_SET_MDWE 65
#define PR_MDWE_REFUSE_EXEC_GAIN (1UL << 0)
#define PR_GET_MDWE 66
#endif

static void note_off(char *off, size_t len, const char *what)
{
	size_t n = strlen(off);

	if (n < len)
		snprintf(off + n, len - n, "%s%s", n > 0 ? "; " : "", what);
}

/* Nothing that was not code becomes code, whatever a filter's comparison might miss. */
static int refuse_exec_gain(char *off, size_t len)
{
	if (prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) == -1) {
		if (errno != EINVAL)
			return GW_ERR_SYS;
		note_off(off, len, "memory-deny-write-execute needs Linux 6.3");
		return 0;
	}
	return (prctl(PR_GET_MDWE, 0, 0, 0, 0) & (int)PR_MDWE_REFUSE_EXEC_GAIN) != 0 ? 0 : GW_ERR_SYS;
}

/* A filter no longer implies these since Linux 5.16. Not there, or already decided by the machine: nothing to do. */
static void disable_speculation(char *off, size_t len)
{
	static const struct {
		unsigned long what;
		const char *name;
	} controls[] = {
		{PR_SPEC_STORE_BYPASS, "speculative store bypass stays on: the machine does not let it be turned off"},
		{PR_SPEC_INDIRECT_BRANCH, "indirect branch speculation stays on: the machine does not let it be turned off"},
	};

	for (size_t i = 0; i < sizeof(controls) / sizeof(controls[0]); i++) {
		long got = prctl(PR_GET_SPECULATION_CTRL, controls[i].what, 0, 0, 0);
		/* Not vulnerable (0), or off for everybody. */
		unsigned long now = got > 0 ? (unsigned long)got : 0;
		if (got == 0 || (got > 0 && (now & PR_SPEC_PRCTL) == 0 && (now & (PR_SPEC_DISABLE | PR_SPEC_FORCE_DISABLE)) != 0))
			continue;
		if (prctl(PR_SET_SPECULATION_CTRL, controls[i].what, PR_SPEC_FORCE_DISABLE, 0, 0) == -1)
			note_off(off, len, controls[i].name);
	}
}

static int signal_scope(int *fd, char *off, size_t len)
{
	struct sb_landlock l;

	if (sb_landlock_abi() < SB_LANDLOCK_ABI_SCOPE) {
		note_off(off, len, "a request can signal processes of other requests of its site: Landlock has no signal scope (Linux 6.12)");
		return 0;
	}
	int err = sb_landlock_open(&l, 0, 0, SB_SCOPE_SIGNAL);
	if (err == 0)
		*fd = l.fd;
	return err;
}

int sb_harden_zygote(struct sb_harden *h, const struct sb_policy *p, char *off, size_t len, const char **step)
{
	h->traits = sb_policy_traits(p);
	h->scope_fd = -1;
	off[0] = '\0';
	*step = "PR_SET_MDWE";
	if (!h->traits.code && refuse_exec_gain(off, len) != 0)
		return GW_ERR_SYS;
	if (h->traits.programs)
		disable_speculation(off, len);
	/* What a cell's programs leave behind becomes ours when the cell ends, and is ended. */
	*step = "PR_SET_CHILD_SUBREAPER";
	if (h->traits.tasks && prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
		return GW_ERR_SYS;
	*step = "signal scope";
	return h->traits.signals ? signal_scope(&h->scope_fd, off, len) : 0;
}

int sb_harden_cell(const struct sb_harden *h, const char **step)
{
	static const struct rlimit none;
	int scope = h->scope_fd;

	if (!h->traits.tasks && !h->traits.threads) {
		/* Checked against the caller's own limit: the zygote, of the same user, goes on forking. */
		*step = "RLIMIT_NPROC";
		if (setrlimit(RLIMIT_NPROC, &none) == -1)
			return GW_ERR_SYS;
	}
	if (h->traits.tasks) {
		/* kill(0) means this cell's own; daemons of a running request stay this cell's. */
		*step = "session";
		if (setsid() == -1)
			return GW_ERR_SYS;
		*step = "PR_SET_CHILD_SUBREAPER";
		if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == -1)
			return GW_ERR_SYS;
	}
	*step = "signal scope";
	if (scope != -1 && sb_landlock_enter(scope) != 0)
		return GW_ERR_SYS;
	io_close(&scope);
	return 0;
}
