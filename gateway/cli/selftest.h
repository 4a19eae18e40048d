/* SPDX-License-Identifier: Apache-2.0 */
/** `bulkhead --selftest`: the attacks of sandbox/attack/ in real cells of a throw-away server on this machine. */
#ifndef SELFTEST_H
#define SELFTEST_H

#include "gateway/cli/cmdline.h"

/**
 * Run what cmd->selftest chooses: "" everything, "list" prints the table (Markdown), else names of attacks or layers
 * separated by commas. -C, -c and -D are passed to the throw-away server, so that one sees what a directive changes.
 * Prints a line for each; returns 0, 1 when an attack got through or a control failed, 2 when there was nothing to test.
 */
int selftest_run(const struct cmdline *cmd);

#endif
