/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A system call as a line for the log: its name and those arguments that are numbers or flags. Never an address, nor what
 * lies at one: they would tell a reader of the log where things lie in a process, and cost the site its ASLR.
 */
#ifndef SB_CALL_TEXT_H
#define SB_CALL_TEXT_H

#include <stddef.h>
#include <stdint.h>

/**
 * Put "name(label=value ...)" for call @nr into @out, cut at @size octets with its NUL. The arguments are whatever a
 * hostile process says they are: they are printed as numbers or known words only. A number that is no call of this
 * machine gives "call N". One thread at a time. Returns @out.
 */
const char *sb_call_text(int32_t nr, const uint64_t args[6], char *out, size_t size);

#endif
