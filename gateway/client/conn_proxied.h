/* SPDX-License-Identifier: Apache-2.0 */
/** The PROXY protocol at the start of a connection: as long as it is spoken, nothing is answered. */
#ifndef CONN_PROXIED_H
#define CONN_PROXIED_H

#include <stdbool.h>

struct conn;
struct protocol;

extern const struct protocol protocol_proxied;

/** Whether @c, whose peers are known, begins with a PROXY header, or may. */
bool conn_is_proxied(const struct conn *c);

#endif
