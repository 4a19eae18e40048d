/* SPDX-License-Identifier: Apache-2.0 */
/** From the text of certificates and keys to an OpenSSL context. No file is opened here. */
#ifndef TLS_CTX_H
#define TLS_CTX_H

#include <openssl/ssl.h>

#include "conf/conf.h"
#include "gateway/tls/tls_store.h"

enum tls_where { TLS_AT_HOST, TLS_AT_CERT, TLS_AT_KEY, TLS_AT_CHAIN };

/* What is wrong, and with which of the files. */
struct tls_fault {
	uint32_t where; /* enum tls_where */
	uint32_t which; /* TLS_AT_CERT, TLS_AT_KEY: position in conf_tls.certs */
	char text[256];
};

/** A context as every connection of ours has it: versions, no renegotiation, no compression, no early data, no cache. NULL: memory. */
SSL_CTX *tls_ctx_plain(void);

/** A context that speaks as @t, with the files of @b. NULL with @f filled. Any thread. */
SSL_CTX *tls_ctx_new(const struct conf_tls *t, const struct tls_bundle *b, struct tls_fault *f) GW_MUST_USE;

/** What a connection that was begun with another context needs besides SSL_set_SSL_CTX(). False when memory is out. */
bool tls_ctx_apply(SSL *ssl, const struct conf_tls *t);

/** Whether OpenSSL knows a list of ciphers: NULL, or why not (static). For conf_load_opts.check_ciphers. */
const char *tls_check_ciphers(const char *list, bool tls13);

/** The certificate that @ctx shows first, borrowed; NULL: none. */
X509 *tls_ctx_leaf(SSL_CTX *ctx);

#endif
