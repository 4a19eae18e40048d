/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/php/sapi_output.h"

#include <stdint.h>
#include <string.h>
#include <sys/socket.h>

#include "gateway/base/io.h"

/* FastCGI 1.0, 3.3 and 8. (PHP has a header of the name of libfcgi's.) */
enum { FCGI_1 = 1, FCGI_ABORT = 2, FCGI_STDOUT = 6, FCGI_HEAD_LEN = 8 };

/* A record, its content to be completed. */
static struct {
	unsigned char head[FCGI_HEAD_LEN];
	char content[SAPI_OUTPUT_MAX];
} record;
static size_t held; /* octets of content */
static uint64_t held_ms; /* when the first of them came */
static bool was_sent; /* something, since sapi_output_is_wanted() was asked last */
static bool is_long; /* libfcgi's buffer was full once in this answer */

/* No padding. */
static bool send_held(const FCGX_Request *fcgx)
{
	const unsigned char head[FCGI_HEAD_LEN] = {FCGI_1, FCGI_STDOUT, (unsigned char)(fcgx->requestId >> 8),
		(unsigned char)fcgx->requestId, (unsigned char)(held >> 8), (unsigned char)held};
	size_t len = sizeof(head) + held;

	if (held == 0)
		return true;
	held = 0;
	was_sent = true;
	memcpy(record.head, head, sizeof(head));
	return FCGX_GetError(fcgx->out) == 0 && io_write_all(fcgx->ipcFd, &record, len) == 0;
}

static bool hold(const FCGX_Request *fcgx, const char *str, size_t len)
{
	bool sent = true;

	while (len > 0 && sent) {
		size_t n = len < sizeof(record.content) - held ? len : sizeof(record.content) - held;
		if (held == 0)
			held_ms = io_now_ms();
		memcpy(record.content + held, str, n);
		held += n;
		str += n;
		len -= n;
		if (held == sizeof(record.content) || (held > n && io_now_ms() - held_ms >= SAPI_OUTPUT_MS))
			sent = send_held(fcgx);
	}
	return sent;
}

static bool flush(FCGX_Stream *out)
{
	was_sent = true;
	return FCGX_FFlush(out) == 0;
}

bool sapi_output_put(FCGX_Request *fcgx, const char *str, size_t len)
{
	FCGX_Stream *out = fcgx->out;

	if (!is_long && len <= (size_t)(out->stop - out->wrNext))
		return FCGX_PutStr(str, (int)len, out) >= 0;
	/* The first piece is not kept waiting: a browser begins with it. */
	if (!is_long && !flush(out))
		return false;
	is_long = true;
	return hold(fcgx, str, len);
}

bool sapi_output_flush(FCGX_Request *fcgx)
{
	return send_held(fcgx) && flush(fcgx->out);
}

/* What else there may be is the empty record that ends the body. */
static bool take_abort(const FCGX_Request *fcgx)
{
	const unsigned char abort_request[FCGI_HEAD_LEN] = {FCGI_1, FCGI_ABORT, (unsigned char)(fcgx->requestId >> 8),
		(unsigned char)fcgx->requestId};
	unsigned char got[FCGI_HEAD_LEN + 1];

	return recv(fcgx->ipcFd, got, sizeof(got), MSG_PEEK | MSG_DONTWAIT) == FCGI_HEAD_LEN &&
	       memcmp(got, abort_request, FCGI_HEAD_LEN) == 0 && recv(fcgx->ipcFd, got, FCGI_HEAD_LEN, MSG_DONTWAIT) == FCGI_HEAD_LEN;
}

bool sapi_output_is_wanted(const FCGX_Request *fcgx)
{
	bool ask = was_sent;

	was_sent = false;
	return !ask || !take_abort(fcgx);
}

bool sapi_output_end(FCGX_Request *fcgx)
{
	is_long = false;
	return send_held(fcgx);
}
