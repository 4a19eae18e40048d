/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mail/mail_compose.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "sandbox/mail/mail_addr.h"
#include "sandbox/mail/mail_wire.h"

enum field_use { USE_RCPTS = 1, USE_HIDE = 2 };
enum field_name { FIELD_TO, FIELD_CC, FIELD_BCC, FIELD_FROM, FIELD_DATE, FIELD_ID, FIELD_OTHER };

static const struct {
	const char *name;
	unsigned use;
} known[] = {
	[FIELD_TO] = {"To", USE_RCPTS},
	[FIELD_CC] = {"Cc", USE_RCPTS},
	[FIELD_BCC] = {"Bcc", USE_RCPTS | USE_HIDE},
	[FIELD_FROM] = {"From", 0},
	[FIELD_DATE] = {"Date", 0},
	[FIELD_ID] = {"Message-ID", 0},
};

struct compose {
	struct buf *rcpts, *out;
	size_t rcpts_n;
	unsigned seen; /* bit: enum field_name */
};

/* --- recipients ----------------------------------------------------------------------------------------------------- */

static bool is_there(const struct buf *rcpts, const char *addr, size_t len)
{
	const char *at = (const char *)buf_head(rcpts), *end = at == NULL ? NULL : at + buf_unread(rcpts);

	for (; at < end; at += strlen(at) + 1)
		if (strlen(at) == len && strncasecmp(at, addr, len) == 0)
			return true;
	return false;
}

static int add_rcpt(void *arg, const char *addr, size_t len)
{
	struct compose *c = arg;

	if (is_there(c->rcpts, addr, len))
		return 0;
	if (c->rcpts_n == MAIL_RCPTS_MAX || buf_unread(c->rcpts) + len + 1 > MAIL_RCPTS_OCTETS)
		return GW_ERR_RANGE;
	c->rcpts_n++;
	return buf_append(c->rcpts, addr, len) != 0 || buf_append(c->rcpts, "", 1) != 0 ? GW_ERR_NOMEM : 0;
}

/* --- fields --------------------------------------------------------------------------------------------------------- */

/* Octets of the line at @in without its end; *@next is where the following one begins. CRLF, LF and CR end a line. */
static size_t line_len(const char *in, size_t len, size_t *next)
{
	size_t n = 0;

	while (n < len && in[n] != '\n' && in[n] != '\r')
		n++;
	*next = n + (n < len) + (n + 1 < len && in[n] == '\r' && in[n + 1] == '\n');
	return n;
}

/* A field with its folded lines: from @in on; the octets it takes, line ends included. */
static size_t field_len(const char *in, size_t len)
{
	size_t next, at;

	line_len(in, len, &next);
	for (at = next; at < len && (in[at] == ' ' || in[at] == '\t'); at += next)
		line_len(in + at, len - at, &next);
	return at;
}

static enum field_name field_name(const char *in, size_t name_len)
{
	while (name_len > 0 && (in[name_len - 1] == ' ' || in[name_len - 1] == '\t'))
		name_len--;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++)
		if (strlen(known[i].name) == name_len && strncasecmp(in, known[i].name, name_len) == 0)
			return (enum field_name)i;
	return FIELD_OTHER;
}

static size_t blanks(const char *in, size_t len)
{
	size_t n = 0;

	while (n < len && strchr(" \t\r\n", in[n]) != NULL && in[n] != '\0')
		n++;
	return n;
}

static int take_field(struct compose *c, const char *in, size_t len, size_t colon)
{
	enum field_name name = field_name(in, colon);
	unsigned use = name == FIELD_OTHER ? 0 : known[name].use;
	int err = 0;

	/* mail("", ...) writes a To field for nobody. */
	if (use != 0 && blanks(in + colon + 1, len - colon - 1) == len - colon - 1)
		return 0;
	c->seen |= 1U << name;
	if ((use & USE_RCPTS) != 0)
		err = mail_addr_list(in + colon + 1, len - colon - 1, add_rcpt, c);
	if (err == 0 && (use & USE_HIDE) == 0)
		err = buf_append(c->out, in, len);
	return err;
}

/* Where the fields end: at an empty line, or at one that is no field. */
static int take_fields(struct compose *c, const char *in, size_t len, size_t *body)
{
	size_t at = 0, next;

	while (at < len) {
		size_t first = line_len(in + at, len - at, &next);
		const char *colon = memchr(in + at, ':', first);
		if (first == 0) {
			at += next;
			break;
		}
		if (colon == NULL || colon == in + at || in[at] == ' ' || in[at] == '\t')
			break;
		size_t n = field_len(in + at, len - at);
		int err = take_field(c, in + at, n, (size_t)(colon - in) - at);
		if (err != 0)
			return err;
		at += n;
	}
	*body = at;
	return 0;
}

/* Where the last field had no line end, there is one now. */
static int end_of_fields(struct buf *out)
{
	size_t n = buf_unread(out);

	return n == 0 || buf_head(out)[n - 1] == '\n' || buf_head(out)[n - 1] == '\r' ? 0 : buf_append(out, "\r\n", 2);
}

static int add_missing(const struct compose *c, const struct mail_facts *f)
{
	int err = end_of_fields(c->out);

	if (err == 0 && (c->seen & 1U << FIELD_FROM) == 0 && f->from[0] != '\0')
		err = buf_printf(c->out, "From: %s\r\n", f->from);
	if (err == 0 && (c->seen & 1U << FIELD_DATE) == 0)
		err = buf_printf(c->out, "Date: %s\r\n", f->date);
	if (err == 0 && (c->seen & 1U << FIELD_ID) == 0)
		err = buf_printf(c->out, "Message-ID: <%s>\r\n", f->message_id);
	/* RFC 5322 3.6.3: a field for somebody, and nobody shown. */
	if (err == 0 && (c->seen & (1U << FIELD_TO | 1U << FIELD_CC)) == 0)
		err = buf_puts(c->out, "To: undisclosed-recipients:;\r\n");
	return err != 0 ? err : buf_append(c->out, "\r\n", 2);
}

int mail_compose(const char *in, size_t len, const struct mail_facts *f, struct buf *rcpts, struct buf *out, const char **why)
{
	struct compose c = {.rcpts = rcpts, .out = out};
	size_t body = 0;
	int err = take_fields(&c, in, len, &body);

	*why = err == GW_ERR_PROTO ? "To, Cc or Bcc is not a list of addresses" : "too many recipients";
	if (err != 0)
		return err == GW_ERR_RANGE ? GW_ERR_PROTO : err;
	*why = "nobody to send to";
	if (c.rcpts_n == 0)
		return GW_ERR_PROTO;
	err = add_missing(&c, f);
	return err != 0 ? err : buf_append(out, in + body, len - body);
}

/* --- the command line ----------------------------------------------------------------------------------------------------- */

/* The next word after @at, as a shell would split it: backslash and both kinds of quotes. *@out: "" when it is too long. */
static const char *next_word(const char *at, char *out, size_t size)
{
	size_t n = 0;
	char quote = '\0';

	at += strspn(at, " \t\r\n");
	if (*at == '\0')
		return NULL;
	for (; *at != '\0' && (quote != '\0' || strchr(" \t\r\n", *at) == NULL); at++) {
		if (quote == '\0' && (*at == '\'' || *at == '"')) {
			quote = *at;
			continue;
		}
		if (*at == quote) {
			quote = '\0';
			continue;
		}
		if (*at == '\\' && quote != '\'' && at[1] != '\0')
			at++;
		if (n < size)
			out[n++] = *at;
	}
	out[n < size ? n : 0] = '\0';
	return at;
}

int mail_command_sender(const char *command, char *out, size_t size)
{
	char word[MAIL_ADDR_MAX + 8];
	bool is_next = false;

	out[0] = '\0';
	for (const char *at = command; (at = next_word(at, word, sizeof(word))) != NULL;) {
		bool named = strncmp(word, "-f", 2) == 0 || strncmp(word, "-r", 2) == 0;
		const char *addr = is_next ? word : named && word[2] != '\0' ? word + 2 : NULL;
		is_next = named && addr == NULL;
		if (addr == NULL)
			continue;
		size_t len = strlen(addr);
		if (len > 2 && addr[0] == '<' && addr[len - 1] == '>') {
			addr++;
			len -= 2;
		}
		if (len >= size || !mail_addr_ok(addr, len))
			return GW_ERR_PROTO;
		memcpy(out, addr, len);
		out[len] = '\0';
	}
	return is_next ? GW_ERR_PROTO : 0;
}
