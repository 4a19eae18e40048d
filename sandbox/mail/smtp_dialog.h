/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What is said to a relay for one message, command by command; the caller moves the octets. Pure.
 * Source: RFC 5321, 3 and 4.1; RFC 2033 (LMTP); RFC 6152 (8BITMIME); RFC 1870 (SIZE).
 */
#ifndef SMTP_DIALOG_H
#define SMTP_DIALOG_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"
#include "sandbox/mail/mail_wire.h"
#include "sandbox/mail/smtp_reply.h"

enum smtp_step {
	SMTP_GREETING, SMTP_EHLO, SMTP_HELO, SMTP_MAIL, SMTP_RCPT, SMTP_DATA, /* a reply is awaited */
	SMTP_BODY,     /* the message is to be sent, then smtp_dialog_sent() */
	SMTP_DOT,      /* the reply, or with LMTP the replies, to the message */
	SMTP_END       /* `answer` says how it went; QUIT is said */
};

struct smtp_dialog {
	enum smtp_step step;
	bool lmtp;
	const char *helo, *from;  /* borrowed */
	const char *rcpts;        /* borrowed: NUL-terminated addresses, rcpts_n of them */
	size_t rcpts_n, rcpts_done, taken; /* asked for so far; LMTP: recipients that took the message */
	size_t message_len;
	struct mail_answer answer;
};

/** Begin; the caller has set helo, from, rcpts, rcpts_n, message_len and lmtp. */
void smtp_dialog_init(struct smtp_dialog *d);

/** The relay said @r: append what is said next to @out and go on to the next step. Returns 0 or GW_ERR_NOMEM. */
int smtp_dialog_reply(struct smtp_dialog *d, const struct smtp_reply *r, struct buf *out) GW_MUST_USE;

/** The message is sent, with its final dot. */
void smtp_dialog_sent(struct smtp_dialog *d);

/** Name of a step, for the log: "connection", "EHLO" ... Static. */
const char *smtp_step_name(enum smtp_step step);

#endif
