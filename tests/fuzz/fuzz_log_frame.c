/* SPDX-License-Identifier: Apache-2.0 */
/* Records that a front sends to the log process. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log_frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	for (size_t at = 0; at < size;) {
		struct log_frame f;
		uint8_t head[LOG_FRAME_HEAD];
		ssize_t used = log_frame_get(data + at, size - at, &f);
		if (used < 0)
			return 0;
		/* Within what came, and as it would be written. */
		if ((size_t)used > size - at || f.len == 0 || (const uint8_t *)f.text != data + at + LOG_FRAME_HEAD || (size_t)used != f.len + LOG_FRAME_HEAD)
			abort();
		log_frame_put(head, f.id, f.severity, f.len);
		if (memcmp(head, data + at, LOG_FRAME_HEAD) != 0)
			abort();
		at += (size_t)used;
	}
	return 0;
}
