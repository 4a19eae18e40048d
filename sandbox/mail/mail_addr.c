/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/mail/mail_addr.h"

#include <string.h>
#include <strings.h>

bool mail_addr_ok(const char *s, size_t len)
{
	bool quoted = false;

	if (len == 0 || len > MAIL_ADDR_MAX || s[0] == '-')
		return false;
	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)s[i];
		if (c < ' ' || c == 0x7f)
			return false;
		if (c == '\\' && quoted) {
			if (++i == len || (unsigned char)s[i] < ' ' || s[i] == 0x7f)
				return false;
		} else if (c == '"') {
			quoted = !quoted;
		} else if (!quoted && strchr(" <>()[],;:\\", c) != NULL) {
			/* A domain may be an address in brackets. */
			bool literal = (c == '[' && i > 0 && s[i - 1] == '@') || (c == ']' && i + 1 == len) ||
				       (c == ':' && memchr(s, '[', i) != NULL);
			if (!literal)
				return false;
		}
	}
	return !quoted;
}

/* Reads one list; the address under way is copied without comments and folding. */
struct list {
	const char *in;
	size_t len, at;
	char addr[MAIL_ADDR_MAX + 1];
	size_t n;
	bool full, bracket, closed; /* inside < >; the brackets of this address are closed */
	mail_addr_fn *fn;
	void *arg;
};

static void keep(struct list *l, char c)
{
	if (l->n == sizeof(l->addr))
		l->full = true;
	else
		l->addr[l->n++] = c;
}

/* A comment, nested or not, counts as nothing. */
static int skip_comment(struct list *l)
{
	unsigned depth = 0;

	for (; l->at < l->len; l->at++) {
		char c = l->in[l->at];
		if (c == '\\')
			l->at++;
		else if (c == '(')
			depth++;
		else if (c == ')' && --depth == 0)
			return 0;
	}
	return GW_ERR_PROTO;
}

/* A quoted string stays what it is: part of a local part, or of a name that is thrown away later. */
static int take_quoted(struct list *l)
{
	keep(l, '"');
	for (l->at++; l->at < l->len; l->at++) {
		char c = l->in[l->at];
		if (c == '\r' || c == '\n')
			continue;
		keep(l, c);
		if (c == '"')
			return 0;
		if (c == '\\' && ++l->at < l->len)
			keep(l, l->in[l->at]);
	}
	return GW_ERR_PROTO;
}

static int finish(struct list *l)
{
	int err = 0;

	if (l->bracket)
		return GW_ERR_PROTO;
	if (l->n > 0 || l->full)
		err = !l->full && mail_addr_ok(l->addr, l->n) ? l->fn(l->arg, l->addr, l->n) : GW_ERR_PROTO;
	else if (l->closed)
		err = GW_ERR_PROTO; /* "<>" is nobody */
	l->n = 0;
	l->full = l->closed = false;
	return err;
}

static int take(struct list *l, char c)
{
	switch (c) {
	case '(':
		return skip_comment(l);
	case '"':
		if (!l->closed)
			return take_quoted(l);
		return GW_ERR_PROTO;
	case '<':
		if (l->bracket || l->closed)
			return GW_ERR_PROTO;
		l->bracket = true;
		l->n = 0; /* what came before was a name */
		l->full = false;
		return 0;
	case '>':
		if (!l->bracket)
			return GW_ERR_PROTO;
		l->bracket = false;
		l->closed = true;
		return 0;
	case ',':
	case ';': /* the end of a group */
		return l->bracket ? GW_ERR_PROTO : finish(l);
	case ':':
		if (memchr(l->addr, '[', l->n) != NULL) {
			keep(l, c);
		} else {
			/* A group's name, or an old source route inside the brackets. A name with an address in it is neither: somebody
			 * tried to begin another field here. */
			if (!l->bracket && l->n > 0 && l->addr[0] != '"' && memchr(l->addr, '@', l->n) != NULL)
				return GW_ERR_PROTO;
			l->n = 0;
			l->full = false;
		}
		return 0;
	case ' ':
	case '\t':
	case '\r':
	case '\n':
		return 0;
	default:
		if (l->closed)
			return GW_ERR_PROTO;
		keep(l, c);
		return 0;
	}
}

/* Words of a name are separated by blanks, an address is one word: two without brackets are no address. */
static bool splits_word(const struct list *l)
{
	char c = l->in[l->at], before = l->n > 0 ? l->addr[l->n - 1] : '\0';

	return !l->bracket && !l->closed && l->n > 0 && l->at > 0 && strchr(" \t\r\n", l->in[l->at - 1]) != NULL &&
	       strchr(" \t\r\n,;:<(", c) == NULL && c != '@' && c != '.' && before != '@' && before != '.';
}

int mail_addr_list(const char *value, size_t len, mail_addr_fn *fn, void *arg)
{
	struct list l = {.in = value, .len = len, .fn = fn, .arg = arg};
	int err = 0;

	for (; l.at < len && err == 0; l.at++) {
		if (splits_word(&l))
			keep(&l, ' '); /* no address has a blank: refused at the end unless brackets follow */
		err = take(&l, value[l.at]);
	}
	return err != 0 ? err : finish(&l);
}

bool mail_addr_fits(const char *addr, const char *rule)
{
	const char *at = strrchr(addr, '@');

	if (strcasecmp(rule, "any") == 0)
		return true;
	if (rule[0] == '@')
		return at != NULL && strcasecmp(at, rule) == 0;
	return strcasecmp(addr, rule) == 0;
}
