/* SPDX-License-Identifier: Apache-2.0 */
/** Other sites' memory segments and sockets: what is shared without a file. */
#include "sandbox/attack/attack.h"

#define SHARED_KEY "0x62680001"

const struct attack attack_network[] = {
	{.name = "foreign-segment", .threat = "read another site's System V shared memory", .layer = "uid", .how = "its owner is another user", .needs = ATTACK_NEEDS_ROOT,
		.code = "$id = call('shmget', " SHARED_KEY ", 4096, 01600); put('segment', $id); stopped($id < 0 ? 'no segment to begin with' : 'made');",
		.end = ATTACK_THEN_VICTIM,
		.then = "$id = call('shmget', " SHARED_KEY ", 4096, 0400); if ($id < 0) stopped(errno_name(-$id)); through('it was found and may be read');"},
	{.name = "foreign-queue", .threat = "read another site's messages", .layer = "uid", .how = "its owner is another user", .needs = ATTACK_NEEDS_ROOT,
		.code = "$id = call('msgget', " SHARED_KEY ", 01600); stopped($id < 0 ? 'no queue to begin with' : 'made');", .end = ATTACK_THEN_VICTIM,
		.then = "$id = call('msgget', " SHARED_KEY ", 0400); if ($id < 0) stopped(errno_name(-$id)); through('it was found and may be read');"},
	{.name = "posix-queue", .threat = "message queues that the kernel keeps for ever", .layer = "filter", .how = "mq_open() is not there",
		.code = "denied(call('mq_open', \"bh-selftest\\0\", 0102, 0600, 0));"},
};
const size_t attack_network_n = sizeof(attack_network) / sizeof(attack_network[0]);
