/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/tls/tls_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/io.h"
#include "gateway/tls/tls_verdict.h"

#define FILE_MAX (1024 * 1024) /* octets of one file; a certificate with its chain has some thousand */
#define SLACK 1024             /* a file may be renewed between the first look and the second */
#define EXPIRES_SOON_S (7 * 86400)

/* One load under way. */
struct loading {
	const struct conf *c;
	struct tls_store *s;
	const struct tls_store *old;
	const struct tls_bundle **by_name; /* of old, sorted by identity */
	struct conf_diags *diags;
	bool *wanted;                      /* to be checked */
	bool *unread;                      /* a file of it cannot be read */
	size_t used;                       /* octets of the secret memory that are taken */
};

void tls_store_free(struct tls_store *s)
{
	if (s == NULL)
		return;
	for (size_t i = 0; s->v != NULL && i < s->n; i++) {
		free(s->v[i].pairs);
		free(s->v[i].identity);
	}
	secret_free(&s->mem);
	free(s->v);
	free(s);
}

/* --- what is said ------------------------------------------------------------------------------------------------------- */

static void say(const struct loading *l, bool error, size_t index, const struct tls_fault *f, const char *more)
{
	const struct conf_tls *t = l->c->tls[index];
	const struct conf_place *at = &t->at;
	const char *path = t->server->name, *what = "SSLEngine";

	if (f->where == TLS_AT_CERT) {
		at = &t->certs[f->which].cert_at;
		path = t->certs[f->which].cert;
		what = "SSLCertificateFile";
	} else if (f->where == TLS_AT_KEY) {
		at = &t->certs[f->which].key_at;
		path = t->certs[f->which].key;
		what = path == t->certs[f->which].cert ? "SSLCertificateFile" : "SSLCertificateKeyFile";
	} else if (f->where == TLS_AT_CHAIN) {
		at = &t->chain_at;
		path = t->chain;
		what = "SSLCertificateChainFile";
	}
	if (path == t->server->name)
		conf_diag_add(l->diags, error, at->file, at->line, at->column, "%s: %s: %s%s", what, path, f->text, more);
	else
		conf_diag_add(l->diags, error, at->file, at->line, at->column, "%s %s (%s): %s%s", what, path, t->server->name, f->text, more);
}

static void say_dates(const struct loading *l, size_t index, const struct tls_bundle *b)
{
	struct tls_fault f = {.where = TLS_AT_CERT};
	int64_t left = b->not_after - (int64_t)time(NULL);

	if (left > EXPIRES_SOON_S)
		return;
	if (left < 0)
		snprintf(f.text, sizeof(f.text), "the certificate has expired");
	else
		snprintf(f.text, sizeof(f.text), "the certificate expires in %d days", (int)(left / 86400));
	say(l, false, index, &f, "");
}

/* --- reading ------------------------------------------------------------------------------------------------------------ */

/* The file as it is now, at the end of what is used; @out->len is how much it may have, so that it takes nobody else's room. */
static bool read_text(struct loading *l, const char *path, struct tls_text *out, struct tls_fault *f)
{
	char *dst = (char *)l->s->mem.mem + l->used;
	size_t room = out->len, len = 0;
	struct stat st;
	/* A FIFO must not hold the master up. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd == -1 || fstat(fd, &st) == -1) {
		snprintf(f->text, sizeof(f->text), "%s", strerror(errno));
		io_close(&fd);
		return false;
	}
	ssize_t n = S_ISREG(st.st_mode) ? 1 : 0;
	while (n > 0 && len < room) {
		n = read(fd, dst + len, room - len);
		if (n == -1 && errno == EINTR)
			n = 1;
		else if (n > 0)
			len += (size_t)n;
	}
	if (n == -1)
		snprintf(f->text, sizeof(f->text), "%s", strerror(errno));
	else if (!S_ISREG(st.st_mode))
		snprintf(f->text, sizeof(f->text), "is not a regular file");
	else if (n > 0)
		snprintf(f->text, sizeof(f->text), "is larger than a certificate can be, or grew while it was read");
	io_close(&fd);
	*out = (struct tls_text){dst, f->text[0] != '\0' ? 0 : len};
	if (f->text[0] != '\0') {
		explicit_bzero(dst, len);
		return false;
	}
	l->used += len;
	return true;
}

/* Read all files of one conf_tls. What was read of a bundle that is not whole stays until the store goes. */
static bool read_bundle(struct loading *l, size_t index)
{
	const struct conf_tls *t = l->c->tls[index];
	struct tls_bundle *b = &l->s->v[index];
	struct tls_fault f = {.where = TLS_AT_HOST, .text = ""};
	bool ok = true;

	for (size_t i = 0; i < t->certs_n && ok; i++) {
		const struct conf_tls_cert *c = &t->certs[i];
		f = (struct tls_fault){.where = TLS_AT_CERT, .which = (uint32_t)i};
		ok = read_text(l, c->cert, &b->pairs[i].cert, &f);
		if (ok && c->key == c->cert) {
			b->pairs[i].key = b->pairs[i].cert;
		} else if (ok) {
			f.where = TLS_AT_KEY;
			ok = read_text(l, c->key, &b->pairs[i].key, &f);
		}
	}
	if (ok && t->chain != NULL) {
		f = (struct tls_fault){.where = TLS_AT_CHAIN};
		ok = read_text(l, t->chain, &b->chain, &f);
	}
	if (!ok)
		say(l, true, index, &f, "");
	return ok;
}

static size_t size_of(const char *path)
{
	struct stat st;
	size_t n = path != NULL && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size > 0 ? (size_t)st.st_size : 0;

	return n > FILE_MAX ? FILE_MAX : n + SLACK;
}

/* --- what was before ---------------------------------------------------------------------------------------------------- */

static const char *text_or(const char *s)
{
	return s != NULL ? s : "";
}

static char *identity_of(const struct conf_tls *t)
{
	struct buf b;
	int err;
	char *out = NULL;

	buf_init(&b);
	err = buf_printf(&b, "%u\n%s\n%s\n%s", t->versions, text_or(t->ciphers), text_or(t->suites), text_or(t->chain));
	for (size_t i = 0; i < t->certs_n && err == 0; i++)
		err = buf_printf(&b, "\n%s\n%s", t->certs[i].cert, t->certs[i].key);
	if (err == 0)
		err = buf_append(&b, "", 1);
	if (err == 0)
		out = strdup((const char *)buf_head(&b));
	buf_fini(&b);
	return out;
}

static int by_identity(const void *x, const void *y)
{
	const struct tls_bundle *const *a = x, *const *b = y;

	return strcmp((*a)->identity, (*b)->identity);
}

/* The bundle of the same files that the earlier store has, if it is usable. */
static const struct tls_bundle *before(const struct loading *l, const struct tls_bundle *b)
{
	const struct tls_bundle *const *found = l->old == NULL ? NULL :
		bsearch(&b, l->by_name, l->old->n, sizeof(*l->by_name), by_identity);

	return found != NULL && (*found)->good && (*found)->pairs_n == b->pairs_n ? *found : NULL;
}

static bool same_text(const struct tls_text *x, const struct tls_text *y)
{
	return x->len == y->len && (x->len == 0 || memcmp(x->data, y->data, x->len) == 0);
}

static bool same_content(const struct tls_bundle *x, const struct tls_bundle *y)
{
	for (size_t i = 0; i < x->pairs_n; i++)
		if (!same_text(&x->pairs[i].cert, &y->pairs[i].cert) || !same_text(&x->pairs[i].key, &y->pairs[i].key))
			return false;
	return same_text(&x->chain, &y->chain);
}

static void take_verdict(struct tls_bundle *b, const struct tls_bundle *from)
{
	b->good = true;
	b->not_after = from->not_after;
	memcpy(b->subject, from->subject, sizeof(b->subject));
}

static void copy_text(struct loading *l, struct tls_text *to, const struct tls_text *from)
{
	char *dst = (char *)l->s->mem.mem + l->used;

	if (from->len > 0)
		memcpy(dst, from->data, from->len);
	*to = (struct tls_text){dst, from->len};
	l->used += from->len;
}

static size_t octets_of(const struct tls_bundle *b)
{
	size_t n = b->chain.len;

	for (size_t i = 0; i < b->pairs_n; i++)
		n += b->pairs[i].cert.len + b->pairs[i].key.len;
	return n;
}

/* What is there now is of no use: go on with what was. */
static void keep_old(struct loading *l, size_t index)
{
	struct tls_bundle *b = &l->s->v[index];
	const struct tls_bundle *old = before(l, b);
	struct tls_fault f = {.where = TLS_AT_HOST};

	if (old == NULL)
		return;
	for (size_t i = 0; i < b->pairs_n; i++) {
		copy_text(l, &b->pairs[i].cert, &old->pairs[i].cert);
		copy_text(l, &b->pairs[i].key, &old->pairs[i].key);
	}
	copy_text(l, &b->chain, &old->chain);
	take_verdict(b, old);
	b->kept = true;
	snprintf(f.text, sizeof(f.text), "goes on with the certificate that it had");
	say(l, false, index, &f, "");
}

/* --- loading ------------------------------------------------------------------------------------------------------------ */

static void on_verdict(void *arg, const struct tls_verdict *v)
{
	struct loading *l = arg;
	struct tls_bundle *b = &l->s->v[v->index];

	l->wanted[v->index] = l->wanted[v->index] && v->kind == TLS_V_WARN; /* no longer without an answer */
	if (v->kind != TLS_V_GOOD) {
		say(l, v->kind == TLS_V_ERROR, v->index, &v->what, "");
		return;
	}
	b->good = true;
	b->not_after = v->not_after;
	memcpy(b->subject, v->what.text, sizeof(b->subject) - 1);
	b->subject[sizeof(b->subject) - 1] = '\0';
}

static bool prepare(struct loading *l)
{
	const struct conf *c = l->c;
	size_t total = 0, old_n = l->old != NULL ? l->old->n : 0;

	l->s->n = c->tls_n;
	l->s->v = calloc(c->tls_n + 1, sizeof(*l->s->v));
	l->wanted = calloc(c->tls_n + 1, sizeof(*l->wanted));
	l->unread = calloc(c->tls_n + 1, sizeof(*l->unread));
	l->by_name = calloc(old_n + 1, sizeof(*l->by_name));
	if (l->s->v == NULL || l->wanted == NULL || l->unread == NULL || l->by_name == NULL)
		return false;
	for (size_t i = 0; i < old_n; i++)
		l->by_name[i] = &l->old->v[i];
	qsort(l->by_name, old_n, sizeof(*l->by_name), by_identity);
	for (size_t i = 0; i < c->tls_n; i++) {
		const struct conf_tls *t = c->tls[i];
		struct tls_bundle *b = &l->s->v[i];
		b->pairs_n = t->certs_n;
		b->pairs = calloc(t->certs_n + 1, sizeof(*b->pairs));
		b->identity = identity_of(t);
		if (b->pairs == NULL || b->identity == NULL)
			return false;
		for (size_t k = 0; k < t->certs_n; k++) {
			b->pairs[k].cert.len = size_of(t->certs[k].cert);
			b->pairs[k].key.len = size_of(t->certs[k].key);
			total += b->pairs[k].cert.len + b->pairs[k].key.len;
		}
		b->chain.len = t->chain != NULL ? size_of(t->chain) : 0;
		total += b->chain.len;
		const struct tls_bundle *old = before(l, b);
		total += old != NULL ? octets_of(old) : 0;
	}
	return secret_new(&l->s->mem, total + 1) == GW_OK;
}

static void load(struct loading *l, bool privileged)
{
	static const struct tls_fault unsure = {.where = TLS_AT_HOST, .text = "the check of its certificates did not end: they are not used"};
	size_t wanted = 0;

	for (size_t i = 0; i < l->s->n; i++) {
		struct tls_bundle *b = &l->s->v[i];
		l->unread[i] = !read_bundle(l, i);
		const struct tls_bundle *old = l->unread[i] ? NULL : before(l, b);
		if (old != NULL && same_content(b, old)) {
			take_verdict(b, old);
			say_dates(l, i, b);
		} else {
			l->wanted[i] = !l->unread[i];
			wanted += l->wanted[i];
		}
	}
	if (wanted > 0 && tls_verdicts(l->c, l->s, l->wanted, privileged, on_verdict, l) < 0)
		conf_diag_add(l->diags, true, l->c->file, 1, 1, "no process to check certificates in: %s", strerror(errno));
	for (size_t i = 0; i < l->s->n; i++) {
		if (l->wanted[i])
			say(l, true, i, &unsure, "");
		if (!l->s->v[i].good)
			keep_old(l, i);
	}
}

struct tls_store *tls_store_load(const struct conf *c, const struct tls_store *old, bool privileged, struct conf_diags *diags, bool *none)
{
	struct tls_store *s = c->tls_n == 0 ? NULL : calloc(1, sizeof(*s));
	struct loading l = {.c = c, .s = s, .old = old, .diags = diags};

	*none = c->tls_n == 0;
	if (s == NULL)
		return NULL;
	if (prepare(&l)) {
		load(&l, privileged);
	} else {
		tls_store_free(s);
		s = NULL;
	}
	free(l.by_name);
	free(l.wanted);
	free(l.unread);
	return s;
}
