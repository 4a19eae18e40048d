/* SPDX-License-Identifier: Apache-2.0 */
/** Sending and receiving ipc_msg with descriptors over a SOCK_SEQPACKET socket. */
#ifndef IPC_CHAN_H
#define IPC_CHAN_H

#include <sys/types.h>

#include "sandbox/ipc_wire.h"

/** A connected pair, close-on-exec. Returns 0 or GW_ERR_SYS. */
int ipc_pair(int ends[2]) GW_MUST_USE;

/**
 * Fork, by @forks(@arg) or fork(2), with a channel of @room octets a direction, 0: as many as the kernel gives. Returns as
 * fork(2), with errno; *@chan is the caller's end: ours is non-blocking, the child's may block.
 */
pid_t ipc_fork(int *chan, int room, pid_t (*forks)(const void *arg), const void *arg);

/**
 * Send @m with its descriptors (they stay the caller's). Never raises SIGPIPE.
 * Returns 0, GW_ERR_AGAIN (queue full on a non-blocking channel), GW_ERR_CLOSED, GW_ERR_SYS, GW_ERR_RANGE.
 */
int ipc_send(int chan, const struct ipc_msg *m) GW_MUST_USE;

/**
 * Receive one message sent by @from to @to; descriptors arrive close-on-exec and are the caller's.
 * Returns 0, GW_ERR_AGAIN, GW_ERR_CLOSED, GW_ERR_SYS, or GW_ERR_PROTO (malformed, truncated or not permitted by
 * ipc_allowed(); all descriptors that came with it are closed).
 */
int ipc_recv(int chan, enum ipc_role from, enum ipc_role to, struct ipc_msg *m) GW_MUST_USE;

#endif
