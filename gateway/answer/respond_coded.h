/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Between who makes an answer and respond.c: the configuration's changes to its fields (answer_edit.h), and the
 * compression of its body. The producer knows of neither: it says a length and hands over octets as ever.
 */
#ifndef RESPOND_CODED_H
#define RESPOND_CODED_H

#include "gateway/answer/request.h"

#define CODED_WHOLE_MAX 65536 /* octets of a body of known length that is compressed in one go, and so keeps a length */

struct compressor;
struct served_file;

/* A body on its way through a compressor. */
struct coded {
	struct compressor *z;
	size_t *memory;     /* the loop's count of what its compressors hold */
	int64_t left;       /* octets that the producer still owes; -1: it did not say */
	bool held;          /* the head waits for the whole body, to say how long it became */
	int status;
	char reason[64];
	const struct served_file *file; /* serve_static.c: what the body is read from; NULL elsewhere */
};

/**
 * A copy of @fields (may be NULL) in @out, changed as the configuration of the request's place says; when the body is to
 * be compressed, r->resp.coded is made. *@length: of the body, -1 unknown, which it becomes when compression will change
 * it. Returns 0, or negative after a line in the log: the answer must not go out.
 */
int respond_edit(struct request *r, int status, const struct buf *fields, int64_t *length, struct buf *out) GW_MUST_USE;

/** Whether there is anything for respond_edit() to do. */
bool respond_edits(const struct request *r);

/** End the compression of the request under way, whether or not it was complete. */
void respond_coded_free(struct request *r);

#endif
