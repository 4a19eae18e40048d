/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Which content coding a client takes (Accept-Encoding, RFC 9110 sections 12.4.2 and 12.5.3). Pure, any thread.
 *
 *	struct accept_encoding a;
 *	accept_encoding_init(&a);
 *	for each Accept-Encoding line: accept_encoding_add(&a, value, len);
 *	coding = accept_encoding_choose(&a, CODING_BIT(CODING_BR) | CODING_BIT(CODING_GZIP));
 */
#ifndef ACCEPT_ENCODING_H
#define ACCEPT_ENCODING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/err.h"

/* In the order in which we offer them when a client likes several alike: the last is the smallest. */
enum coding { CODING_IDENTITY, CODING_GZIP, CODING_BR, CODINGS_N };

#define CODING_BIT(c) (1u << (c))

/* What the lines seen so far say. Private to this module. */
struct accept_encoding {
	bool present;             /* there was a line: without one only identity is sent, since such clients decode nothing */
	int16_t q[CODINGS_N];     /* thousandths; -1: not named */
	int16_t any;              /* "*" */
};

/** No line yet. Caller storage. */
void accept_encoding_init(struct accept_encoding *a);

/**
 * One field line's value. An element that is malformed in any way (a bad weight, a parameter other than q) counts as
 * refused: what cannot be understood must not make a body unreadable. "x-gzip" is gzip. Of one named twice the first counts.
 */
void accept_encoding_add(struct accept_encoding *a, const char *value, size_t len);

/** Thousandths of the weight that the client gives @c; 0: not acceptable. An identity that nothing speaks of has 1. */
unsigned accept_encoding_weight(const struct accept_encoding *a, enum coding c);

/**
 * The best of @offered (CODING_BIT()s; identity need not be among them). Identity when nothing else is acceptable, also
 * where a client refuses that: a body it can most likely read is better than an error.
 */
enum coding accept_encoding_choose(const struct accept_encoding *a, unsigned offered);

/** "gzip", "br"; "identity". Static. */
const char *coding_name(enum coding c);

#endif
