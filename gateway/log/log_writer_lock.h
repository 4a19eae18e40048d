/* SPDX-License-Identifier: Apache-2.0 */
/** What the log process may do: read what it is sent, and write to what it is given. */
#ifndef LOG_WRITER_LOCK_H
#define LOG_WRITER_LOCK_H

#include <stdbool.h>

#include "conf/conf.h"

/** Become @ids without a capability, and have neither files nor network from then on. Irreversible; failure ends the process. */
void log_writer_lock(const struct conf_ids *ids, bool privileged);

#endif
