/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What changes the header or the body of a request or an answer: SetEnv and SetEnvIf, Header and RequestHeader, Expires,
 * output filters, X-Sendfile. One object for a set of directory settings that has any of them, and none where there is
 * none: a request that uses nothing of this pays for one comparison.
 */
#ifndef CONF_EDIT_H
#define CONF_EDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/err.h"

struct conf_expr;
struct conf_regex;

/* --- the environment of a request ----------------------------------------------------------------------------------- */

enum conf_env_source { /* what SetEnvIf looks at */
	CONF_ENV_FIELD,    /* the request field ->attribute, else the variable of that name */
	CONF_ENV_FIELDS,   /* the first request field whose name ->names matches */
	CONF_ENV_REMOTE_ADDR, CONF_ENV_REMOTE_HOST, CONF_ENV_SERVER_ADDR, CONF_ENV_METHOD, CONF_ENV_PROTOCOL, CONF_ENV_URI,
	CONF_ENV_EXPR      /* ->expr holds */
};

struct conf_env_var {
	const char *name;
	const char *value; /* NULL: forget the variable. Of SetEnvIf: $0 to $9 stand for what the pattern matched */
};

struct conf_env_if {
	enum conf_env_source source;
	const char *attribute;          /* lower case for CONF_ENV_FIELD */
	const struct conf_regex *names; /* CONF_ENV_FIELDS */
	const struct conf_regex *value;
	const struct conf_expr *expr;   /* CONF_ENV_EXPR */
	size_t vars_n;
	const struct conf_env_var *vars;
};

/* --- header fields ----------------------------------------------------------------------------------------------------- */

enum conf_header_action {
	CONF_HEADER_SET = 1, CONF_HEADER_SETIFEMPTY, CONF_HEADER_APPEND, CONF_HEADER_MERGE, CONF_HEADER_ADD, CONF_HEADER_UNSET,
	CONF_HEADER_ECHO, CONF_HEADER_EDIT, CONF_HEADER_EDIT_ALL, CONF_HEADER_NOTE
};

struct conf_header_piece {
	enum { CONF_PIECE_TEXT, CONF_PIECE_TIME, CONF_PIECE_DURATION, CONF_PIECE_LOAD, CONF_PIECE_ENV, CONF_PIECE_TLS, CONF_PIECE_EXPR } kind;
	const struct conf_expr *expr; /* CONF_PIECE_EXPR */
	const char *text; /* CONF_PIECE_TEXT as it is, CONF_PIECE_ENV and CONF_PIECE_TLS the variable's name */
};

struct conf_header {
	enum conf_header_action action;
	const char *name;
	const struct conf_regex *re;    /* echo: names of request fields; edit, edit*: what is replaced */
	size_t pieces_n;                /* value, replacement, or note's name */
	const struct conf_header_piece *pieces;
	const char *env;                /* only when this variable is set (or, env_not, is not); NULL: always */
	bool env_not;
	const struct conf_expr *expr;   /* only when this holds; NULL: always */
	bool early;                     /* RequestHeader: before SetEnvIf */
};

/** Whether a field is the connection's and not the message's, of an answer or of a request: what it says is the server's to say. */
bool conf_header_is_framing(const char *name, size_t len, bool answer);

/* --- Expires, filters ---------------------------------------------------------------------------------------------------- */

struct conf_expires {
	const char *type;  /* media type, "text/" followed by an asterisk for all of text; NULL: ExpiresDefault */
	bool modified;     /* counted from the file's last change, else from the request */
	int64_t seconds;
};

enum conf_filter { /* bits: output filters */
	CONF_FILTER_DEFLATE = 1, CONF_FILTER_BROTLI = 2
};

struct conf_filter_rule {
	const char *key;   /* media type in lower case, or extension */
	unsigned filters;
};

enum conf_alter_etag { CONF_ETAG_WEAK = 1, CONF_ETAG_SUFFIX, CONF_ETAG_NO_CHANGE, CONF_ETAG_REMOVE };

enum conf_edit_set { /* bits of conf_edit.set: values that a level sets itself */
	CONF_E_EXPIRES = 1, CONF_E_EXPIRES_DEFAULT = 2, CONF_E_FILTERS = 4, CONF_E_DEFLATE_LEVEL = 8, CONF_E_BROTLI_QUALITY = 16,
	CONF_E_DEFLATE_ETAG = 32, CONF_E_BROTLI_ETAG = 64, CONF_E_XSENDFILE = 128
};

struct conf_edit {
	unsigned set;
	size_t env_if_n, env_n;
	const struct conf_env_if *env_if;
	const struct conf_env_var *env;    /* SetEnv, PassEnv, UnsetEnv; of one name only the last */
	size_t request_n, always_n, success_n;
	const struct conf_header *request; /* RequestHeader */
	const struct conf_header *always, *success;
	bool expires_active;
	struct conf_expires expires_default; /* only with CONF_E_EXPIRES_DEFAULT */
	size_t expires_n;
	const struct conf_expires *expires;/* search from the end */
	unsigned filters;                  /* SetOutputFilter */
	size_t filter_types_n, filter_exts_n;
	const struct conf_filter_rule *filter_types, *filter_exts; /* all that match count */
	int deflate_level;                 /* 1 to 9; 0: zlib's own */
	int brotli_quality;                /* 0 to 11; only with CONF_E_BROTLI_QUALITY */
	enum conf_alter_etag deflate_etag, brotli_etag; /* 0: weak */
	bool xsendfile;
	size_t xsendfile_roots_n;
	const char *const *xsendfile_roots;/* absolute; beside the document root */
};

/**
 * @over on top of @lower (either may be NULL), in @a; shares one of them when the other is NULL. *@out is NULL when both are.
 * False when memory is out.
 */
bool conf_edit_merge(struct arena *a, struct conf_edit *lower, struct conf_edit *over, struct conf_edit **out) GW_MUST_USE;

#endif
