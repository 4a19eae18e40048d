/* SPDX-License-Identifier: Apache-2.0 */
/* What the names in expressions mean. */
#include "conf/conf_expr_priv.h"

#define VAR(n) {#n, EXPR_VAR, EXPR_##n, NULL}
#define FIELD(n, field) {n, EXPR_LOOKUP, EXPR_REQUEST_FIELD, field}
#define TIMES(n, at, len) {n, EXPR_TIME, (at) * 16 + (len), NULL}
#define CONST(n, value) {n, EXPR_TEXT, 0, value}

const struct expr_variable expr_variables[] = {
	FIELD("HTTP_ACCEPT", "accept"), FIELD("HTTP_COOKIE", "cookie"), FIELD("HTTP_FORWARDED", "forwarded"), FIELD("HTTP_HOST", "host"),
	FIELD("HTTP_PROXY_CONNECTION", "proxy-connection"), FIELD("HTTP_REFERER", "referer"), FIELD("HTTP_USER_AGENT", "user-agent"),
	VAR(REQUEST_METHOD), VAR(REQUEST_SCHEME), VAR(REQUEST_URI), {"DOCUMENT_URI", EXPR_VAR, EXPR_REQUEST_URI, NULL},
	VAR(REQUEST_FILENAME), {"SCRIPT_FILENAME", EXPR_VAR, EXPR_REQUEST_FILENAME, NULL}, VAR(LAST_MODIFIED), VAR(PATH_INFO),
	VAR(QUERY_STRING), VAR(THE_REQUEST), VAR(REMOTE_ADDR), {"REMOTE_HOST", EXPR_VAR, EXPR_REMOTE_ADDR, NULL}, VAR(REMOTE_PORT),
	VAR(SERVER_NAME), VAR(SERVER_PORT), VAR(SERVER_ADMIN), VAR(SERVER_PROTOCOL), VAR(DOCUMENT_ROOT), VAR(CONTENT_TYPE), VAR(HANDLER),
	VAR(HTTP2), VAR(HTTPS), VAR(IPV6), VAR(REQUEST_STATUS), VAR(CONN_REMOTE_ADDR), VAR(CONTEXT_PREFIX), VAR(CONTEXT_DOCUMENT_ROOT),
	/* Nobody logs in here, nobody asks who somebody is, and a request within a request is not made for anything that has a rule. */
	CONST("REMOTE_USER", ""), CONST("REMOTE_IDENT", ""), CONST("AUTH_TYPE", ""), CONST("IS_SUBREQ", "false"),
	CONST("REQUEST_LOG_ID", ""), CONST("CONN_LOG_ID", ""), CONST("SERVER_SOFTWARE", "Bulkhead/" PACKAGE_VERSION), CONST("API_VERSION", "20120211"),
	TIMES("TIME", 0, 14), TIMES("TIME_YEAR", 0, 4), TIMES("TIME_MON", 4, 2), TIMES("TIME_DAY", 6, 2), TIMES("TIME_HOUR", 8, 2),
	TIMES("TIME_MIN", 10, 2), TIMES("TIME_SEC", 12, 2), TIMES("TIME_WDAY", 14, 1), {NULL, EXPR_TEXT, 0, NULL},
};

#define LOOKS "the front looks at no file for a rule"
#define DIGEST "no digests are made for a rule"
#define REQUESTS "no request is made for a rule"

const struct expr_named_function expr_functions[] = {
	{"req", EXPR_LOOKUP, EXPR_REQUEST_FIELD, true, NULL}, {"http", EXPR_LOOKUP, EXPR_REQUEST_FIELD, true, NULL},
	{"req_novary", EXPR_LOOKUP, EXPR_REQUEST_FIELD, false, NULL}, {"resp", EXPR_LOOKUP, EXPR_ANSWER_FIELD, false, NULL},
	{"reqenv", EXPR_LOOKUP, EXPR_ENV, false, NULL}, {"note", EXPR_LOOKUP, EXPR_NOTE, false, NULL},
	{"ssl", EXPR_LOOKUP, EXPR_TLS, false, NULL}, {"env", EXPR_ANY_VARIABLE, 0, false, NULL},
	{"tolower", EXPR_STRING_FUNCTION, EXPR_TOLOWER, false, NULL}, {"toupper", EXPR_STRING_FUNCTION, EXPR_TOUPPER, false, NULL},
	{"escape", EXPR_STRING_FUNCTION, EXPR_ESCAPE, false, NULL}, {"unescape", EXPR_STRING_FUNCTION, EXPR_UNESCAPE, false, NULL},
	{"base64", EXPR_STRING_FUNCTION, EXPR_BASE64, false, NULL}, {"unbase64", EXPR_STRING_FUNCTION, EXPR_UNBASE64, false, NULL},
	{"osenv", EXPR_FALSE, 0, false, "the server's own environment is not told; use PassEnv and reqenv()"},
	{"md5", EXPR_FALSE, 0, false, DIGEST}, {"sha1", EXPR_FALSE, 0, false, DIGEST}, {"file", EXPR_FALSE, 0, false, LOOKS},
	{"filesize", EXPR_FALSE, 0, false, LOOKS}, {"ldap", EXPR_FALSE, 0, false, "there is no LDAP here"}, {NULL, EXPR_FALSE, 0, false, NULL},
};

const struct expr_operator expr_refused[] = {
	{"d", LOOKS}, {"e", LOOKS}, {"f", LOOKS}, {"s", LOOKS}, {"L", LOOKS}, {"h", LOOKS}, {"x", LOOKS}, {"U", REQUESTS}, {"F", REQUESTS},
	{"A", REQUESTS}, {NULL, NULL},
};
