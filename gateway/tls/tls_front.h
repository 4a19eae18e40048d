/* SPDX-License-Identifier: Apache-2.0 */
/**
 * TLS in a front: one context for each conf_tls, made at the first handshake that wants it, shared by all loops; the ring
 * of ticket keys, which all of them use and the master renews.
 */
#ifndef TLS_FRONT_H
#define TLS_FRONT_H

#include <openssl/ssl.h>

#include "conf/conf.h"
#include "gateway/tls/ticket_ring.h"
#include "gateway/tls/tls_store.h"

struct tls_front;

/**
 * Before the front gives its rights up: whatever OpenSSL wants to read from the disk it reads here. @store and @ring
 * (inherited from the master, both for good) are borrowed. NULL when memory is out.
 */
struct tls_front *tls_front_new(const struct conf *c, const struct tls_store *store, struct ticket_ring *ring) GW_MUST_USE;

/** A new key encrypts tickets from now on. Any thread. */
void tls_front_add_key(struct tls_front *f, const struct ticket_key *k);

/** What connections begin with; borrowed. */
SSL_CTX *tls_front_base(const struct tls_front *f);

/** The configuration, borrowed. */
const struct conf *tls_front_conf(const struct tls_front *f);

/** The context of @t, borrowed; NULL when its certificates cannot be used. Any thread. */
SSL_CTX *tls_front_ctx(struct tls_front *f, const struct conf_tls *t);

/** Have all contexts of @f call this for each client's hello and each choice of a protocol. Before the first of them is made. */
void tls_front_hooks(struct tls_front *f, SSL_client_hello_cb_fn hello,
	int (*alpn)(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len, void *arg),
	void (*message)(int write, int version, int type, const void *buf, size_t len, SSL *ssl, void *arg));

#endif
