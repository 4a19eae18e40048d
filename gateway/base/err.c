/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/base/err.h"

#include <stddef.h>

const char *gw_strerror(int err)
{
	static const char *const text[] = {"success", "out of memory", "system call failed", "protocol error",
		"value out of range", "closed by the peer", "not ready", "timed out", "queue full", "denied", "not found"};

	if (err > 0 || (size_t)-(long)err >= sizeof(text) / sizeof(*text))
		return "unknown error";
	return text[-err];
}
