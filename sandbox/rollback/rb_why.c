/* SPDX-License-Identifier: Apache-2.0 */
#include <stddef.h>

#include "sandbox/rollback/rollback.h"

const char *rollback_why_text(int status)
{
	static const char *const texts[ROLLBACK_WHYS] = {
		[ROLLBACK_OK] = "it could be put back",
		[ROLLBACK_THREAD] = "a thread is left",
		[ROLLBACK_CHILD] = "a child process is left",
		[ROLLBACK_DESCRIPTOR] = "a descriptor of its own is closed, another, or a socket with other options",
		[ROLLBACK_MAPPING] = "its mappings are not what they were",
		[ROLLBACK_SIGNAL] = "a signal is pending",
		[ROLLBACK_LIMIT] = "a resource limit is another, or how the process is scheduled",
		[ROLLBACK_STATE] = "the kernel does not put its state back",
		[ROLLBACK_SCAN] = "what it wrote cannot be found out",
	};

	return status > ROLLBACK_EXIT && status < ROLLBACK_EXIT + ROLLBACK_WHYS ? texts[status - ROLLBACK_EXIT] : NULL;
}
