/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What a cell says to the mail process, on a connection of its own for each message, and what it gets back. Pure.
 *
 *   request   octets 0..3 "BHM1"   4..7 length of the sender   8..11 of the recipients   12..15 of the script's name
 *             16..19 of the message   then sender, recipients, script (each of these texts ends in a NUL, which is counted), message
 *   answer    octets 0..3 "BHM1"   4 enum mail_status   5 length of the text   then the text
 *
 * Numbers are big-endian. Nothing in a request says whose it is: that is known from the channel the connection came over.
 */
#ifndef MAIL_WIRE_H
#define MAIL_WIRE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

#define MAIL_HEAD_LEN 20
#define MAIL_RCPTS_MAX 1000             /* of one message */
#define MAIL_RCPTS_OCTETS (64 * 1024)
#define MAIL_SCRIPT_MAX 1024
#define MAIL_MESSAGE_MAX 0x40000000u    /* of the protocol; a site's own limit is lower */
#define MAIL_ANSWER_MAX (6 + 255)

enum mail_status {
	MAIL_ACCEPTED,
	MAIL_REFUSED,  /* for good: a rule of ours, or the relay's 5yz */
	MAIL_FAILED    /* for now: no relay, a time-out, the site's rate, 4yz */
};

struct mail_head {
	uint32_t from_len, rcpts_len, script_len, message_len;
};

/* Points into the octets it was decoded from. */
struct mail_envelope {
	const char *from;    /* NUL-terminated; "": the site's own sender */
	size_t rcpts_n;
	const char *rcpts;   /* rcpts_n NUL-terminated addresses */
	const char *script;  /* NUL-terminated, for the log */
};

struct mail_answer {
	enum mail_status status;
	char text[256];
};

/** Append head, sender ("": the site's own), recipients (@rcpts_len octets as above) and script (cut when too long).
 * Returns 0, GW_ERR_NOMEM or GW_ERR_RANGE. */
int mail_put_request(struct buf *out, const char *from, const char *rcpts, size_t rcpts_len, const char *script, size_t message_len) GW_MUST_USE;

/** Decode MAIL_HEAD_LEN octets. Returns 0 or GW_ERR_PROTO: no head of ours, or a length out of bounds. */
int mail_get_head(const uint8_t *in, struct mail_head *h) GW_MUST_USE;

/** Octets between head and message. */
size_t mail_envelope_len(const struct mail_head *h);

/**
 * Decode the mail_envelope_len() octets at @in; @e points into them.
 * Returns 0 or GW_ERR_PROTO: an address that mail_addr_ok() refuses, no recipient or too many.
 */
int mail_get_envelope(const struct mail_head *h, const char *in, struct mail_envelope *e) GW_MUST_USE;

/** Encode into @out (MAIL_ANSWER_MAX octets); returns how many. */
size_t mail_put_answer(const struct mail_answer *a, uint8_t *out);

/** Decode. Returns the octets it took, 0 when more are needed, or GW_ERR_PROTO. */
ssize_t mail_get_answer(const uint8_t *in, size_t len, struct mail_answer *a) GW_MUST_USE;

#endif
