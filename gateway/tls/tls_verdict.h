/* SPDX-License-Identifier: Apache-2.0 */
/** Looking at certificates and keys in a child that has no rights, no files and no network. Private to gateway/tls. */
#ifndef TLS_VERDICT_H
#define TLS_VERDICT_H

#include "gateway/tls/tls_ctx.h"
#include "gateway/tls/tls_store.h"

enum tls_verdict_kind { TLS_V_GOOD = 1, TLS_V_ERROR, TLS_V_WARN };

/* What the child says; one struct is one write to a pipe between two copies of one program. */
struct tls_verdict {
	uint32_t index;        /* conf_tls */
	uint32_t kind;         /* enum tls_verdict_kind */
	struct tls_fault what; /* TLS_V_GOOD: the text is the subject */
	int64_t not_after;     /* TLS_V_GOOD */
};

/**
 * Check the bundles of @s for which @wanted is true, and call @said for all that is found, in this process; a bundle about
 * which nothing was said could not be checked. Bounded in time. Returns 0, or negative when no child could be had.
 */
int tls_verdicts(const struct conf *c, struct tls_store *s, const bool *wanted, bool privileged,
	void (*said)(void *arg, const struct tls_verdict *v), void *arg) GW_MUST_USE;

#endif
