/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mail/smtp_dialog.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {"greeting", "EHLO", "HELO", "MAIL FROM", "RCPT TO", "DATA", "message", "end of message", "end"};

const char *smtp_step_name(enum smtp_step step)
{
	return names[step];
}

void smtp_dialog_init(struct smtp_dialog *d)
{
	d->step = SMTP_GREETING;
	d->rcpts_done = d->taken = 0;
	d->answer = (struct mail_answer){.status = MAIL_FAILED};
}

static int say(struct smtp_dialog *d, enum smtp_step step, int err)
{
	d->step = step;
	return err;
}

/* 4yz may go well later, 5yz never; anything else here is not what was asked for. */
static int fail(struct smtp_dialog *d, const struct smtp_reply *r, struct buf *out)
{
	const char *what = d->step == SMTP_RCPT ? d->rcpts : NULL;

	d->answer.status = r->code >= 500 ? MAIL_REFUSED : MAIL_FAILED;
	snprintf(d->answer.text, sizeof(d->answer.text), "the relay answers %s%s%.64s%s: %u %.128s", smtp_step_name(d->step),
		 what != NULL ? " <" : "", what != NULL ? what : "", what != NULL ? ">" : "", r->code, r->text);
	return say(d, SMTP_END, buf_puts(out, "QUIT\r\n"));
}

static int say_mail(struct smtp_dialog *d, const struct smtp_reply *r, struct buf *out)
{
	int err = buf_printf(out, "MAIL FROM:<%s>", d->from);

	/* The estimate may be low by the line ends and dots that are added: allowed by RFC 1870, 6. */
	if (err == 0 && (r->extensions & SMTP_SIZE) != 0)
		err = buf_printf(out, " SIZE=%zu", d->message_len);
	if (err == 0 && (r->extensions & SMTP_8BITMIME) != 0)
		err = buf_puts(out, " BODY=8BITMIME");
	return say(d, SMTP_MAIL, err != 0 ? err : buf_puts(out, "\r\n"));
}

/* Ask for the next recipient; after the last one, for the message. d->rcpts stays at the one that is asked for. */
static int say_rcpt(struct smtp_dialog *d, struct buf *out)
{
	if (d->rcpts_done == d->rcpts_n)
		return say(d, SMTP_DATA, buf_puts(out, "DATA\r\n"));
	if (d->rcpts_done > 0)
		d->rcpts += strlen(d->rcpts) + 1;
	d->rcpts_done++;
	return say(d, SMTP_RCPT, buf_printf(out, "RCPT TO:<%s>\r\n", d->rcpts));
}

/* RFC 2033 4.2: one reply for each recipient. The message is on its way when one took it; a second try would double it there. */
static int on_dot(struct smtp_dialog *d, const struct smtp_reply *r, struct buf *out)
{
	size_t replies = d->lmtp ? d->rcpts_n : 1;

	d->rcpts_done++;
	if (r->code < 300) {
		d->taken++;
		d->answer.status = MAIL_ACCEPTED;
	}
	if (r->code < 300 || d->taken == 0) {
		if (d->taken == 0)
			d->answer.status = r->code >= 500 ? MAIL_REFUSED : MAIL_FAILED;
		snprintf(d->answer.text, sizeof(d->answer.text), "%u %.240s", r->code, r->text);
	}
	if (d->rcpts_done < replies)
		return 0;
	if (d->taken > 0 && d->taken < replies)
		snprintf(d->answer.text, sizeof(d->answer.text), "%zu of %zu recipients took it", d->taken, replies);
	return say(d, SMTP_END, buf_puts(out, "QUIT\r\n"));
}

int smtp_dialog_reply(struct smtp_dialog *d, const struct smtp_reply *r, struct buf *out)
{
	bool good = r->code >= 200 && r->code < 300;

	switch (d->step) {
	case SMTP_GREETING:
		return good ? say(d, SMTP_EHLO, buf_printf(out, "%s %s\r\n", d->lmtp ? "LHLO" : "EHLO", d->helo)) : fail(d, r, out);
	case SMTP_EHLO:
		/* RFC 5321 3.2: a server of old knows HELO only. */
		if (r->code >= 500 && !d->lmtp)
			return say(d, SMTP_HELO, buf_printf(out, "HELO %s\r\n", d->helo));
		return good ? say_mail(d, r, out) : fail(d, r, out);
	case SMTP_HELO:
		return good ? say_mail(d, r, out) : fail(d, r, out);
	case SMTP_MAIL:
	case SMTP_RCPT:
		/* All recipients or none: what mail() says is then true of each. */
		return good ? say_rcpt(d, out) : fail(d, r, out);
	case SMTP_DATA:
		if (r->code == 354) {
			d->step = SMTP_BODY;
			return 0;
		}
		return fail(d, r, out);
	case SMTP_BODY: /* it has seen enough already */
		return fail(d, r, out);
	case SMTP_DOT:
		return on_dot(d, r, out);
	case SMTP_END:
		return 0;
	}
	return 0;
}

void smtp_dialog_sent(struct smtp_dialog *d)
{
	d->step = SMTP_DOT;
	d->rcpts_done = 0;
}
