/* SPDX-License-Identifier: Apache-2.0 */
/**
 * The log process: takes lines (base/log_frame.h) from fronts and writes them to files, pipes and syslog. It opens nothing: it
 * asks the master by number, and holds LOG_WRITER_FDS files at most, those written to last. A reader that is slow, or gone,
 * costs its own lines past some megabytes, and never holds up a front. Its own user is the front's; no capability, no file
 * system, a filter of few calls.
 */
#ifndef LOG_WRITER_H
#define LOG_WRITER_H

#include <stdbool.h>

#include "conf/conf.h"

#define LOG_WRITER_FDS 256
#define LOG_WRITER_IDS (1U << 20) /* logs there can be */

/** Run until the master closes @chan and all that came over @data is written; never returns. */
_Noreturn void log_writer_main(const struct conf_ids *ids, int chan, int data, bool privileged);

#endif
