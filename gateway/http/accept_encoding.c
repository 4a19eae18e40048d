/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/accept_encoding.h"

#include "gateway/http/http_chars.h"

#define NOT_NAMED (-1)
#define WHOLE 1000
#define LEAST 1 /* identity, when nothing is said of it: acceptable, after all that is named */

static const struct {
	const char *name; /* lower case */
	enum coding coding;
} names[] = {{"gzip", CODING_GZIP}, {"x-gzip", CODING_GZIP}, {"br", CODING_BR}, {"identity", CODING_IDENTITY}};

void accept_encoding_init(struct accept_encoding *a)
{
	a->present = false;
	a->any = NOT_NAMED;
	for (int i = 0; i < CODINGS_N; i++)
		a->q[i] = NOT_NAMED;
}

/* qvalue: 0 to 1 with at most three decimals (RFC 9110 12.4.2), in thousandths; 0 when it is anything else. */
static int16_t weight_of(const char *s, size_t len)
{
	int value = 0, unit = WHOLE;

	if (len == 0 || len > 5 || (s[0] != '0' && s[0] != '1') || (len > 1 && s[1] != '.'))
		return 0;
	for (size_t i = 0; i < len; i++) {
		if (i == 1)
			continue;
		if (!http_is_digit(s[i]))
			return 0;
		value += (s[i] - '0') * unit;
		unit /= 10;
	}
	return (int16_t)(value > WHOLE ? 0 : value);
}

/* What stands behind a coding's name: nothing, or ";q=" and a weight. */
static int16_t parameters(const char *s, size_t len)
{
	http_trim(&s, &len);
	if (len == 0)
		return WHOLE;
	if (*s != ';')
		return 0;
	s++;
	len--;
	http_trim(&s, &len);
	if (len < 2 || http_lower(s[0]) != 'q' || s[1] != '=')
		return 0;
	return weight_of(s + 2, len - 2);
}

static void element(struct accept_encoding *a, const char *s, size_t len)
{
	size_t n = 0;

	while (n < len && s[n] != ';' && s[n] != ' ' && s[n] != '\t')
		n++;
	int16_t q = parameters(s + n, len - n);
	if (n == 1 && s[0] == '*' && a->any == NOT_NAMED)
		a->any = q;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (http_equals(s, n, names[i].name) && a->q[names[i].coding] == NOT_NAMED)
			a->q[names[i].coding] = q;
}

void accept_encoding_add(struct accept_encoding *a, const char *value, size_t len)
{
	const char *elem;
	size_t elem_len;

	a->present = true;
	while (http_list_next(&value, &len, &elem, &elem_len))
		element(a, elem, elem_len);
}

unsigned accept_encoding_weight(const struct accept_encoding *a, enum coding c)
{
	if (!a->present)
		return c == CODING_IDENTITY ? WHOLE : 0;
	int q = a->q[c] != NOT_NAMED ? a->q[c] : a->any;
	if (q == NOT_NAMED)
		return c == CODING_IDENTITY ? LEAST : 0;
	return (unsigned)q;
}

enum coding accept_encoding_choose(const struct accept_encoding *a, unsigned offered)
{
	enum coding best = CODING_IDENTITY;
	unsigned best_weight = accept_encoding_weight(a, CODING_IDENTITY);

	for (int c = CODING_IDENTITY + 1; c < CODINGS_N; c++) {
		unsigned weight = (offered & CODING_BIT(c)) != 0 ? accept_encoding_weight(a, (enum coding)c) : 0;
		if (weight > 0 && weight >= best_weight) {
			best = (enum coding)c;
			best_weight = weight;
		}
	}
	return best;
}

const char *coding_name(enum coding c)
{
	static const char *const text[CODINGS_N] = {"identity", "gzip", "br"};

	return text[c];
}
