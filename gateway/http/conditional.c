/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/conditional.h"

#include <string.h>

#include "gateway/http/http_chars.h"
#include "gateway/http/http_date.h"

static bool is_weak(const char *tag, size_t len)
{
	return len >= 2 && tag[0] == 'W' && tag[1] == '/';
}

/* RFC 9110 8.8.3.2: strong comparison needs two strong tags, weak comparison forgets the mark. */
static bool tag_equals(const char *a, size_t a_len, const char *b, size_t b_len, bool strong)
{
	if (is_weak(a, a_len)) {
		if (strong)
			return false;
		a += 2;
		a_len -= 2;
	}
	if (is_weak(b, b_len)) {
		if (strong)
			return false;
		b += 2;
		b_len -= 2;
	}
	return a_len == b_len && memcmp(a, b, a_len) == 0;
}

/* Length of the entity tag at @s (a comma may stand between its quotes), 0 when there is none. */
static size_t tag_len(const char *s, size_t len)
{
	size_t quote = is_weak(s, len) ? 2 : 0;

	if (quote >= len || s[quote] != '"')
		return 0;
	const char *end = memchr(s + quote + 1, '"', len - quote - 1);
	return end == NULL ? 0 : (size_t)(end - s) + 1;
}

/* Whether the list names @etag, or is "*" (there is a representation). What is no tag is passed over. */
static bool list_names(const char *s, size_t len, const char *etag, bool strong)
{
	size_t etag_len = etag == NULL ? 0 : strlen(etag);

	http_trim(&s, &len);
	if (len == 1 && *s == '*')
		return true;
	while (len > 0) {
		size_t n = tag_len(s, len);
		if (n > 0 && etag != NULL && tag_equals(s, n, etag, etag_len, strong))
			return true;
		s += n;
		len -= n;
		const char *comma = len == 0 ? NULL : memchr(s, ',', len);
		if (comma == NULL)
			break;
		len -= (size_t)(comma - s) + 1;
		s = comma + 1;
		http_trim(&s, &len);
	}
	return false;
}

int cond_check(const struct cond_fields *f, const char *etag, time_t mtime, bool get)
{
	time_t date;

	/* RFC 9110 13.2.2, its numbers. Steps 1 and 2: */
	if (f->if_match != NULL) {
		if (!list_names(f->if_match, f->if_match_len, etag, true))
			return 412;
	} else if (f->if_unmodified_since != NULL) {
		date = http_date_parse(f->if_unmodified_since, f->if_unmodified_since_len);
		if (date != -1 && mtime > date)
			return 412;
	}
	/* Steps 3 and 4: */
	if (f->if_none_match != NULL) {
		if (list_names(f->if_none_match, f->if_none_match_len, etag, false))
			return get ? 304 : 412;
	} else if (get && f->if_modified_since != NULL) {
		date = http_date_parse(f->if_modified_since, f->if_modified_since_len);
		if (date != -1 && mtime <= date)
			return 304;
	}
	return 0;
}

/* RFC 9110 13.1.5: the part is only wanted of the very representation that the client holds a part of. */
static bool if_range_holds(const struct cond_fields *f, const char *etag, time_t mtime)
{
	const char *s = f->if_range;
	size_t len = f->if_range_len;

	if (s == NULL)
		return true;
	http_trim(&s, &len);
	if (len > 0 && (*s == '"' || is_weak(s, len)))
		return etag != NULL && tag_len(s, len) == len && tag_equals(s, len, etag, strlen(etag), true);
	time_t date = http_date_parse(s, len);
	return date != -1 && date == mtime;
}

/* 1*DIGIT; too large a number stands for the largest. Moves @*s. False when there is no digit. */
static bool take_number(const char **s, const char *end, uint64_t *n)
{
	const char *start = *s;

	for (*n = 0; *s < end && http_is_digit(**s); (*s)++)
		if (__builtin_mul_overflow(*n, 10, n) || __builtin_add_overflow(*n, (uint64_t)(**s - '0'), n)) {
			*n = UINT64_MAX;
			while (*s < end && http_is_digit(**s))
				(*s)++;
			return true;
		}
	return *s > start;
}

enum spec { SPEC_BAD, SPEC_UNSATISFIABLE, SPEC_RANGE, SPEC_EMPTY };

/* One range-spec: "first-", "first-last" or "-suffix". */
static enum spec take_spec(const char *s, size_t len, uint64_t size, struct range *out)
{
	const char *end = s + len;
	uint64_t first, last = UINT64_MAX;

	if (len > 0 && *s == '-') {
		s++;
		if (!take_number(&s, end, &last) || s != end)
			return SPEC_BAD;
		if (last == 0)
			return SPEC_UNSATISFIABLE;
		if (size == 0) /* satisfiable (14.1.2), with an empty part that Content-Range cannot name */
			return SPEC_EMPTY;
		*out = (struct range){last >= size ? 0 : size - last, size - 1};
		return SPEC_RANGE;
	}
	if (!take_number(&s, end, &first) || s == end || *s++ != '-')
		return SPEC_BAD;
	if (s < end && (!take_number(&s, end, &last) || s != end || last < first))
		return SPEC_BAD;
	if (first >= size)
		return SPEC_UNSATISFIABLE;
	*out = (struct range){first, last >= size ? size - 1 : last};
	return SPEC_RANGE;
}

/* RFC 9110 14.2: an answer larger than the whole, or more than two overlaps, is an attack or a broken client. */
static bool excessive(const struct range *r, int n, uint64_t size)
{
	uint64_t sum = 0;
	int overlaps = 0;

	for (int i = 0; i < n; i++) {
		/* Cannot wrap: it stops as soon as it passes size, and size is a file's, below 2^63. */
		sum += r[i].last - r[i].first + 1;
		if (sum > size)
			return true;
		for (int j = 0; j < i; j++)
			overlaps += r[i].first <= r[j].last && r[j].first <= r[i].last;
	}
	return overlaps > 2;
}

int range_parse(const struct cond_fields *f, const char *etag, time_t mtime, uint64_t size, struct range *out)
{
	const char *s = f->range, *spec;
	size_t len = f->range_len, spec_len;
	int specs = 0, n = 0;
	bool empty = false;

	if (s == NULL || size > INT64_MAX || !if_range_holds(f, etag, mtime))
		return 0;
	http_trim(&s, &len);
	if (len < 6 || !http_equals(s, 6, "bytes="))
		return 0;
	s += 6;
	len -= 6;
	while (http_list_next(&s, &len, &spec, &spec_len)) {
		if (spec_len == 0)
			continue;
		if (++specs > RANGES_MAX)
			return 0;
		enum spec kind = take_spec(spec, spec_len, size, &out[n]);
		if (kind == SPEC_BAD)
			return 0;
		n += kind == SPEC_RANGE;
		empty |= kind == SPEC_EMPTY;
	}
	if (specs == 0 || empty)
		return 0;
	if (n == 0)
		return -416;
	return excessive(out, n, size) ? 0 : n;
}
