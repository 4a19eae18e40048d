/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tls/tls_front.h"

#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/tls/tls_ctx.h"

/* A context of one conf_tls. */
struct site {
	_Atomic(SSL_CTX *) ctx; /* NULL: not made yet */
	bool failed;            /* under the lock */
};

struct tls_front {
	const struct conf *conf;
	const struct tls_store *store;
	struct ticket_ring *ring;
	pthread_rwlock_t ring_lock;
	pthread_mutex_t making; /* one context is made at a time; a handshake that wants another waits a millisecond */
	SSL_CTX *base;
	SSL_client_hello_cb_fn hello;
	SSL_CTX_alpn_select_cb_func alpn;
	void (*message)(int write, int version, int type, const void *buf, size_t len, SSL *ssl, void *arg);
	struct site *sites;     /* by conf_tls.index */
};

/* --- tickets ------------------------------------------------------------------------------------------------------------ */

static int use_key(const struct ticket_key *k, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int enc)
{
	char digest[] = "SHA256";
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_octet_string(OSSL_MAC_PARAM_KEY, (void *)(uintptr_t)k->hmac, sizeof(k->hmac)),
		OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest, 0),
		OSSL_PARAM_construct_end(),
	};

	if (EVP_MAC_CTX_set_params(mac, params) != 1)
		return 0;
	return enc ? EVP_EncryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->aes, iv)
		   : EVP_DecryptInit_ex(cipher, EVP_aes_256_cbc(), NULL, k->aes, iv);
}

/*
 * SSL_CTX_set_tlsext_ticket_key_evp_cb(3): 1 done, 2 done and the client shall get a new one, 0 a full handshake instead,
 * negative an error. In TLS 1.3 a ticket is used once: RFC 8446, appendix C.4.
 */
static int on_ticket(SSL *ssl, unsigned char *name, unsigned char *iv, EVP_CIPHER_CTX *cipher, EVP_MAC_CTX *mac, int enc)
{
	struct tls_front *f = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const struct ticket_key *k;
	bool newest = true;
	int ret = -1;

	pthread_rwlock_rdlock(&f->ring_lock);
	if (enc) {
		k = ticket_ring_newest(f->ring);
		if (k != NULL && RAND_bytes(iv, EVP_CIPHER_get_iv_length(EVP_aes_256_cbc())) == 1) {
			memcpy(name, k->name, sizeof(k->name));
			ret = use_key(k, iv, cipher, mac, 1) == 1 ? 1 : -1;
		}
	} else {
		k = ticket_ring_find(f->ring, name, &newest);
		if (k == NULL)
			ret = 0;
		else if (use_key(k, iv, cipher, mac, 0) == 1)
			ret = newest && SSL_version(ssl) != TLS1_3_VERSION ? 1 : 2;
	}
	pthread_rwlock_unlock(&f->ring_lock);
	return ret;
}

void tls_front_add_key(struct tls_front *f, const struct ticket_key *k)
{
	pthread_rwlock_wrlock(&f->ring_lock);
	ticket_ring_add(f->ring, k);
	pthread_rwlock_unlock(&f->ring_lock);
}

/* --- contexts ----------------------------------------------------------------------------------------------------------- */

/* Without this the client is not told that its server_name was used: RFC 6066 section 3. */
static int on_server_name(SSL *ssl, int *alert, void *arg)
{
	(void)ssl;
	(void)alert;
	(void)arg;
	return SSL_TLSEXT_ERR_OK;
}

static bool hook(struct tls_front *f, SSL_CTX *ctx)
{
	SSL_CTX_set_app_data(ctx, f);
	SSL_CTX_set_client_hello_cb(ctx, f->hello, f);
	SSL_CTX_set_alpn_select_cb(ctx, f->alpn, f);
	SSL_CTX_set_tlsext_servername_callback(ctx, on_server_name);
	SSL_CTX_set_msg_callback(ctx, f->message);
	/* As long as the oldest key of the ring is sure to be there. */
	SSL_CTX_set_timeout(ctx, (long)(f->conf->ticket_life_ms / 1000 * (TICKET_RING_KEYS - 1)));
	return SSL_CTX_set_tlsext_ticket_key_evp_cb(ctx, on_ticket) == 1;
}

static SSL_CTX *make(struct tls_front *f, const struct conf_tls *t)
{
	struct tls_fault fault;
	SSL_CTX *ctx = NULL;

	if (!f->store->v[t->index].good)
		return NULL; /* what is wrong was said when the configuration was loaded */
	ctx = tls_ctx_new(t, &f->store->v[t->index], &fault);
	if (ctx == NULL)
		log_err("site=%s TLS is not spoken: %s", t->server->name, fault.text);
	else if (!hook(f, ctx)) {
		SSL_CTX_free(ctx);
		ctx = NULL;
	}
	return ctx;
}

SSL_CTX *tls_front_ctx(struct tls_front *f, const struct conf_tls *t)
{
	struct site *s = &f->sites[t->index];
	SSL_CTX *ctx = atomic_load_explicit(&s->ctx, memory_order_acquire);

	if (ctx != NULL)
		return ctx;
	pthread_mutex_lock(&f->making);
	ctx = atomic_load_explicit(&s->ctx, memory_order_relaxed);
	if (ctx == NULL && !s->failed) {
		ctx = make(f, t);
		s->failed = ctx == NULL;
		atomic_store_explicit(&s->ctx, ctx, memory_order_release);
	}
	pthread_mutex_unlock(&f->making);
	return ctx;
}

struct tls_front *tls_front_new(const struct conf *c, const struct tls_store *store, struct ticket_ring *ring)
{
	struct tls_front *f = calloc(1, sizeof(*f));

	if (f == NULL)
		return NULL;
	f->conf = c;
	f->store = store;
	f->ring = ring;
	f->sites = calloc(c->tls_n, sizeof(*f->sites));
	/* Its own configuration file, the texts of errors, the random generator: all before the front's rules for files. */
	if (f->sites == NULL || OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL) != 1 ||
	    RAND_status() != 1 || pthread_rwlock_init(&f->ring_lock, NULL) != 0 || pthread_mutex_init(&f->making, NULL) != 0)
		goto bad;
	f->base = tls_ctx_plain();
	if (f->base != NULL)
		return f;
bad:
	free(f->sites);
	free(f);
	return NULL;
}

void tls_front_hooks(struct tls_front *f, SSL_client_hello_cb_fn hello, SSL_CTX_alpn_select_cb_func alpn,
	void (*message)(int write, int version, int type, const void *buf, size_t len, SSL *ssl, void *arg))
{
	f->hello = hello;
	f->alpn = alpn;
	f->message = message;
	if (!hook(f, f->base))
		log_err("no tickets: out of memory");
}

SSL_CTX *tls_front_base(const struct tls_front *f)
{
	return f->base;
}

const struct conf *tls_front_conf(const struct tls_front *f)
{
	return f->conf;
}
