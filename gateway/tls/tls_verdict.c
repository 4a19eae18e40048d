/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Trust: certificates are often files of customers, and decoders of ASN.1 have a history. What decodes them here holds the
 * keys of all hosts, but has no way to tell them to anybody: no descriptor but a pipe to its parent, no file, no network, no
 * capability; and what it says is a few bounded texts.
 */
#include "gateway/tls/tls_verdict.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/io.h"
#include "sandbox/sb_cred.h"
#include "sandbox/sb_landlock.h"

#define CHECK_MS 60000 /* for all files of a configuration together */
#define CHECK_CPU_S 60

/* --- in the child ------------------------------------------------------------------------------------------------------- */

static void say(int out, struct tls_verdict *v, uint32_t kind)
{
	v->kind = kind;
	if (io_write_all(out, v, sizeof(*v)) < 0)
		_exit(EXIT_FAILURE);
}

static int64_t seconds_of(const ASN1_TIME *t)
{
	struct tm tm;

	if (t == NULL || ASN1_TIME_to_tm(t, &tm) != 1)
		return 0;
	return (int64_t)timegm(&tm);
}

static void describe(X509 *leaf, char *out, size_t size)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *text = NULL;
	long n = 0;

	out[0] = '\0';
	if (b != NULL && X509_NAME_print_ex(b, X509_get_subject_name(leaf), 0, XN_FLAG_ONELINE & ~ASN1_STRFLGS_ESC_MSB) >= 0)
		n = BIO_get_mem_data(b, &text);
	if (n > 0)
		snprintf(out, size, "%.*s", (int)n, text);
	BIO_free(b);
}

static void warn_leaf(int out, struct tls_verdict *v, size_t which, X509 *leaf, const struct conf_server *s)
{
	int from = X509_cmp_current_time(X509_get0_notBefore(leaf)), until = X509_cmp_current_time(X509_get0_notAfter(leaf));

	v->what.where = TLS_AT_CERT;
	v->what.which = (uint32_t)which;
	if (from > 0 || until < 0) {
		snprintf(v->what.text, sizeof(v->what.text), from > 0 ? "the certificate is not valid yet" : "the certificate has expired");
		say(out, v, TLS_V_WARN);
	}
	if (X509_check_host(leaf, s->name, 0, 0, NULL) == 0) {
		snprintf(v->what.text, sizeof(v->what.text), "the certificate is not made for %.200s", s->name);
		say(out, v, TLS_V_WARN);
	}
}

static void look(int out, const struct conf *c, const struct tls_store *s, size_t i)
{
	struct tls_verdict v = {.index = (uint32_t)i};
	SSL_CTX *ctx = tls_ctx_new(c->tls[i], &s->v[i], &v.what);

	if (ctx == NULL) {
		say(out, &v, TLS_V_ERROR);
		return;
	}
	X509 *leaf = tls_ctx_leaf(ctx);
	if (leaf != NULL) {
		struct tls_verdict w = {.index = (uint32_t)i};
		warn_leaf(out, &w, 0, leaf, c->tls[i]->server);
		describe(leaf, v.what.text, TLS_SUBJECT_MAX);
		v.not_after = seconds_of(X509_get0_notAfter(leaf));
	}
	say(out, &v, TLS_V_GOOD);
	SSL_CTX_free(ctx);
}

/* Everything that could be used for harm goes; what OpenSSL wants to read it has read by then. */
static void lock(const struct conf *c, bool privileged, int *out)
{
	struct sb_cred cred = {.uid = c->front.uid, .gid = c->front.gid, .groups_n = c->front.groups_n, .groups = c->front.groups};
	const struct rlimit cpu = {CHECK_CPU_S, CHECK_CPU_S}, none = {0, 0};
	struct sb_landlock l;
	const char *step;
	int err;

	if (io_close_except(out, 1) < 0)
		_exit(EXIT_FAILURE);
	err = sb_landlock_open(&l, SB_FS_ALL, SB_NET_BIND_TCP | SB_NET_CONNECT_TCP, SB_SCOPE_SIGNAL);
	if (err != 0 && err != GW_ERR_DENIED) /* denied: the kernel has no Landlock */
		_exit(EXIT_FAILURE);
	if (sb_cred_drop(&cred, privileged, &step) != 0 || (err == 0 && sb_landlock_enter(l.fd) < 0) ||
	    setrlimit(RLIMIT_CPU, &cpu) == -1 || setrlimit(RLIMIT_FSIZE, &none) == -1 || setrlimit(RLIMIT_NPROC, &none) == -1)
		_exit(EXIT_FAILURE);
}

_Noreturn static void child(const struct conf *c, const struct tls_store *s, const bool *wanted, bool privileged, int out)
{
	OPENSSL_init_ssl(OPENSSL_INIT_LOAD_SSL_STRINGS | OPENSSL_INIT_LOAD_CRYPTO_STRINGS, NULL);
	lock(c, privileged, &out);
	for (size_t i = 0; i < s->n; i++)
		if (wanted[i])
			look(out, c, s, i);
	_exit(EXIT_SUCCESS);
}

/* --- in the parent ------------------------------------------------------------------------------------------------------ */

static bool sane(struct tls_verdict *v, const struct conf *c, const bool *wanted)
{
	v->what.text[sizeof(v->what.text) - 1] = '\0';
	return v->index < c->tls_n && wanted[v->index] && v->kind >= TLS_V_GOOD && v->kind <= TLS_V_WARN && v->what.where <= TLS_AT_CHAIN &&
		(v->what.where == TLS_AT_HOST || v->what.where == TLS_AT_CHAIN || v->what.which < c->tls[v->index]->certs_n);
}

/* Until the child has said all, says nonsense, or lets its time pass. */
static void listen_to(int in, const struct conf *c, const bool *wanted, void (*said)(void *arg, const struct tls_verdict *v), void *arg)
{
	uint64_t end = io_now_ms() + CHECK_MS;
	struct tls_verdict v;
	size_t have = 0;

	for (uint64_t now = io_now_ms(); now < end; now = io_now_ms()) {
		struct pollfd p = {.fd = in, .events = POLLIN};
		int n = poll(&p, 1, (int)(end - now));
		if (n == -1 && errno != EINTR)
			return;
		if (n <= 0)
			continue;
		ssize_t got = read(in, (char *)&v + have, sizeof(v) - have);
		if (got == 0 || (got == -1 && errno != EINTR))
			return;
		have += got > 0 ? (size_t)got : 0;
		if (have < sizeof(v))
			continue;
		have = 0;
		if (!sane(&v, c, wanted))
			return;
		said(arg, &v);
	}
}

int tls_verdicts(const struct conf *c, struct tls_store *s, const bool *wanted, bool privileged,
	void (*said)(void *arg, const struct tls_verdict *v), void *arg)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		return GW_ERR_SYS;
	pid_t pid = secret_share(&s->mem, true) < 0 ? -1 : fork();
	if (pid == 0)
		child(c, s, wanted, privileged, ends[1]);
	int err = secret_share(&s->mem, false);
	close(ends[1]);
	if (pid > 0) {
		listen_to(ends[0], c, wanted, said, arg);
		kill(pid, SIGKILL);
		while (waitpid(pid, NULL, 0) == -1 && errno == EINTR)
			;
	}
	close(ends[0]);
	return pid == -1 ? GW_ERR_SYS : err;
}
