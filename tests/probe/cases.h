/* SPDX-License-Identifier: Apache-2.0 */
/** What the probe tries: one call with its arguments, and what a cell of each profile must see. */
#ifndef PROBE_CASES_H
#define PROBE_CASES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum probe_expect {
	REACHED, /* the kernel did it: same outcome as without a filter */
	EPERM_,  /* refused by the filter */
	ENOSYS_, /* denied by default */
	KILLED   /* violation: SIGSYS, with the number noted */
};

enum probe_profile { PROBE_STRICT, PROBE_PHP, PROBE_LEGACY, PROBE_PROFILES };

struct probe_case {
	const char *name;
	enum probe_expect expect[PROBE_PROFILES];
	uint64_t args[6];
	bool alarm;  /* would block: a timer ends it */
	bool zygote; /* in the zygote's place: before the delta is loaded */
};

/* Placeholder for an argument: replaced by the pid of the process that tries. */
#define OWN_PID UINT64_C(0xfeedfacecafebeef)

/* The same for the process that stands for the zygote, and minus its pid. */
#define ZYGOTE_PID UINT64_C(0xfeedfacecafebee0)
#define ZYGOTE_GROUP UINT64_C(0xfeedfacecafebee1)

/* A process that cannot be: above any pid the kernel gives. */
#define NOBODY UINT64_C(0x7ffffff0)

extern const struct probe_case probe_cases[];
extern const size_t probe_cases_n;

#endif
