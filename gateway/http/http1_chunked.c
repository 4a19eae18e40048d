/* SPDX-License-Identifier: Apache-2.0 */
/* Chunked transfer coding, RFC 9112 section 7.1, octet for octet: whatever two decoders could read in two ways is refused. */
#include <string.h>

#include "gateway/http/http1_internal.h"
#include "gateway/http/http_chars.h"

enum state {
	SIZE_FIRST,   /* at least one digit */
	SIZE,
	EXT_BLANK,    /* blanks after the size or an extension: only ";" may follow */
	EXT_NAME_FIRST,
	EXT_NAME,
	EXT_NAME_BLANK,
	EXT_VALUE_FIRST,
	EXT_VALUE,
	EXT_QUOTED,
	EXT_QUOTED_PAIR,
	EXT_QUOTED_END,
	SIZE_LF,
	DATA,
	DATA_CR,
	DATA_LF,
	TRAILER_FIRST, /* start of a trailer line, or of the empty line that ends the body */
	TRAILER_NAME,
	TRAILER_VALUE,
	TRAILER_LF,
	END_LF,
	DONE
};

void http1_chunked_init(struct http1_chunked *c)
{
	*c = (struct http1_chunked){.state = SIZE_FIRST};
}

/* One octet of a chunk's size. Returns the next state or minus a status. */
static int step_size(struct http1_chunked *c, char ch)
{
	int digit = http_hex(ch);

	if (digit >= 0) {
		if (c->left > (uint64_t)INT64_MAX >> 4)
			return http1_refuse(&c->why, 413, "chunk size beyond any length");
		c->left = c->left << 4 | (uint64_t)digit;
		return SIZE;
	}
	if (c->state == SIZE_FIRST)
		return -400;
	if (ch == '\r')
		return SIZE_LF;
	if (ch == ';')
		return EXT_NAME_FIRST;
	return ch == ' ' || ch == '\t' ? EXT_BLANK : -400;
}

/* chunk-ext = *( BWS ";" BWS name [ BWS "=" BWS value ] ) */
static int step_ext(struct http1_chunked *c, char ch)
{
	bool blank = ch == ' ' || ch == '\t', token = (http_char(ch) & HTTP_CH_TOKEN) != 0;
	bool text = (http_char(ch) & HTTP_CH_TEXT) != 0;

	if (++c->ext_len > c->lim.ext)
		return http1_refuse(&c->why, 400, "chunk extensions are past LimitRequestChunkExtensions");
	switch ((enum state)c->state) {
	case EXT_BLANK:
		return ch == ';' ? EXT_NAME_FIRST : blank ? EXT_BLANK : -400;
	case EXT_NAME_FIRST:
		return token ? EXT_NAME : blank ? EXT_NAME_FIRST : -400;
	case EXT_NAME:
		if (token)
			return EXT_NAME;
		__attribute__((fallthrough));
	case EXT_NAME_BLANK:
		if (ch == '=')
			return EXT_VALUE_FIRST;
		if (ch == '\r' && c->state == EXT_NAME)
			return SIZE_LF;
		return ch == ';' ? EXT_NAME_FIRST : blank ? EXT_NAME_BLANK : -400;
	case EXT_VALUE_FIRST:
		return ch == '"' ? EXT_QUOTED : token ? EXT_VALUE : blank ? EXT_VALUE_FIRST : -400;
	case EXT_QUOTED:
		return ch == '"' ? EXT_QUOTED_END : ch == '\\' ? EXT_QUOTED_PAIR : text ? EXT_QUOTED : -400;
	case EXT_QUOTED_PAIR:
		return text ? EXT_QUOTED : -400;
	default: /* EXT_VALUE, EXT_QUOTED_END */
		if (token && c->state == EXT_VALUE)
			return EXT_VALUE;
		return ch == '\r' ? SIZE_LF : ch == ';' ? EXT_NAME_FIRST : blank ? EXT_BLANK : -400;
	}
}

/* A further octet of a trailer line, but for the empty one that ends the body. 0, or minus a status. */
static int count_trailer(struct http1_chunked *c, char ch)
{
	if (c->state == TRAILER_FIRST) {
		c->line_len = 0;
		if (++c->trailers_n > http1_fields_most(c->lim.fields))
			return http1_refuse(&c->why, 431, "more trailers than LimitRequestFields");
	}
	if (++c->trailer_len > c->lim.trailers)
		return http1_refuse(&c->why, 431, "trailers are past LimitRequestTrailers");
	if (ch != '\r' && ch != '\n' && ++c->line_len > c->lim.field)
		return http1_refuse(&c->why, 431, "a trailer is longer than LimitRequestFieldSize");
	return 0;
}

static int step_trailer(struct http1_chunked *c, char ch)
{
	if (c->state == TRAILER_FIRST && ch == '\r')
		return END_LF;
	int err = count_trailer(c, ch);
	if (err < 0)
		return err;
	switch ((enum state)c->state) {
	case TRAILER_FIRST:
		return http_char(ch) & HTTP_CH_TOKEN ? TRAILER_NAME : -400;
	case TRAILER_NAME:
		if (ch == ':')
			return TRAILER_VALUE;
		return http_char(ch) & HTTP_CH_TOKEN ? TRAILER_NAME : -400;
	case TRAILER_VALUE:
		if (ch == '\r')
			return TRAILER_LF;
		return http_char(ch) & HTTP_CH_TEXT ? TRAILER_VALUE : -400;
	default: /* TRAILER_LF */
		return ch == '\n' ? TRAILER_FIRST : -400;
	}
}

/* One octet of framing in any state but DATA and DONE. */
static int step(struct http1_chunked *c, char ch)
{
	if (c->state <= SIZE_LF && ++c->line_len > c->lim.line)
		return http1_refuse(&c->why, 400, "a chunk line is longer than LimitRequestChunkLine");
	switch ((enum state)c->state) {
	case SIZE_FIRST:
	case SIZE:
		return step_size(c, ch);
	case SIZE_LF:
		c->line_len = 0;
		return ch != '\n' ? -400 : c->left > 0 ? DATA : TRAILER_FIRST;
	case DATA_CR:
		return ch == '\r' ? DATA_LF : -400;
	case DATA_LF:
		return ch == '\n' ? SIZE_FIRST : -400;
	case TRAILER_FIRST:
	case TRAILER_NAME:
	case TRAILER_VALUE:
	case TRAILER_LF:
		return step_trailer(c, ch);
	case END_LF:
		return ch == '\n' ? DONE : -400;
	default:
		return step_ext(c, ch);
	}
}

ssize_t http1_chunked_decode(struct http1_chunked *c, const char *in, size_t len, const char **data, size_t *data_len)
{
	size_t used = 0;

	*data = in;
	*data_len = 0;
	if (c->state < 0)
		return c->state;
	while (used < len && c->state != DONE) {
		if (c->state == DATA) {
			size_t run = c->left < len - used ? (size_t)c->left : len - used;
			*data = in + used;
			*data_len = run;
			c->left -= run;
			if (c->left == 0)
				c->state = DATA_CR;
			return (ssize_t)(used + run);
		}
		int next = step(c, in[used++]);
		c->state = next;
		if (next < 0) {
			if (c->why == NULL)
				c->why = "bad framing of a chunked request body";
			return next;
		}
	}
	c->done = c->state == DONE;
	return (ssize_t)used;
}
