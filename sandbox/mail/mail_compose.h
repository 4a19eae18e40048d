/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What sendmail -t does before anything is sent: find the recipients of a message in its fields, leave Bcc out, add the
 * fields that every message needs. Runs in a cell, on the site's own data. Pure.
 */
#ifndef MAIL_COMPOSE_H
#define MAIL_COMPOSE_H

#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

/* What is known about a message besides its text; borrowed. */
struct mail_facts {
	const char *date;       /* RFC 5322 date and time */
	const char *message_id; /* without < > */
	const char *from;       /* for a From field when there is none; "" leaves it out */
};

/**
 * Read @len octets of fields, an empty line and a body with any line ends. @rcpts gets the recipients, each with its NUL and
 * none twice; @out the message. Returns 0, GW_ERR_NOMEM, or GW_ERR_PROTO with *@why a static text: a To, Cc or Bcc field that
 * is no list of addresses, nobody to send to, too many.
 */
int mail_compose(const char *in, size_t len, const struct mail_facts *f, struct buf *rcpts, struct buf *out, const char **why) GW_MUST_USE;

/**
 * The sender that a sendmail command line names by -f or -r, which came through a shell's quoting: @out (of @size octets) gets
 * it, "" without one. Other options are passed over. Returns 0, or GW_ERR_PROTO when it is no address. The last one counts.
 */
int mail_command_sender(const char *command, char *out, size_t size) GW_MUST_USE;

#endif
