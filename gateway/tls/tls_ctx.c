/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tls/tls_ctx.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Forward secrecy and authenticated encryption, which is also all that HTTP/2 allows: RFC 9113 section 9.2.2. */
#define CIPHERS_DEFAULT "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AESCCM"
#define CHAIN_MAX 20

/* --- what is wrong ------------------------------------------------------------------------------------------------------ */

static void fault(struct tls_fault *f, enum tls_where where, size_t which, const char *fmt, ...) GW_PRINTF(4, 5);

static void fault(struct tls_fault *f, enum tls_where where, size_t which, const char *fmt, ...)
{
	va_list ap;

	f->where = where;
	f->which = (uint32_t)which;
	va_start(ap, fmt);
	(void)vsnprintf(f->text, sizeof(f->text), fmt, ap);
	va_end(ap);
}

/* OpenSSL's last word, as it is. */
static const char *reason(void)
{
	const char *text = ERR_reason_error_string(ERR_peek_last_error());

	return text != NULL ? text : "out of memory";
}

static bool nothing_found(void)
{
	unsigned long e = ERR_peek_last_error();

	return ERR_GET_LIB(e) == ERR_LIB_PEM && ERR_GET_REASON(e) == PEM_R_NO_START_LINE;
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

static BIO *text_bio(const struct tls_text *t)
{
	return t->len > INT32_MAX ? NULL : BIO_new_mem_buf(t->data != NULL ? t->data : "", (int)t->len);
}

/* Nobody types a passphrase; that one is wanted is noted. */
static int no_passphrase(char *out, int size, int writing, void *asked)
{
	(void)out;
	(void)size;
	(void)writing;
	*(bool *)asked = true;
	return -1;
}

/* Certificates after the first, or all of a chain file. */
static bool add_chain(SSL_CTX *ctx, BIO *in, size_t *n)
{
	X509 *x;

	ERR_clear_error();
	while ((x = PEM_read_bio_X509(in, NULL, NULL, NULL)) != NULL) {
		if (++*n > CHAIN_MAX || SSL_CTX_add0_chain_cert(ctx, x) != 1) {
			X509_free(x);
			return false;
		}
	}
	return nothing_found();
}

/* Why add_chain() failed. @kind is said of the certificates. */
static void fault_in_chain(struct tls_fault *f, enum tls_where at, size_t i, size_t n, const char *kind)
{
	if (n > CHAIN_MAX)
		fault(f, at, i, "holds more than %d %scertificates", CHAIN_MAX, kind);
	else
		fault(f, at, i, "one of its %scertificates cannot be used: %s", kind, reason());
}

static bool use_cert(SSL_CTX *ctx, const struct tls_bundle *b, size_t i, struct tls_fault *f)
{
	BIO *in = text_bio(&b->pairs[i].cert);
	X509 *leaf = in == NULL ? NULL : PEM_read_bio_X509(in, NULL, NULL, NULL);
	size_t n = 0;
	bool ok = false;

	if (leaf == NULL && nothing_found())
		fault(f, TLS_AT_CERT, i, "holds no certificate in PEM form");
	else if (leaf == NULL || SSL_CTX_use_certificate(ctx, leaf) != 1)
		fault(f, TLS_AT_CERT, i, "its certificate cannot be used: %s", reason());
	else if (SSL_CTX_clear_chain_certs(ctx) != 1 || !add_chain(ctx, in, &n))
		fault_in_chain(f, TLS_AT_CERT, i, n, "further ");
	else
		ok = true;
	X509_free(leaf);
	BIO_free(in);
	return ok;
}

static bool use_chain(SSL_CTX *ctx, const struct tls_bundle *b, struct tls_fault *f)
{
	BIO *in = text_bio(&b->chain);
	size_t n = 0;
	bool ok = in != NULL && add_chain(ctx, in, &n) && n > 0;

	if (!ok && n == 0)
		fault(f, TLS_AT_CHAIN, 0, "holds no certificate in PEM form");
	else if (!ok)
		fault_in_chain(f, TLS_AT_CHAIN, 0, n, "");
	BIO_free(in);
	return ok;
}

/* After its certificate. A key of another kind would silently go beside it: hence the comparison here. */
static bool use_key(SSL_CTX *ctx, const struct tls_bundle *b, size_t i, struct tls_fault *f)
{
	BIO *in = text_bio(&b->pairs[i].key);
	bool asked = false, ok = false;

	ERR_clear_error();
	EVP_PKEY *key = in == NULL ? NULL : PEM_read_bio_PrivateKey(in, NULL, no_passphrase, &asked);
	if (key == NULL && asked)
		fault(f, TLS_AT_KEY, i, "the key has a passphrase, and nobody is asked for one: write it without (openssl pkey -in ... -out ...)");
	else if (key == NULL)
		fault(f, TLS_AT_KEY, i, "holds no private key in PEM form");
	else if (X509_check_private_key(SSL_CTX_get0_certificate(ctx), key) != 1)
		fault(f, TLS_AT_KEY, i, "the key does not belong to the certificate");
	else if (SSL_CTX_use_PrivateKey(ctx, key) != 1)
		fault(f, TLS_AT_KEY, i, "the key cannot be used: %s", reason());
	else
		ok = true;
	EVP_PKEY_free(key);
	BIO_free(in);
	return ok;
}

/* --- contexts ----------------------------------------------------------------------------------------------------------- */

SSL_CTX *tls_ctx_plain(void)
{
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());

	if (ctx == NULL)
		return NULL;
	SSL_CTX_set_options(ctx, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_IGNORE_UNEXPECTED_EOF |
		SSL_OP_PRIORITIZE_CHACHA);
	/* SSLHonorCipherOrder alone says whose order counts (tls_ctx_apply()), not the system's configuration of OpenSSL. */
	SSL_CTX_clear_options(ctx, SSL_OP_CIPHER_SERVER_PREFERENCE);
	/* An idle connection gives its record buffers back. */
	SSL_CTX_set_mode(ctx, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER | SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_read_ahead(ctx, 1);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
	if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 || SSL_CTX_set_max_early_data(ctx, 0) != 1 ||
	    SSL_CTX_set_cipher_list(ctx, CIPHERS_DEFAULT) != 1) {
		SSL_CTX_free(ctx);
		return NULL;
	}
	return ctx;
}

/* A session may be resumed where the same files are shown under the same words, whatever was renewed meanwhile. */
static bool set_session_id(SSL_CTX *ctx, const struct tls_bundle *b)
{
	unsigned char md[EVP_MAX_MD_SIZE];
	unsigned len = 0;

	return EVP_Digest(b->identity, strlen(b->identity), md, &len, EVP_sha256(), NULL) == 1 &&
		SSL_CTX_set_session_id_context(ctx, md, len) == 1;
}

static bool fill(SSL_CTX *ctx, const struct conf_tls *t, const struct tls_bundle *b, struct tls_fault *f)
{
	if (b->pairs_n == 0) {
		fault(f, TLS_AT_HOST, 0, "there is no SSLCertificateFile");
		return false;
	}
	/* First, since a list may lower the level of security that keys and certificates must have. */
	if ((t->ciphers != NULL && SSL_CTX_set_cipher_list(ctx, t->ciphers) != 1) ||
	    (t->suites != NULL && SSL_CTX_set_ciphersuites(ctx, t->suites) != 1)) {
		fault(f, TLS_AT_HOST, 0, "SSLCipherSuite: %s", reason());
		return false;
	}
	for (size_t i = 0; i < b->pairs_n; i++)
		if (!use_cert(ctx, b, i, f) || (t->chain != NULL && !use_chain(ctx, b, f)) || !use_key(ctx, b, i, f))
			return false;
	if (set_session_id(ctx, b))
		return true;
	fault(f, TLS_AT_HOST, 0, "out of memory");
	return false;
}

SSL_CTX *tls_ctx_new(const struct conf_tls *t, const struct tls_bundle *b, struct tls_fault *f)
{
	SSL_CTX *ctx;

	ERR_clear_error();
	ctx = tls_ctx_plain();
	if (ctx != NULL && fill(ctx, t, b, f)) {
		ERR_clear_error();
		return ctx;
	}
	if (ctx == NULL)
		fault(f, TLS_AT_HOST, 0, "no context for TLS: %s", reason());
	SSL_CTX_free(ctx);
	ERR_clear_error();
	return NULL;
}

bool tls_ctx_apply(SSL *ssl, const struct conf_tls *t)
{
	if (t->server_order)
		SSL_set_options(ssl, SSL_OP_CIPHER_SERVER_PREFERENCE);
	if (!t->tickets) {
		SSL_set_options(ssl, SSL_OP_NO_TICKET);
		if (SSL_set_num_tickets(ssl, 0) != 1)
			return false;
	}
	return SSL_set_min_proto_version(ssl, (t->versions & CONF_TLS_1_2) != 0 ? TLS1_2_VERSION : TLS1_3_VERSION) == 1 &&
		SSL_set_max_proto_version(ssl, (t->versions & CONF_TLS_1_3) != 0 ? TLS1_3_VERSION : TLS1_2_VERSION) == 1 &&
		(t->suites == NULL || SSL_set_ciphersuites(ssl, t->suites) == 1);
}

const char *tls_check_ciphers(const char *list, bool tls13)
{
	SSL_CTX *ctx = tls_ctx_plain();
	int ok = ctx == NULL ? 0 : tls13 ? SSL_CTX_set_ciphersuites(ctx, list) : SSL_CTX_set_cipher_list(ctx, list);

	SSL_CTX_free(ctx);
	ERR_clear_error();
	return ok == 1 ? NULL : tls13 ? "holds a name that OpenSSL does not know for TLS 1.3" : "gives no cipher that OpenSSL knows";
}

X509 *tls_ctx_leaf(SSL_CTX *ctx)
{
	if (SSL_CTX_set_current_cert(ctx, SSL_CERT_SET_FIRST) != 1)
		return NULL;
	return SSL_CTX_get0_certificate(ctx);
}
