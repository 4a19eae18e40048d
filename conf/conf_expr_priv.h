/* SPDX-License-Identifier: Apache-2.0 */
/** What an expression is made of. Shared by conf_expr_*.c only. */
#ifndef CONF_EXPR_PRIV_H
#define CONF_EXPR_PRIV_H

#include "conf/conf_expr.h"
#include "gateway/base/ip_net.h"

#define EXPR_PARTS_MAX 64 /* texts joined at one place */

enum expr_kind {
	/* conditions */
	EXPR_TRUE, EXPR_FALSE, EXPR_NOT, EXPR_AND, EXPR_OR, EXPR_COMPARE, EXPR_COMPARE_INT, EXPR_REGEX, EXPR_IN, EXPR_NET, EXPR_IS_SET,
	EXPR_IS_TRUE,
	/* words */
	EXPR_TEXT, EXPR_VAR, EXPR_TIME, EXPR_LOOKUP, EXPR_ANY_VARIABLE, EXPR_STRING_FUNCTION, EXPR_GROUP, EXPR_JOIN
};

enum expr_relation { EXPR_EQ, EXPR_NE, EXPR_LT, EXPR_LE, EXPR_GT, EXPR_GE };

enum expr_function { EXPR_TOLOWER, EXPR_TOUPPER, EXPR_ESCAPE, EXPR_UNESCAPE, EXPR_BASE64, EXPR_UNBASE64 };

struct conf_expr {
	enum expr_kind kind;
	int what;                      /* relation, variable, table, function, group; EXPR_TIME: offset << 4 | octets */
	bool negate;                   /* EXPR_REGEX, EXPR_IS_SET */
	bool vary;                     /* EXPR_LOOKUP: what is answered depends on that field of the request */
	const struct conf_expr *a, *b; /* operands; of AND, OR, JOIN and lists b is the rest, of the same kind, or the last */
	struct conf_expr_text text;    /* EXPR_TEXT; EXPR_LOOKUP with a name that is known: that name, NUL-terminated */
	const struct conf_regex *re;
	struct ip_net net;
};

/* A variable by name. */
struct expr_variable {
	const char *name;
	enum expr_kind kind;           /* EXPR_VAR, EXPR_TIME, EXPR_TEXT, EXPR_LOOKUP */
	int what;
	const char *text;              /* EXPR_TEXT its value, EXPR_LOOKUP the name */
};

/* A function by name. */
struct expr_named_function {
	const char *name;
	enum expr_kind kind;           /* EXPR_LOOKUP, EXPR_ANY_VARIABLE, EXPR_STRING_FUNCTION; EXPR_FALSE: known, but refused: */
	int what;
	bool vary;
	const char *why;
};

extern const struct expr_variable expr_variables[];          /* ended by a name NULL */
extern const struct expr_named_function expr_functions[];    /* likewise */

/* An operator that is known, but refused. */
struct expr_operator {
	const char *name;
	const char *why;
};

extern const struct expr_operator expr_refused[];            /* likewise */

/* --- conf_expr_words.c, for the parser --------------------------------------------------------------------------------- */

#define EXPR_LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define EXPR_DIGITS "0123456789"
#define EXPR_NAME EXPR_LETTERS EXPR_DIGITS "_"

struct expr_parser {
	const struct conf_expr_maker *m;
	const char *text, *s;   /* all of it, and what is left */
	struct conf_expr_error *err;
	unsigned depth;
	bool failed;
};

/* Pieces as they come, made into one list. */
struct expr_pieces {
	const struct conf_expr *v[EXPR_PARTS_MAX];
	size_t n;
};

/** Note the first error, here. Returns NULL. */
const struct conf_expr *expr_fail(struct expr_parser *p, const char *fmt, ...) GW_PRINTF(2, 3);

/** An empty node, or NULL when memory is out, which is noted. */
struct conf_expr *expr_node(struct expr_parser *p, enum expr_kind kind, int what);

/** Past blanks. */
void expr_skip(struct expr_parser *p);

/** Whether @ch, which is not NUL, is in @set. */
bool expr_is_one_of(char ch, const char *set);

/** Octets of the name that begins at @s, or 0. */
size_t expr_name_len(const char *s);

/** Past blanks and @what, if that is next; of a name, all of it. */
bool expr_take(struct expr_parser *p, const char *what);
bool expr_take_name(struct expr_parser *p, const char *what);

/** One level of nesting more; false past the bound, which is noted. */
bool expr_deeper(struct expr_parser *p);

/** Add to a list; false when @e is NULL or there are too many. */
bool expr_add_piece(struct expr_parser *p, struct expr_pieces *to, const struct conf_expr *e);

/** A word: parts with dots between them. */
const struct conf_expr *expr_word(struct expr_parser *p);

/** Text with variables and groups in it up to @end, which stays. */
const struct conf_expr *expr_text_until(struct expr_parser *p, char end);

/* --- conf_expr_text.c ---------------------------------------------------------------------------------------------------- */

/** Wildcards of a shell as a regular expression, whose work is bounded, in @a. @path: a slash is matched by a slash only. */
char *expr_from_wildcards(struct arena *a, const char *s, bool path);

/** Run a string function; *@out is in the room. 0 or GW_ERR_RANGE. */
int expr_call(struct conf_expr_run *x, enum expr_function f, struct conf_expr_text in, struct conf_expr_text *out) GW_MUST_USE;

#endif
