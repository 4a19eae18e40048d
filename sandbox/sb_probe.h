/* SPDX-License-Identifier: Apache-2.0 */
/** Which of the layers this kernel lets this user have, found out by trying in a child. */
#ifndef SB_PROBE_H
#define SB_PROBE_H

#include <stdbool.h>
#include <stddef.h>

#include "sandbox/sb_layer.h"

struct sb_probe {
	unsigned layers;   /* bits of enum sb_layer that can be had; SB_LAYER_FILTER is not looked at and always among them */
	bool user_ns;      /* through a user namespace of our own: not root */
	int landlock_abi;  /* 0: none */
	const char *why;   /* the namespaces that are missing: why; static */
};

/** Try, once a process; later calls return the same. Forks: one thread. Static, never NULL. */
const struct sb_probe *sb_probe(void);

/** What is missing, for people, or "" ; into @out. */
void sb_probe_text(const struct sb_probe *p, char *out, size_t cap);

#endif
