/* SPDX-License-Identifier: Apache-2.0 */
#include "pools/backend.h"

static const struct {
	int status;
	const char *text;
} fails[] = {
	[BACKEND_OK] = {200, "answered"},
	[BACKEND_DOWN] = {503, "nobody answers: no member of the pool can be reached, or the site's PHP does not start"},
	[BACKEND_BUSY] = {503, "all workers are busy: the queue is full, or its deadline passed"},
	[BACKEND_REFUSED] = {503, "the FastCGI server refused the request"},
	[BACKEND_CLOSED] = {502, "the connection was closed before the answer was complete"},
	[BACKEND_PROTO] = {502, "what came back is not FastCGI for this request"},
	[BACKEND_BAD_HEADER] = {502, "the script's answer has no valid header block"},
	[BACKEND_TIMEOUT] = {504, "the request ran longer than RequestTimeout allows"},
	[BACKEND_CRASHED] = {500, "the worker was killed by a signal"},
	[BACKEND_VIOLATION] = {500, "the worker was killed by its system call filter"},
	[BACKEND_NOMEM] = {500, "the server is out of memory or descriptors"},
};

#define FAILS_N (sizeof(fails) / sizeof(*fails))

int backend_fail_status(enum backend_fail why)
{
	return (size_t)why < FAILS_N ? fails[why].status : 500;
}

const char *backend_fail_text(enum backend_fail why)
{
	return (size_t)why < FAILS_N ? fails[why].text : "unknown failure";
}
