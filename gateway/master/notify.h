/* SPDX-License-Identifier: Apache-2.0 */
/** What a service manager is told: sd_notify(3)'s protocol, which is one datagram to the socket that NOTIFY_SOCKET names. */
#ifndef NOTIFY_H
#define NOTIFY_H

/**
 * Send @state ("READY=1", lines separated by newlines). Nothing happens without NOTIFY_SOCKET, or when nobody listens there:
 * a service manager that has gone is no reason to stop. Master only; never blocks.
 */
void notify_send(const char *state);

#endif
