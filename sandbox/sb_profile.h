/* SPDX-License-Identifier: Apache-2.0 */
/**
 * System call profiles as tables. One row says what happens to a call, perhaps depending on its arguments; several rows
 * of one call are alternatives. A call without a row, or none of whose rows fits, fails with ENOSYS: the default is to
 * deny, in the one way that lets C libraries fall back to older calls.
 *
 * A profile makes two filters. The zygote loads the rows for both roles plus its own (it forks, reaps and kills); a cell
 * inherits that filter and adds the delta, which allows by default and takes the zygote's extras away again. The kernel
 * lets the stricter of two filters win.
 */
#ifndef SB_PROFILE_H
#define SB_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum sb_action {
	SB_ALLOW,
	SB_EPERM,  /* the call fails with EPERM: programs try it and cope */
	SB_ENOSYS, /* the call fails as if the kernel did not have it */
	SB_KILL    /* a violation: SIGSYS, recorded by sb_sigsys's handler, and the process dies */
};

enum sb_where {
	SB_BOTH,   /* in the zygote's filter and so in every cell's */
	SB_ZYGOTE, /* in the zygote's filter only as long as no delta is loaded */
	SB_DELTA   /* in the delta of a cell */
};

#define SB_CMPS_MAX 3
#define SB_ALL_BITS UINT64_MAX
#define SB_INT 0xffffffffU /* the kernel takes an int: compare the 32 bits that it looks at */

/* What stands in the place of a comparison's value; all but the first are put in when they are known. */
enum sb_whose {
	SB_NUMBER,
	SB_OWN_PID,     /* of the process that loads the filter */
	SB_ZYGOTE_PID,
	SB_ZYGOTE_GROUP /* minus the zygote's pid, as kill(2) takes a group */
};

/* (argument & mask) == value, or != with @differs (SB_ALL_BITS only). */
struct sb_cmp {
	uint8_t arg;
	bool differs;
	uint8_t whose; /* enum sb_whose; anything but SB_NUMBER gives the value */
	uint64_t mask, value;
};

/* The processes that rows speak of. */
struct sb_pids {
	uint32_t own, zygote;
};

/* One row. With values_n, argument @list_arg must also equal one of @values (32 bits wide). */
struct sb_rule {
	const char *name; /* as in libseccomp */
	enum sb_action action;
	enum sb_where where;
	uint8_t cmps_n;
	struct sb_cmp cmps[SB_CMPS_MAX];
	uint8_t list_arg;
	uint8_t values_n;
	const uint32_t *values;
};

/* A table is made of parts, so that stricter and laxer profiles share what they have in common. */
struct sb_part {
	const struct sb_rule *rules;
	size_t rules_n;
};

struct sb_profile {
	const char *name;
	size_t parts_n;
	const struct sb_part *const *parts;
};

/** The profile of that name ("strict", "php", "legacy"), or NULL. Static. */
const struct sb_profile *sb_profile_find(const char *name);

/** Row @i counted through all parts, or NULL past the end. */
const struct sb_rule *sb_profile_rule(const struct sb_profile *p, size_t i);

/** Whether @rule fits a call with these arguments: what the compiled filter must do, for tests. Pure. */
bool sb_rule_fits(const struct sb_rule *rule, const uint64_t args[6], const struct sb_pids *pids);

#endif
