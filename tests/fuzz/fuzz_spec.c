/* SPDX-License-Identifier: Apache-2.0 */
/** What a zygote is told: any octets decode or are refused, and what decodes survives a second round unchanged. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena a;
	struct spec s, again;
	const char *why;
	struct buf out, out2;

	arena_init(&a);
	buf_init(&out);
	buf_init(&out2);
	if (spec_decode((const char *)data, size, &a, &s, &why) == 0) {
		if (spec_encode(&s, &out) != 0)
			abort();
		if (spec_decode((const char *)buf_head(&out), buf_unread(&out), &a, &again, &why) != 0)
			abort();
		if (spec_encode(&again, &out2) != 0 || buf_unread(&out) != buf_unread(&out2) ||
		    memcmp(buf_head(&out), buf_head(&out2), buf_unread(&out)) != 0)
			abort();
	}
	buf_fini(&out);
	buf_fini(&out2);
	arena_fini(&a);
	return 0;
}
