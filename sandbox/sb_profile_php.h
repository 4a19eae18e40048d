/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Profile "php": everything PHP and its usual extensions do (files, sockets of the usual kinds, resolver threads, System V
 * IPC, server sockets), no program execution, no new processes, no set-id files, no writable code.
 */
#ifndef SB_PROFILE_PHP_H
#define SB_PROFILE_PHP_H

#include "sandbox/sb_profile.h"

extern const struct sb_profile sb_profile_php;

#endif
