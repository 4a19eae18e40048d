/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Apache's configuration language, line by line. Pure: octets in, words with their places out; no system call.
 *
 *   Name word "quoted word" 'quoted word'   # comments stand on lines of their own
 *   <Name word ...>   </Name>
 *
 * A backslash at the end of a line joins the next one (in comments too). In a quoted word \" (the quote it began with)
 * and \\ stand for themselves; in any word \\ is one backslash; other backslashes are kept. Columns count octets from 1.
 */
#ifndef CONF_LEX_H
#define CONF_LEX_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"

#define CONF_LEX_LINE_MAX (1024 * 1024) /* octets of a joined line */

struct conf_word {
	const char *text;      /* NUL-terminated, quotes removed; the arena's */
	unsigned line, column; /* of its first octet (the quote of a quoted word) */
	bool quoted;
};

enum conf_line_kind { CONF_LINE_DIRECTIVE, CONF_LINE_OPEN, CONF_LINE_CLOSE };

struct conf_line {
	enum conf_line_kind kind;
	struct conf_word name; /* without < / > */
	size_t words_n;        /* always 0 for CLOSE */
	struct conf_word *words;
};

struct conf_lexer {
	const char *in;        /* borrowed */
	size_t len, pos;
	unsigned next_line;    /* number of the line at pos */
	struct arena *a;       /* where words go; borrowed */
	/* after GW_ERR_PROTO: */
	const char *why;       /* static text */
	unsigned why_line, why_column;
	/* private: the joined line, and where its pieces came from */
	struct buf text, pieces;
	size_t piece;
};

/** Start on @len octets. Freed by conf_lexer_fini(). */
void conf_lexer_init(struct conf_lexer *lx, const char *in, size_t len, struct arena *a);
void conf_lexer_fini(struct conf_lexer *lx);

/**
 * The next line that says something. Returns 1 with *@out filled, 0 at the end, GW_ERR_PROTO for a line that cannot be
 * read (why and place in @lx; the next call goes on behind it), GW_ERR_NOMEM.
 */
int conf_lexer_next(struct conf_lexer *lx, struct conf_line *out) GW_MUST_USE;

/** As conf_lexer_next() for text that is being passed over: only kind and name are filled, and nothing is an error. */
int conf_lexer_skim(struct conf_lexer *lx, struct conf_line *out) GW_MUST_USE;

#endif
