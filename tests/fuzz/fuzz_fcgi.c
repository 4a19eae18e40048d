/* SPDX-License-Identifier: Apache-2.0 */
/** A FastCGI answer: the first octet says in which pieces it arrives. Whatever the pieces, the outcome must be the same. */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "pools/fcgi_codec.h"

struct outcome {
	uint64_t out, err; /* checksums of the streams */
	uint32_t app_status;
	bool wrong, end, at_end;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t add(uint64_t sum, const uint8_t *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		sum = sum * 1099511628211ULL + p[i] + 1;
	return sum;
}

static struct outcome decode(const uint8_t *in, size_t len, size_t step)
{
	struct outcome o = {0};
	struct fcgi_decoder d;
	struct fcgi_event ev;

	fcgi_decoder_init(&d, 1);
	for (size_t at = 0; at < len;) {
		size_t n = len - at < step ? len - at : step;
		ssize_t used = fcgi_decode(&d, in + at, n, &ev);
		if (used < 0) {
			o.wrong = true;
			return o;
		}
		if (used == 0 || (size_t)used > n)
			abort();
		if (ev.len > 0 && (ev.data < in + at || ev.data + ev.len > in + at + n))
			abort();
		if (ev.kind == FCGI_EV_STDOUT)
			o.out = add(o.out, ev.data, ev.len);
		if (ev.kind == FCGI_EV_STDERR)
			o.err = add(o.err, ev.data, ev.len);
		if (ev.kind == FCGI_EV_END) {
			if (o.end)
				abort();
			o.end = true;
			o.app_status = ev.app_status;
		}
		at += (size_t)used;
	}
	o.at_end = fcgi_decoder_at_end(&d);
	return o;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct outcome a = decode(data + 1, size - 1, size), b = decode(data + 1, size - 1, (size_t)data[0] + 1);
	if (a.out != b.out || a.err != b.err || a.app_status != b.app_status || a.wrong != b.wrong || a.end != b.end ||
		a.at_end != b.at_end)
		abort();
	return 0;
}
