/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/rehearsal.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sandbox/php/sapi.h"

#include <fastcgi.h>
#include <Zend/zend_ini.h>

#define REQUEST_MAX 2048

/* What a browser's first request for a page comes to. Names and values are shorter than 128 octets: one of length each. */
static const char *const params[][2] = {
	{"GATEWAY_INTERFACE", "CGI/1.1"}, {"SERVER_PROTOCOL", "HTTP/1.1"}, {"REQUEST_METHOD", "GET"},
	{"REQUEST_URI", "/nonexistent/rehearsal.php"}, {"QUERY_STRING", ""}, {"SCRIPT_NAME", "/nonexistent/rehearsal.php"},
	{"SCRIPT_FILENAME", "/nonexistent/rehearsal.php"}, {"DOCUMENT_ROOT", "/nonexistent"}, {"SERVER_SOFTWARE", "Bulkhead"},
	{"SERVER_NAME", "localhost"}, {"SERVER_ADDR", "127.0.0.1"}, {"SERVER_PORT", "80"}, {"SERVER_ADMIN", "webmaster@localhost"},
	{"REQUEST_SCHEME", "http"}, {"REMOTE_ADDR", "127.0.0.1"}, {"REMOTE_PORT", "40000"}, {"CONTEXT_PREFIX", ""},
	{"CONTEXT_DOCUMENT_ROOT", "/nonexistent"}, {"PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"},
	{"HTTP_HOST", "localhost"}, {"HTTP_USER_AGENT", "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"},
	{"HTTP_ACCEPT", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
	{"HTTP_ACCEPT_LANGUAGE", "en-GB,en;q=0.5"}, {"HTTP_ACCEPT_ENCODING", "gzip, deflate, br"}, {"HTTP_CONNECTION", "keep-alive"},
};

static size_t put_record(unsigned char *out, unsigned char type, const void *content, size_t len)
{
	const unsigned char head[] = {FCGI_VERSION_1, type, 0, 1, (unsigned char)(len >> 8), (unsigned char)len, 0, 0};

	memcpy(out, head, sizeof(head));
	memmove(out + sizeof(head), content, len);
	return sizeof(head) + len;
}

static size_t put_params(unsigned char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < sizeof(params) / sizeof(params[0]); i++) {
		size_t name_len = strlen(params[i][0]), value_len = strlen(params[i][1]);
		out[n++] = (unsigned char)name_len;
		out[n++] = (unsigned char)value_len;
		memcpy(out + n, params[i][0], name_len);
		memcpy(out + n + name_len, params[i][1], value_len);
		n += name_len + value_len;
	}
	return n;
}

static int send_request(int fd)
{
	static const unsigned char begin[8] = {0, FCGI_RESPONDER};
	unsigned char out[REQUEST_MAX], text[REQUEST_MAX - 64];
	size_t n = put_record(out, FCGI_BEGIN_REQUEST, begin, sizeof(begin));

	n += put_record(out + n, FCGI_PARAMS, text, put_params(text));
	n += put_record(out + n, FCGI_PARAMS, "", 0);
	n += put_record(out + n, FCGI_STDIN, "", 0);
	return write(fd, out, n) == (ssize_t)n ? 0 : GW_ERR_SYS;
}

static bool no_more(void)
{
	return true;
}

int rehearsal_run(void)
{
	FCGX_Request request;
	int ends[2];

	if (zend_ini_long("session.auto_start", strlen("session.auto_start"), 0) != 0)
		return GW_ERR_DENIED;
	/* The answer is shorter than what a socket holds, and nobody reads it. */
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == -1 || send_request(ends[0]) != 0 ||
	    FCGX_InitRequest(&request, -1, FCGI_FAIL_ACCEPT_ON_INTR) != 0)
		return GW_ERR_SYS;
	request.ipcFd = ends[1];
	request.keepConnection = 1;
	if (FCGX_Accept_r(&request) != 0)
		return GW_ERR_SYS;
	sapi_answer(&request, no_more);
	return 0;
}
