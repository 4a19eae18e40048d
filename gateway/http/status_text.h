/* SPDX-License-Identifier: Apache-2.0 */
/** Reason phrases and the built-in error page. Pure, any thread. */
#ifndef STATUS_TEXT_H
#define STATUS_TEXT_H

#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

/** The registered reason phrase of @status (RFC 9110 section 15 and IANA's registry); for others the name of its class. Static. */
const char *status_reason(int status);

/** Append @s with &, <, >, " and ' as references, and control octets as "?". GW_ERR_NOMEM. */
int html_escape(struct buf *out, const char *s, size_t len) GW_MUST_USE;

/**
 * Append a small HTML page for @status: its number, its phrase and one sentence. @detail, when not NULL, is plain text
 * shown below (a peer's octets are safe there). Names neither product nor version. GW_ERR_NOMEM: nothing was appended.
 */
int status_page(struct buf *out, int status, const char *detail) GW_MUST_USE;

/** Append the HTML note that goes with a redirect to @url (any octets; escaped). GW_ERR_NOMEM: nothing was appended. */
int status_redirect_page(struct buf *out, int status, const char *url) GW_MUST_USE;

#endif
