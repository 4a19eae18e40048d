/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The content of all certificate and key files that a configuration names, as the master read them. The octets of keys lie
 * in one piece of secret memory that only a front inherits, so that a front which crashed is replaced without another look
 * at the disk, and a file that was broken meanwhile takes nobody out of service. The master parses none of it: a child
 * without rights does, and says what it found.
 */
#ifndef TLS_STORE_H
#define TLS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "conf/conf.h"
#include "gateway/tls/secret.h"

#define TLS_SUBJECT_MAX 200

struct tls_text {
	const char *data; /* in the store's secret memory */
	size_t len;
};

struct tls_pair {
	struct tls_text cert, key;
};

/* The files of one conf_tls. */
struct tls_bundle {
	size_t pairs_n;
	struct tls_pair *pairs;        /* owned */
	struct tls_text chain;         /* empty: none */
	char *identity;                /* owned; the files' names and how TLS is spoken: what a later store finds it by */
	bool good;                     /* a context can be made of it */
	bool kept;                     /* the content is that of an earlier store: what is on the disk now is broken */
	char subject[TLS_SUBJECT_MAX]; /* of the first certificate; good only */
	int64_t not_after;             /* its last second, since the epoch; good only */
};

struct tls_store {
	struct secret mem;
	size_t n;                      /* conf.tls_n */
	struct tls_bundle *v;          /* by conf_tls.index */
};

/**
 * Read and check the files that @c names. What is wrong goes to @diags at its place in the configuration: an error for
 * what takes its hosts out of service (or keeps them at what @old, which may be NULL, has), a warning for certificates that
 * are out of date or made for another name. @privileged: the checking child becomes the front's user.
 * Returns NULL when memory is out, or when @c has no TLS at all (then *@none is true). One thread, master or -t.
 */
struct tls_store *tls_store_load(const struct conf *c, const struct tls_store *old, bool privileged, struct conf_diags *diags,
	bool *none) GW_MUST_USE;

/** Wipe and free. NULL is accepted. */
void tls_store_free(struct tls_store *s);

#endif
