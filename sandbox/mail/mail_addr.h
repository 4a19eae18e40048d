/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Addresses: those in the fields of a message, and those that may go on a line to a relay. Pure.
 * Source: RFC 5322, 3.4 (groups, comments, quoted strings, display names); RFC 5321, 4.1.2.
 */
#ifndef MAIL_ADDR_H
#define MAIL_ADDR_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/err.h"

#define MAIL_ADDR_MAX 320 /* octets: 64 of a local part, "@", 255 of a domain */

/**
 * Whether @s may stand between < and > of MAIL FROM or RCPT TO: no control character, no blank, no angle bracket outside a
 * quoted local part, not too long. What is left of being an address is the relay's to judge. "local" without a domain is
 * one, as for sendmail.
 */
bool mail_addr_ok(const char *s, size_t len);

/** Called for each address of a list, without brackets, comments and blanks around. Not 0: stop and return it. */
typedef int mail_addr_fn(void *arg, const char *addr, size_t len);

/**
 * Find the addresses in the value of a To, Cc or Bcc field, folded or not.
 * Returns 0, what @fn returned, or GW_ERR_PROTO for what is no list of addresses (an unclosed bracket, an address that
 * mail_addr_ok() refuses).
 */
int mail_addr_list(const char *value, size_t len, mail_addr_fn *fn, void *arg) GW_MUST_USE;

/** Whether @addr is allowed by @rule: "any", "@domain" (its domain, ASCII case ignored) or a whole address. */
bool mail_addr_fits(const char *addr, const char *rule);

#endif
