/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What the configuration makes of an answer's header: Expires, then Header's rules, then whether the body is compressed.
 * Compression comes last and so sees the fields as they are sent: nothing is encoded twice, and Vary is right whatever a
 * rule put there. Pure but for %l. Own thread.
 */
#ifndef ANSWER_EDIT_H
#define ANSWER_EDIT_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "conf/conf_edit.h"
#include "gateway/base/buf.h"
#include "gateway/answer/header_rules.h"
#include "gateway/http/accept_encoding.h"
#include "gateway/http/req_fields.h"

#define ANSWER_COMPRESS_MIN 256 /* octets: a shorter body gains nothing that its header does not lose */

struct answer_facts {
	const struct conf_edit *edit;
	const struct header_context *rules;
	int status;
	bool built_in;         /* an error page or a redirect that the server itself makes */
	time_t now, modified;  /* modified -1: no file */
	int64_t length;        /* of the body; -1 unknown */
	const char *filename;  /* for AddOutputFilter; may be NULL */
	unsigned codings;      /* CODING_BIT()s that there is room for now: others count for Vary only */
	const struct req_fields *request;
};

/**
 * Change @fields (http/field_lines.h) as the configuration says; of a 304 they may hold what describes a body, which is
 * used and taken away. *@coding: what the body is to be sent in; its fields are
 * in @fields already. Returns 0, GW_ERR_NOMEM, or GW_ERR_RANGE (see header_rules.h).
 */
int answer_edit(const struct answer_facts *f, struct buf *fields, enum coding *coding) GW_MUST_USE;

/** The compressor's level for @coding by @e. */
int answer_level(const struct conf_edit *e, enum coding coding);

/**
 * For an ETag that AddSuffix changed: @value (of If-None-Match and its kin) without "-gzip" and "-br" before a closing
 * quote, in @a. NULL when memory is out; @value itself when there is nothing to cut. *@len is its length, in and out.
 */
const char *answer_plain_etags(struct arena *a, const char *value, size_t *len);

#endif
