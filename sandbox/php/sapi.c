/* SPDX-License-Identifier: Apache-2.0 */
/* The callbacks through which PHP reads and answers. */
#include "sandbox/php/sapi.h"
#include "sandbox/php/map_ptr.h"
#include "sandbox/php/sapi_output.h"

#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <main/php_main.h>
#include <main/php_variables.h>

static struct sapi_request *current(void)
{
	return SG(server_context);
}

static bool open_to_front(const struct sapi_request *r)
{
	return r != NULL && !r->finished;
}

/* --- output ------------------------------------------------------------------------------------------------------------ */

/* Until the body is read what looks like a record of the front's may be the client's. */
static bool is_wanted(struct sapi_request *r)
{
	if (SG(request_info).content_length > 0 && SG(read_post_bytes) < SG(request_info).content_length)
		return true;
	r->stopped = r->stopped || !sapi_output_is_wanted(r->fcgx);
	return !r->stopped;
}

static size_t on_write(const char *str, size_t len)
{
	struct sapi_request *r = current();

	if (!open_to_front(r))
		return len;
	if (sapi_output_put(r->fcgx, str, len) && is_wanted(r))
		return len;
	php_handle_aborted_connection();
	return 0;
}

/* The front closes when its client is gone. Without a write nobody would tell us. */
static bool front_is_gone(const struct sapi_request *r)
{
	struct pollfd p = {.fd = r->fcgx->ipcFd};

	return poll(&p, 1, 0) == 1 && (p.revents & (POLLHUP | POLLERR)) != 0;
}

static const char *reason_of(int code)
{
	static const struct {
		int code;
		const char *text;
	} reasons[] = {
		{200, "OK"}, {201, "Created"}, {202, "Accepted"}, {203, "Non-Authoritative Information"},
		{204, "No Content"}, {205, "Reset Content"}, {206, "Partial Content"}, {207, "Multi-Status"},
		{300, "Multiple Choices"}, {301, "Moved Permanently"}, {302, "Found"}, {303, "See Other"},
		{304, "Not Modified"}, {305, "Use Proxy"}, {307, "Temporary Redirect"}, {308, "Permanent Redirect"},
		{400, "Bad Request"}, {401, "Unauthorized"}, {402, "Payment Required"}, {403, "Forbidden"},
		{404, "Not Found"}, {405, "Method Not Allowed"}, {406, "Not Acceptable"},
		{407, "Proxy Authentication Required"}, {408, "Request Timeout"}, {409, "Conflict"}, {410, "Gone"},
		{411, "Length Required"}, {412, "Precondition Failed"}, {413, "Content Too Large"},
		{414, "URI Too Long"}, {415, "Unsupported Media Type"}, {416, "Range Not Satisfiable"},
		{417, "Expectation Failed"}, {422, "Unprocessable Content"}, {423, "Locked"},
		{426, "Upgrade Required"}, {428, "Precondition Required"}, {429, "Too Many Requests"},
		{431, "Request Header Fields Too Large"}, {451, "Unavailable For Legal Reasons"},
		{500, "Internal Server Error"}, {501, "Not Implemented"}, {502, "Bad Gateway"},
		{503, "Service Unavailable"}, {504, "Gateway Timeout"}, {505, "HTTP Version Not Supported"},
		{507, "Insufficient Storage"}, {511, "Network Authentication Required"},
	};

	for (size_t i = 0; i < sizeof(reasons) / sizeof(reasons[0]); i++)
		if (reasons[i].code == code)
			return reasons[i].text;
	return "";
}

static bool is_status_field(const sapi_header_struct *h)
{
	return h->header_len > 7 && strncasecmp(h->header, "Status:", 7) == 0;
}

/* A status of 1xx is not the status of an answer; anything beyond 599 is none at all. */
static int sane_status(int code)
{
	return code >= 200 && code <= 599 ? code : code < 200 ? 200 : 500;
}

/*
 * The Status field that the front reads: from header("HTTP/1.1 404 Gone fishing") with its own reason, from
 * header("Status: 404 ..."), or from the code alone.
 */
static int put_status(FCGX_Stream *out, sapi_headers_struct *headers)
{
	const char *line = headers->http_status_line, *text = NULL;
	int code = sane_status(headers->http_response_code);
	zend_llist_position pos;
	char buf[160];

	if (line != NULL && strncasecmp(line, "HTTP/", 5) == 0 && (text = strchr(line, ' ')) != NULL) {
		while (*text == ' ')
			text++;
		if (sane_status(atoi(text)) != atoi(text))
			text = NULL;
	}
	for (sapi_header_struct *h = zend_llist_get_first_ex(&headers->headers, &pos); h != NULL && text == NULL;
	     h = zend_llist_get_next_ex(&headers->headers, &pos)) {
		if (!is_status_field(h))
			continue;
		const char *value = h->header + 7 + strspn(h->header + 7, " \t");
		if (sane_status(atoi(value)) == atoi(value))
			text = value;
	}
	int n = text != NULL ? snprintf(buf, sizeof(buf), "Status: %.120s\r\n", text)
			     : snprintf(buf, sizeof(buf), "Status: %d %s\r\n", code, reason_of(code));
	return FCGX_PutStr(buf, n, out);
}

static int on_headers(sapi_headers_struct *headers)
{
	struct sapi_request *r = current();
	zend_llist_position pos;

	if (!open_to_front(r))
		return SAPI_HEADER_SENT_SUCCESSFULLY;
	FCGX_Stream *out = r->fcgx->out;
	int ok = put_status(out, headers);
	for (sapi_header_struct *h = zend_llist_get_first_ex(&headers->headers, &pos); h != NULL && ok >= 0;
	     h = zend_llist_get_next_ex(&headers->headers, &pos)) {
		if (h->header_len == 0 || is_status_field(h))
			continue;
		ok = FCGX_PutStr(h->header, (int)h->header_len, out);
		if (ok >= 0)
			ok = FCGX_PutStr("\r\n", 2, out);
	}
	if (ok >= 0)
		FCGX_PutStr("\r\n", 2, out);
	return SAPI_HEADER_SENT_SUCCESSFULLY; /* a broken connection shows at the next write */
}

/*
 * header("HTTP/1.1 103 Early Hints"), header("Link: ..."), flush(): an answer before the answer (RFC 8297), with what a
 * browser may use of it. PHP then counts nothing as sent: the answer is still to come, and has the fields too.
 */
static bool send_hints(FCGX_Stream *out, sapi_headers_struct *headers)
{
	zend_llist_position pos;
	int ok = FCGX_PutS("Status: 103 Early Hints\r\n", out);

	for (sapi_header_struct *h = zend_llist_get_first_ex(&headers->headers, &pos); h != NULL && ok >= 0;
	     h = zend_llist_get_next_ex(&headers->headers, &pos)) {
		if (h->header_len < 5 || strncasecmp(h->header, "Link:", 5) != 0)
			continue;
		ok = FCGX_PutStr(h->header, (int)h->header_len, out);
		if (ok >= 0)
			ok = FCGX_PutStr("\r\n", 2, out);
	}
	headers->http_response_code = 200;
	if (headers->http_status_line != NULL)
		efree(headers->http_status_line);
	headers->http_status_line = NULL;
	return ok >= 0 && FCGX_PutStr("\r\n", 2, out) >= 0 && FCGX_FFlush(out) == 0;
}

static void on_flush(void *server_context)
{
	struct sapi_request *r = server_context;

	if (!open_to_front(r))
		return;
	if (!SG(headers_sent) && SG(sapi_headers).http_response_code == 103) {
		if (!send_hints(r->fcgx->out, &SG(sapi_headers)))
			php_handle_aborted_connection();
		return;
	}
	sapi_send_headers(); /* flush() before any output sends the head */
	if (!sapi_output_flush(r->fcgx) || !is_wanted(r) || front_is_gone(r))
		php_handle_aborted_connection();
}

/* --- input ------------------------------------------------------------------------------------------------------------- */

static size_t on_read_post(char *buffer, size_t count)
{
	struct sapi_request *r = current();

	if (!open_to_front(r))
		return 0;
	int want = count < INT_MAX ? (int)count : INT_MAX;
	int n = FCGX_GetStr(buffer, want, r->fcgx->in);
	/* The front went away inside the body: a script must never take a part for the whole, and nobody waits. */
	if (n < want && FCGX_GetError(r->fcgx->in) != 0)
		_exit(EXIT_FAILURE);
	return n > 0 ? (size_t)n : 0;
}

static char *on_read_cookies(void)
{
	const char *cookie = sapi_param(current(), "HTTP_COOKIE");

	return (char *)(uintptr_t)cookie; /* PHP copies it */
}

static char *on_getenv(const char *name, size_t len)
{
	struct sapi_request *r = current();

	if (r == NULL || sapi_is_private(name, len))
		return NULL;
	if (Z_TYPE(r->env) == IS_ARRAY) {
		zval *set = zend_hash_str_find(Z_ARRVAL(r->env), name, len);
		if (set != NULL)
			return Z_STRVAL_P(set);
	}
	return (char *)(uintptr_t)sapi_param(r, name);
}

static void register_variable(const char *name, const char *value, size_t len, zval *vars)
{
	char *copy = (char *)(uintptr_t)value;
	size_t new_len;

	if (sapi_module.input_filter(PARSE_SERVER, name, &copy, len, &new_len))
		php_register_variable_safe(name, copy, new_len, vars);
}

static void on_variables(zval *vars)
{
	struct sapi_request *r = current();

	for (char **p = r->fcgx->envp; *p != NULL; p++) {
		char name[256];
		const char *equals = strchr(*p, '=');
		size_t len = equals == NULL ? 0 : (size_t)(equals - *p);
		if (len == 0 || len >= sizeof(name) || sapi_is_private(*p, len))
			continue;
		memcpy(name, *p, len);
		name[len] = '\0';
		register_variable(name, equals + 1, strlen(equals + 1), vars);
	}
	register_variable("PHP_SELF", r->self, strlen(r->self), vars);
}

/* --- the rest ------------------------------------------------------------------------------------------------------------ */

static void log_to_stderr(const char *message, size_t len)
{
	char line[4096];

	if (len > sizeof(line) - 1)
		len = sizeof(line) - 1;
	memcpy(line, message, len);
	line[len] = '\n';
	if (write(STDERR_FILENO, line, len + 1) == -1)
		return; /* nowhere left to say so */
}

/* Inside a request by FastCGI, so that the front adds which script it was; else to the site's stderr. */
static void on_log(const char *message, int syslog_type)
{
	struct sapi_request *r = current();
	size_t len = strlen(message);

	(void)syslog_type;
	if (open_to_front(r) && len < INT_MAX && FCGX_PutStr(message, (int)len, r->fcgx->err) >= 0 &&
	    FCGX_PutStr("\n", 1, r->fcgx->err) >= 0 && FCGX_FFlush(r->fcgx->err) == 0)
		return;
	log_to_stderr(message, len);
}

static zend_stat_t *on_stat(void)
{
	struct sapi_request *r = current();

	return r == NULL ? NULL : &r->script;
}

#if PHP_VERSION_ID >= 80200
static zend_result on_request_time(double *out)
{
	if (current() == NULL)
		return FAILURE;
	*out = current()->time;
	return SUCCESS;
}
#else
static double on_request_time(void)
{
	return current() == NULL ? 0 : current()->time;
}
#endif

static int on_activate(void)
{
	map_ptr_show();
	return SUCCESS;
}

static int on_deactivate(void)
{
	struct sapi_request *r = current();

	if (r != NULL) {
		zval_ptr_dtor(&r->env);
		ZVAL_UNDEF(&r->env);
		zval_ptr_dtor(&r->notes);
		ZVAL_UNDEF(&r->notes);
	}
	return SUCCESS;
}

static int on_startup(sapi_module_struct *module)
{
#if PHP_VERSION_ID >= 80200
	return php_module_startup(module, &bh_module);
#else
	return php_module_startup(module, &bh_module, 1);
#endif
}

static char sapi_name[] = "apache2handler", sapi_pretty_name[] = "Bulkhead (Apache 2.0 Handler)";

sapi_module_struct bh_sapi_module = {
	.name = sapi_name,
	.pretty_name = sapi_pretty_name,
	.startup = on_startup,
	.shutdown = php_module_shutdown_wrapper,
	.activate = on_activate,
	.deactivate = on_deactivate,
	.ub_write = on_write,
	.flush = on_flush,
	.get_stat = on_stat,
	.getenv = on_getenv,
	.sapi_error = php_error,
	.send_headers = on_headers,
	.read_post = on_read_post,
	.read_cookies = on_read_cookies,
	.register_server_variables = on_variables,
	.log_message = on_log,
	.get_request_time = on_request_time,
};
