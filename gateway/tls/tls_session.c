/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tls/tls_session.h"

#include <errno.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/tls/sni.h"
#include "gateway/tls/tls_ctx.h"

#define KEY_UPDATES_MAX 64 /* on one connection; each costs us two derivations and an answer, and nobody needs many */

struct tls_session {
	SSL *ssl;
	struct tls_front *front;
	const struct sockaddr *local;
	const struct conf_server *server;
	const char *alpn, *why;
	char *sni;
	int fd;
	unsigned key_updates;
	bool done;   /* the handshake */
	bool more;   /* something may wait inside: the last reader's room was full */
	bool refused;
	bool broken; /* nothing may be said any more */
};

/* --- the client's hello -------------------------------------------------------------------------------------------------- */

static bool take_sni(struct tls_session *s, SSL *ssl, int *alert)
{
	const unsigned char *ext;
	char name[SNI_MAX + 1];
	size_t len;

	if (SSL_client_hello_get0_ext(ssl, TLSEXT_TYPE_server_name, &ext, &len) != 1)
		return true;
	ssize_t n = sni_decode(ext, len, name);
	if (n < 0) {
		s->why = "malformed server_name";
		*alert = SSL_AD_DECODE_ERROR;
		return false;
	}
	if (n == 0)
		return true;
	free(s->sni);
	s->sni = strdup(name);
	*alert = SSL_AD_INTERNAL_ERROR;
	return s->sni != NULL;
}

/* The first thing that happens: whose certificate, which versions and ciphers. Twice when the client must try other parameters. */
static int on_hello(SSL *ssl, int *alert, void *arg)
{
	struct tls_session *s = SSL_get_app_data(ssl);
	struct tls_front *f = arg;

	if (!take_sni(s, ssl, alert))
		return SSL_CLIENT_HELLO_ERROR;
	s->server = conf_find_server(tls_front_conf(f), s->local, s->sni);
	const struct conf_tls *t = s->server->tls;
	SSL_CTX *ctx = t != NULL ? tls_front_ctx(f, t) : NULL;
	if (ctx == NULL) {
		s->refused = true;
		s->why = "the certificates of the host that it asks for cannot be used";
		*alert = s->sni != NULL ? SSL_AD_UNRECOGNIZED_NAME : SSL_AD_INTERNAL_ERROR;
		return SSL_CLIENT_HELLO_ERROR;
	}
	*alert = SSL_AD_INTERNAL_ERROR;
	if (SSL_set_SSL_CTX(ssl, ctx) == NULL || !tls_ctx_apply(ssl, t))
		return SSL_CLIENT_HELLO_ERROR;
	return SSL_CLIENT_HELLO_SUCCESS;
}

/* Where a client offers this protocol: its length octet; NULL: nowhere. */
static const unsigned char *offered(const unsigned char *in, unsigned in_len, const char *name)
{
	for (unsigned i = 0; i < in_len && in[i] < in_len - i; i += 1U + in[i])
		if (in[i] == strlen(name) && memcmp(in + i + 1, name, in[i]) == 0)
			return in + i;
	return NULL;
}

/* RFC 7301: a client that offers nothing we speak is told so, rather than misunderstood. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *out_len, const unsigned char *in, unsigned in_len, void *arg)
{
	static const char *const spoken[] = {"h2", "http/1.1"};
	struct tls_session *s = SSL_get_app_data(ssl);
	const struct conf_protocols p = s->server->protocols;

	(void)arg;
	for (unsigned k = 0; k < 2; k++) {
		const char *name = spoken[k ^ p.http1_first];
		const unsigned char *at = name[1] == '2' && (p.mask & CONF_PROTOCOL_H2) == 0 ? NULL : offered(in, in_len, name);
		if (at == NULL)
			continue;
		s->alpn = name;
		*out = at + 1;
		*out_len = *at;
		return SSL_TLSEXT_ERR_OK;
	}
	s->why = "no common protocol (ALPN)";
	return SSL_TLSEXT_ERR_ALERT_FATAL;
}

/* OpenSSL reads on as long as messages come: one who sends nothing but key updates is shut out here. */
static void on_message(int write, int version, int type, const void *buf, size_t len, SSL *ssl, void *arg)
{
	struct tls_session *s = SSL_get_app_data(ssl);

	(void)version;
	(void)arg;
	if (write != 0 || type != SSL3_RT_HANDSHAKE || s == NULL || !s->done || len == 0 ||
	    *(const unsigned char *)buf != SSL3_MT_KEY_UPDATE || ++s->key_updates <= KEY_UPDATES_MAX)
		return;
	s->why = "too many key updates";
	s->broken = true;
	shutdown(s->fd, SHUT_RDWR);
}

void tls_session_hooks(struct tls_front *f)
{
	tls_front_hooks(f, on_hello, on_alpn, on_message);
}

/* --- life ---------------------------------------------------------------------------------------------------------------- */

struct tls_session *tls_session_new(struct tls_front *f, int fd, const struct sockaddr *local)
{
	struct tls_session *s = calloc(1, sizeof(*s));

	if (s == NULL)
		return NULL;
	s->front = f;
	s->fd = fd;
	s->local = local;
	ERR_clear_error();
	s->ssl = SSL_new(tls_front_base(f));
	if (s->ssl == NULL || SSL_set_app_data(s->ssl, s) != 1 || SSL_set_fd(s->ssl, fd) != 1) {
		tls_session_free(s);
		return NULL;
	}
	SSL_set_accept_state(s->ssl);
	return s;
}

void tls_session_free(struct tls_session *s)
{
	if (s == NULL)
		return;
	SSL_free(s->ssl);
	free(s->sni);
	free(s);
}

/* What OpenSSL's answer means: GW_ERR_AGAIN, GW_ERR_CLOSED or GW_ERR_PROTO. */
static int failure(struct tls_session *s, int ret)
{
	int saved = errno;

	switch (SSL_get_error(s->ssl, ret)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return s->broken ? GW_ERR_PROTO : GW_ERR_AGAIN;
	case SSL_ERROR_ZERO_RETURN:
		return GW_ERR_CLOSED;
	case SSL_ERROR_SYSCALL:
		s->broken = true;
		s->why = s->why != NULL ? s->why : saved != 0 ? "the connection was lost" : "the client hung up";
		return GW_ERR_CLOSED;
	default:
		s->broken = true;
		if (s->why == NULL)
			s->why = ERR_reason_error_string(ERR_peek_error());
		ERR_clear_error();
		return GW_ERR_PROTO;
	}
}

int tls_session_handshake(struct tls_session *s, enum tls_need *need)
{
	*need = TLS_NEED_NONE;
	ERR_clear_error();
	errno = 0;
	int ret = SSL_do_handshake(s->ssl);
	if (ret == 1) {
		s->done = true;
		s->more = SSL_has_pending(s->ssl) == 1;
		s->local = NULL;
		return 1;
	}
	int err = failure(s, ret);
	if (err != GW_ERR_AGAIN)
		return err;
	*need = SSL_want_write(s->ssl) ? TLS_NEED_WRITE : TLS_NEED_READ;
	return 0;
}

ssize_t tls_session_recv(struct tls_session *s, void *out, size_t n)
{
	size_t done = 0, got;

	if (s->broken)
		return GW_ERR_PROTO;
	while (done < n) {
		ERR_clear_error();
		errno = 0;
		int ret = SSL_read_ex(s->ssl, (char *)out + done, n - done, &got);
		if (ret == 1) {
			done += got;
			continue;
		}
		int err = failure(s, ret);
		s->more = err != GW_ERR_AGAIN && done > 0; /* an end or an error is found again */
		if (done > 0)
			return (ssize_t)done;
		return err == GW_ERR_CLOSED && !s->broken ? 0 : err;
	}
	s->more = true;
	return (ssize_t)done;
}

bool tls_session_pending(const struct tls_session *s)
{
	return s->more;
}

ssize_t tls_session_send(struct tls_session *s, const void *data, size_t n)
{
	size_t sent;

	if (s->broken)
		return GW_ERR_PROTO;
	if (n == 0)
		return 0;
	ERR_clear_error();
	errno = 0;
	int ret = SSL_write_ex(s->ssl, data, n, &sent);
	if (ret == 1)
		return (ssize_t)sent;
	/* Waiting for the client's words before we may write: nothing that we agree to needs it. */
	if (SSL_want_read(s->ssl)) {
		s->broken = true;
		return GW_ERR_PROTO;
	}
	return failure(s, ret);
}

void tls_session_end(struct tls_session *s)
{
	if (!s->done || s->broken)
		return;
	ERR_clear_error();
	(void)SSL_shutdown(s->ssl);
	ERR_clear_error();
}

/* --- what is known -------------------------------------------------------------------------------------------------------- */

const char *tls_session_why(const struct tls_session *s)
{
	return s->why != NULL ? s->why : "unknown";
}

bool tls_session_refused(const struct tls_session *s)
{
	return s->refused;
}

const struct conf_server *tls_session_server(const struct tls_session *s)
{
	return s->server;
}

const char *tls_session_alpn(const struct tls_session *s)
{
	return s->alpn;
}

const char *tls_session_sni(const struct tls_session *s)
{
	return s->sni;
}

uint64_t tls_session_octets_in(const struct tls_session *s)
{
	return BIO_number_read(SSL_get_rbio(s->ssl));
}

SSL *tls_session_ssl(const struct tls_session *s)
{
	return s->ssl;
}
