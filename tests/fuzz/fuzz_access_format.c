/* SPDX-License-Identifier: Apache-2.0 */
/* A log format up to the first NUL, then a peer's octets: one line comes out, whatever the peer sent. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/http/access_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct peer {
	const char *s;
	size_t len;
};

static const char *field(void *arg, const char *name, size_t *len)
{
	const struct peer *p = arg;

	(void)name;
	*len = p->len;
	return p->s;
}

/* A line of JSON: every octet of a string is printable or UTF-8, quotes and backslashes come from us alone, in pairs that hold. */
static void check_json(const struct buf *out)
{
	const uint8_t *s = buf_head(out);
	size_t n = buf_unread(out);
	bool in_string = false;

	if (n < 3 || s[0] != '{' || s[n - 1] != '\n' || s[n - 2] != '}')
		abort();
	for (size_t i = 0; i + 1 < n; i++) {
		if (s[i] < 0x20 || s[i] == 0x7f)
			abort();
		if (in_string && s[i] == '\\' && strchr("\"\\u", s[++i]) == NULL)
			abort();
		else if (s[i] == '"' && s[i - 1] != '\\')
			in_string = !in_string;
		else if (s[i] == '"' && !in_string)
			abort();
	}
	if (in_string && s[n - 3] != '"')
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size == 0 ? NULL : memchr(data, '\0', size);
	const char *why;
	size_t at;
	struct buf out;

	if (nul == NULL || size > 4096)
		return 0;
	struct peer p = {(const char *)nul + 1, size - (size_t)(nul - data) - 1};
	char *text = strndup(p.s, p.len);
	if (text == NULL)
		abort();
	struct access_event e = {.request_line = text, .path = text, .query = text, .user = text, .host_asked = text,
		.status = 200, .status_original = 200, .arg = &p, .request_field = field, .response_field = field, .env = field};
	struct access_format *f = access_format_new((const char *)data, &why, &at);
	if (f == NULL && (why == NULL || at >= (size_t)(nul - data)))
		abort();
	buf_init(&out);
	bool json = strncmp((const char *)data, "json:", 5) == 0;
	if (f != NULL && json && access_format_render(f, &e, &out) == GW_OK) {
		check_json(&out);
	} else if (f != NULL && !json && access_format_render(f, &e, &out) == GW_OK) {
		/* Line feeds come from the format alone, and the peer's quotes and NULs never do. */
		size_t lines = 1, found = 0;
		bool dates = false;
		for (const uint8_t *s = data; s < nul; s++) {
			lines += *s == '\n' || (*s == '\\' && s[1] == 'n');
			dates |= *s == 't'; /* strftime has a %n */
		}
		for (size_t i = 0; i < out.len; i++)
			found += out.data[i] == '\n';
		if ((found > lines && !dates) || memchr(out.data, '\0', out.len) != NULL)
			abort();
	}
	buf_fini(&out);
	access_format_free(f);
	free(text);
	return 0;
}
