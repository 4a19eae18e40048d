/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_lex.h"

#include <limits.h>
#include <string.h>

#include "conf/conf_util.h"

/* From octet `at` of the joined line on, octets come from this place. */
struct piece {
	size_t at;
	unsigned line, column;
};

void conf_lexer_init(struct conf_lexer *lx, const char *in, size_t len, struct arena *a)
{
	memset(lx, 0, sizeof(*lx));
	lx->in = in;
	lx->len = len;
	lx->next_line = 1;
	lx->a = a;
	buf_init(&lx->text);
	buf_init(&lx->pieces);
}

void conf_lexer_fini(struct conf_lexer *lx)
{
	buf_fini(&lx->text);
	buf_fini(&lx->pieces);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\v' || c == '\f';
}

/* Place of octet @at of the joined line. Callers ask in rising order, so the search goes on where it ended. */
static void lex_place(struct conf_lexer *lx, size_t at, unsigned *line, unsigned *column)
{
	const struct piece *p = (const struct piece *)(const void *)lx->pieces.data;
	size_t n = lx->pieces.len / sizeof(*p), far;

	if (lx->piece >= n || p[lx->piece].at > at)
		lx->piece = 0;
	while (lx->piece + 1 < n && p[lx->piece + 1].at <= at)
		lx->piece++;
	far = at - p[lx->piece].at;
	*line = p[lx->piece].line;
	*column = far > UINT_MAX - p[lx->piece].column ? UINT_MAX : p[lx->piece].column + (unsigned)far;
}

static int lex_fail(struct conf_lexer *lx, size_t at, const char *why)
{
	lx->why = why;
	lex_place(lx, at, &lx->why_line, &lx->why_column);
	return GW_ERR_PROTO;
}

/* Join physical lines into lx->text (NUL-terminated, not counted). Returns 1, 0 at the end, or an error. */
static int lex_join(struct conf_lexer *lx)
{
	bool more = true;

	buf_reset(&lx->text);
	buf_reset(&lx->pieces);
	lx->piece = 0;
	if (lx->pos >= lx->len)
		return 0;
	while (more && lx->pos < lx->len) {
		const char *from = lx->in + lx->pos, *nl = memchr(from, '\n', lx->len - lx->pos);
		size_t n = nl == NULL ? lx->len - lx->pos : (size_t)(nl - from), used = n + (nl != NULL);
		struct piece p = {.at = lx->text.len, .line = lx->next_line, .column = 1};

		if (n > 0 && nl != NULL && from[n - 1] == '\r')
			n--;
		more = nl != NULL && n > 0 && from[n - 1] == '\\';
		n -= more;
		if (buf_append(&lx->pieces, &p, sizeof(p)) != GW_OK || buf_append(&lx->text, from, n) != GW_OK)
			return GW_ERR_NOMEM;
		lx->pos += used;
		lx->next_line++;
	}
	return buf_append(&lx->text, "", 1) == GW_OK ? 1 : GW_ERR_NOMEM;
}

static bool is_escape(const char *s, size_t at, size_t len, char quote)
{
	return s[at] == '\\' && at + 1 < len && (s[at + 1] == '\\' || (quote != '\0' && s[at + 1] == quote));
}

/* One word of the joined line from *@pos on; *@pos is moved behind it. */
static int lex_word(struct conf_lexer *lx, const char *s, size_t len, size_t *pos, struct conf_word *w)
{
	size_t at = *pos, end;
	char quote = s[at] == '"' || s[at] == '\'' ? s[at] : '\0', *out;

	lex_place(lx, at, &w->line, &w->column);
	w->quoted = quote != '\0';
	for (end = at + w->quoted; end < len && (w->quoted ? s[end] != quote : !is_blank(s[end])); end++)
		end += is_escape(s, end, len, quote);
	if (w->quoted && end >= len)
		return lex_fail(lx, at, "the quote is not closed on this line");
	w->text = out = arena_alloc(lx->a, end - at + 1);
	if (out == NULL)
		return GW_ERR_NOMEM;
	for (size_t i = at + w->quoted; i < end; i++) {
		i += is_escape(s, i, len, quote);
		*out++ = s[i];
	}
	*out = '\0';
	*pos = end + (quote != '\0');
	return GW_OK;
}

/* The end of what stands between < and >, or 0: a comment may follow the bracket. */
static size_t section_end(const char *s, size_t len)
{
	size_t at = len;

	if (s[len - 1] == '>')
		return len - 1;
	while (at > 1) {
		if (s[--at] != '>')
			continue;
		size_t next = at + 1;
		while (next < len && is_blank(s[next]))
			next++;
		return s[next] == '#' ? at : 0;
	}
	return 0;
}

static int lex_words(struct conf_lexer *lx, const char *s, size_t len, size_t pos, struct conf_line *out)
{
	while (pos < len) {
		struct conf_word *v;
		int rc;
		if (is_blank(s[pos])) {
			pos++;
			continue;
		}
		v = conf_push(lx->a, out->words, out->words_n, sizeof(*v));
		if (v == NULL)
			return GW_ERR_NOMEM;
		out->words = v;
		rc = lex_word(lx, s, len, &pos, &v[out->words_n]);
		if (rc != GW_OK)
			return rc;
		out->words_n++;
	}
	return GW_OK;
}

static int lex_line(struct conf_lexer *lx, size_t at, size_t len, struct conf_line *out, bool skim)
{
	const char *s = (const char *)lx->text.data;
	const char *nul = memchr(s, '\0', len);
	size_t name_at = at, name_end;
	int rc;

	if (!skim && nul != NULL)
		return lex_fail(lx, (size_t)(nul - s), "a NUL octet");
	if (!skim && len - at > CONF_LEX_LINE_MAX)
		return lex_fail(lx, at, "the line is too long");
	if (s[at] == '<') {
		size_t end = section_end(s + at, len - at);
		if (!skim && end == 0)
			return lex_fail(lx, len - 1, "a section line must end in '>'");
		if (end != 0)
			len = at + end;
		out->kind = CONF_LINE_OPEN;
		name_at++;
		if (name_at < len && s[name_at] == '/') {
			out->kind = CONF_LINE_CLOSE;
			name_at++;
		}
	}
	for (name_end = name_at; name_end < len && !is_blank(s[name_end]);)
		name_end++;
	lex_place(lx, at, &out->name.line, &out->name.column);
	out->name.text = arena_strndup(lx->a, s + name_at, name_end - name_at);
	if (out->name.text == NULL)
		return GW_ERR_NOMEM;
	if (skim)
		return 1;
	if (name_end == name_at)
		return lex_fail(lx, at, "a section without a name");
	rc = lex_words(lx, s, len, name_end, out);
	if (rc != GW_OK)
		return rc;
	if (out->kind == CONF_LINE_CLOSE && out->words_n > 0)
		return lex_fail(lx, name_end, "words after the name of a closed section");
	return 1;
}

static int lex_next(struct conf_lexer *lx, struct conf_line *out, bool skim)
{
	for (;;) {
		const char *s;
		size_t at, len;
		int rc = lex_join(lx);

		if (rc <= 0)
			return rc;
		memset(out, 0, sizeof(*out));
		s = (const char *)lx->text.data;
		len = lx->text.len - 1;
		for (at = 0; at < len && is_blank(s[at]);)
			at++;
		while (len > at && is_blank(s[len - 1]))
			len--;
		if (at == len || s[at] == '#')
			continue;
		if (!skim && len - at >= 3 && memcmp(s + at, "\xef\xbb\xbf", 3) == 0)
			return lex_fail(lx, at, "a byte order mark: save the file as plain UTF-8");
		return lex_line(lx, at, len, out, skim);
	}
}

int conf_lexer_next(struct conf_lexer *lx, struct conf_line *out)
{
	return lex_next(lx, out, false);
}

int conf_lexer_skim(struct conf_lexer *lx, struct conf_line *out)
{
	return lex_next(lx, out, true);
}
