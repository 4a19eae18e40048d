/* SPDX-License-Identifier: Apache-2.0 */
/** Messages between the roles: the first octet is the number of descriptors that came along, the rest the datagram. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "sandbox/ipc_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_msg m;
	uint8_t out[IPC_HEAD_LEN + IPC_BODY_MAX];

	if (size == 0)
		return 0;
	memset(&m, 0, sizeof(m));
	if (ipc_decode(data + 1, size - 1, data[0], &m) != 0)
		return 0;
	if (ipc_encode(&m, out) != (ssize_t)(size - 1) || memcmp(out, data + 1, size - 1) != 0)
		abort();
	struct ipc_cell_gone g;
	if (ipc_get_cell_gone(&m, &g) == 0) {
		ipc_put_cell_gone(&m, &g);
		if (ipc_encode(&m, out) != (ssize_t)(size - 1) || memcmp(out, data + 1, size - 1) != 0)
			abort();
	}
	return 0;
}
