/* SPDX-License-Identifier: Apache-2.0 */
/** mod_ssl's variables of a connection: for scripts (SSLOptions +StdEnvVars) and for the access log (%{NAME}x). */
#ifndef TLS_VARS_H
#define TLS_VARS_H

#include <stddef.h>

#include "gateway/tls/tls_session.h"

#define TLS_VAR_MAX 512 /* octets of a value; longer ones are cut */

/**
 * Value of variable @name in @out (TLS_VAR_MAX octets), NUL-terminated. Returns its length, or -1 when there is none of that
 * name, or nothing to say. After the handshake.
 */
int tls_var(const struct tls_session *s, const char *name, char *out);

/** Call @put for all that StdEnvVars promises. Returns 0, or the callback's error, which ends it. */
int tls_vars_each(const struct tls_session *s,
	int (*put)(void *arg, const char *name, size_t name_len, const char *value, size_t value_len), void *arg) GW_MUST_USE;

#endif
