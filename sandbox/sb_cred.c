/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/sb_cred.h"

#include <grp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

/* linux/securebits.h is not written for inclusion beside libcap: bit and its lock, as in capabilities(7). */
#define SECBITS (1UL << 0 | 1UL << 1 /* NOROOT: uid 0 gives no capability */ \
	| 1UL << 3                   /* NO_SETUID_FIXUP stays off: leaving uid 0 clears the sets */ \
	| 1UL << 5                   /* KEEP_CAPS stays off */ \
	| 1UL << 6 | 1UL << 7)       /* NO_CAP_AMBIENT_RAISE */

/* What exec of a file with capabilities, or of root's program, could ever give back: nothing. Needs CAP_SETPCAP. */
int sb_cred_drop_bounding(void)
{
	for (cap_value_t cap = 0; cap_get_bound(cap) >= 0; cap++)
		if (cap_drop_bound(cap) == -1)
			return GW_ERR_SYS;
	if (cap_reset_ambient() == -1)
		return GW_ERR_SYS;
	return prctl(PR_SET_SECUREBITS, SECBITS, 0, 0, 0) == -1 ? GW_ERR_SYS : 0;
}

/* Which of @caps this process has: a service manager or a container may have taken some away already. */
static cap_t held_of(const int *caps, size_t n)
{
	cap_t now = cap_get_proc(), keep = cap_init();
	int err = now == NULL || keep == NULL ? -1 : 0;

	for (size_t i = 0; i < n && err == 0; i++) {
		cap_value_t cap = caps[i];
		cap_flag_value_t held = CAP_CLEAR;
		err = cap_get_flag(now, cap, CAP_PERMITTED, &held);
		if (err == 0 && held == CAP_SET)
			err = cap_set_flag(keep, CAP_PERMITTED, 1, &cap, CAP_SET) | cap_set_flag(keep, CAP_EFFECTIVE, 1, &cap, CAP_SET);
	}
	cap_free(now);
	if (err == 0)
		return keep;
	cap_free(keep);
	return NULL;
}

static bool is_one_of(cap_value_t cap, const int *caps, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (caps[i] == cap)
			return true;
	return false;
}

/* The bounding set first: shrinking it needs CAP_SETPCAP, which the list need not have. */
int sb_cred_keep(const int *caps, size_t n)
{
	cap_t keep = held_of(caps, n), now = NULL;
	int err = keep == NULL ? GW_ERR_NOMEM : 0;

	for (cap_value_t cap = 0; err == 0 && cap_get_bound(cap) >= 0; cap++)
		if (!is_one_of(cap, caps, n) && cap_get_bound(cap) == 1 && cap_drop_bound(cap) == -1)
			err = GW_ERR_SYS;
	if (err == 0 && (cap_reset_ambient() == -1 || cap_set_proc(keep) == -1))
		err = GW_ERR_SYS;
	if (err == 0) {
		now = cap_get_proc();
		err = now == NULL ? GW_ERR_NOMEM : cap_compare(now, keep) == 0 ? 0 : GW_ERR_DENIED;
	}
	cap_free(now);
	cap_free(keep);
	return err;
}

/* Groups and gid before uid: both need rights that go with the uid. */
int sb_cred_become(const struct sb_cred *c)
{
	if (setgroups(c->groups_n, c->groups) == -1)
		return GW_ERR_SYS;
	if (setresgid(c->gid, c->gid, c->gid) == -1)
		return GW_ERR_SYS;
	return setresuid(c->uid, c->uid, c->uid) == -1 ? GW_ERR_SYS : 0;
}

int sb_cred_clear_caps(void)
{
	cap_t none = cap_init();
	if (none == NULL)
		return GW_ERR_NOMEM;
	int err = cap_set_proc(none) == -1 ? GW_ERR_SYS : 0;
	cap_free(none);
	return err;
}

static int compare_gids(const void *a, const void *b)
{
	gid_t x, y;

	memcpy(&x, a, sizeof(x));
	memcpy(&y, b, sizeof(y));
	return x < y ? -1 : x > y;
}

/* The kernel returns the groups sorted. */
static int check_groups(const struct sb_cred *c)
{
	size_t n = c->groups_n;
	gid_t *have = calloc(n + 1, sizeof(*have)), *want = calloc(n + 1, sizeof(*want));
	int err = GW_ERR_NOMEM;

	if (have != NULL && want != NULL) {
		if (n > 0)
			memcpy(want, c->groups, n * sizeof(*want));
		qsort(want, n, sizeof(*want), compare_gids);
		err = getgroups((int)n + 1, have) == (int)n && memcmp(have, want, n * sizeof(*have)) == 0
			? 0 : GW_ERR_DENIED;
	}
	free(have);
	free(want);
	return err;
}

/* Believe no return value: look at what the process is now, and try the way back. */
int sb_cred_check_ids(const struct sb_cred *c)
{
	uid_t ruid, euid, suid;
	gid_t rgid, egid, sgid;

	if (getresuid(&ruid, &euid, &suid) == -1 || getresgid(&rgid, &egid, &sgid) == -1)
		return GW_ERR_SYS;
	if (ruid != c->uid || euid != c->uid || suid != c->uid || rgid != c->gid || egid != c->gid || sgid != c->gid)
		return GW_ERR_DENIED;
	if (setuid(0) != -1 || seteuid(0) != -1 || (c->gid != 0 && setegid(0) != -1))
		return GW_ERR_DENIED;
	return check_groups(c);
}

int sb_cred_check_caps(bool bounding_too)
{
	cap_t now = cap_get_proc(), none = cap_init();
	int err = now == NULL || none == NULL ? GW_ERR_NOMEM : cap_compare(now, none) == 0 ? 0 : GW_ERR_DENIED;

	cap_free(now);
	cap_free(none);
	for (cap_value_t cap = 0; err == 0 && bounding_too; cap++) {
		int bound = cap_get_bound(cap);
		if (bound < 0)
			break;
		if (bound != 0)
			err = GW_ERR_DENIED;
	}
	return err;
}

int sb_cred_no_way_up(void)
{
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1 || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1)
		return GW_ERR_SYS;
	return prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1 && prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) == 0 ? 0 : GW_ERR_DENIED;
}

static int no_core(void)
{
	static const struct rlimit none;

	return setrlimit(RLIMIT_CORE, &none) == -1 ? GW_ERR_SYS : 0;
}

#define STEP(name, call)           \
	do {                       \
		*step = (name);    \
		int err_ = (call); \
		if (err_ != 0)     \
			return err_; \
	} while (0)

/* Limits while they may be set; sets that need rights to empty; ids; what is left; proof. */
int sb_cred_drop(const struct sb_cred *c, bool privileged, const char **step)
{
	STEP("core limit", no_core());
	if (privileged) {
		STEP("capability bounding set", sb_cred_drop_bounding());
		STEP("user and groups", sb_cred_become(c));
	}
	STEP("capabilities", sb_cred_clear_caps());
	STEP("no_new_privs", sb_cred_no_way_up());
	if (privileged)
		STEP("still has rights of the user it was started as", sb_cred_check_ids(c));
	STEP("still has capabilities", sb_cred_check_caps(privileged));
	return 0;
}
