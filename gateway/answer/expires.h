/* SPDX-License-Identifier: Apache-2.0 */
/** ExpiresActive and its kin (mod_expires): Expires and Cache-Control: max-age for an answer. Pure, any thread. */
#ifndef EXPIRES_H
#define EXPIRES_H

#include <time.h>

#include "conf/conf_edit.h"
#include "gateway/base/buf.h"
#include "gateway/base/err.h"

/**
 * Add to @fields (http/field_lines.h) what @e says for their Content-Type. @now: the time of the request; @modified: the
 * file's, or -1 when no file is sent (a rule that counts from there then says nothing). Fields that name Expires, or a
 * Cache-Control that settles how long, are left alone. Returns 0 or GW_ERR_NOMEM.
 */
int expires_apply(const struct conf_edit *e, struct buf *fields, time_t now, time_t modified) GW_MUST_USE;

#endif
