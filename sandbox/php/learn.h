/* SPDX-License-Identifier: Apache-2.0 */
/** The zygote's side of `SandboxProfile learn`: listens to its cells' learning filters, counts, and tells the front. */
#ifndef LEARN_H
#define LEARN_H

#include <stdbool.h>

#include "sandbox/sb_learn.h"
#include "sandbox/sb_sigsys.h"

#define LEARN_TEXT_MAX 480

/** What was learned, one line: need=WORD call=NAME count=N args=TEXT script=PATH. */
typedef void learn_tell(uint32_t id, const char *text);

/**
 * In the zygote, before its filter. @zygote is our pid, @slots where cells note their scripts (one each).
 * Returns 0, GW_ERR_NOMEM or GW_ERR_SYS with *@why.
 */
int learn_start(struct sb_slot *slots, learn_tell *tell, const char **why) GW_MUST_USE;

/** Descriptor to poll for reading; -1 when nothing is learned here. */
int learn_poll_fd(void);

/** Something came: take listeners, let stopped calls go on. */
void learn_work(void);

/** Around fork(): a cell's end of a socket for its listener, or -1. Close it afterwards in the zygote. */
int learn_socket(size_t slot, uint32_t id);

/**
 * In a cell, the last thing before the delta: load the learning filter and hand its listener over; closes @sock.
 * Returns 0 or GW_ERR_SYS.
 */
int learn_enter(int sock) GW_MUST_USE;

/** In a cell: what is called until it is taken back is our own doing, not the site's. */
void learn_own_work(bool own);

/** In a cell: a request for @script begins. */
void learn_script(struct sb_slot *slot, const char *script);

#endif
