/* SPDX-License-Identifier: Apache-2.0 */
/** The parts of `bulkhead --selftest` that only look: the list of attacks, and what an answer means. Pure. */
#ifndef SELFTEST_JUDGE_H
#define SELFTEST_JUDGE_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

struct attack;

enum selftest_verdict { SELFTEST_PASS, SELFTEST_FAIL, SELFTEST_SKIP };

/** The list, as `--selftest=list` prints it and docs/attacks.md holds it. Returns 0 or GW_ERR_NOMEM. */
int selftest_list(struct buf *out) GW_MUST_USE;

/** Whether @a is a control: what must work, or what fails beside it says nothing. */
bool selftest_is_control(const struct attack *a);

/** "word: text": the text, or NULL when @body begins with another word. */
const char *selftest_said(const char *body, const char *word);

/**
 * Judge an answer: @status 0 is none at all. @violation: the call for which the cell was ended, or NULL. The reason goes to
 * @why. Anything but a clear word is a failure.
 */
enum selftest_verdict selftest_judge(const struct attack *a, int status, const char *body, const char *violation, char *why, size_t cap);

/** The call that an error log names as the end of a cell, in @out; NULL when it names none. */
const char *selftest_find_violation(const char *log, char *out, size_t cap);

/** Whether a line of @log begins with @begin. */
bool selftest_log_has_line(const char *log, const char *begin);

/** Whether @a is in the comma-separated @list, by its own name or its layer's; everything is in "". */
bool selftest_is_chosen(const char *list, const struct attack *a);

/** The first word of @list that is neither an attack nor a layer, in @out; NULL: all are. */
const char *selftest_unknown(const char *list, char *out, size_t cap);

#endif
