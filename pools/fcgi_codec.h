/* SPDX-License-Identifier: Apache-2.0 */
/**
 * FastCGI 1.0 records, pure: octets in, records out and back. No system call, no allocation.
 *
 *   version(1) type requestIdB1 requestIdB0 contentLengthB1 contentLengthB0 paddingLength reserved  content  padding
 */
#ifndef FCGI_CODEC_H
#define FCGI_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/buf.h"
#include "gateway/base/err.h"

#define FCGI_CODEC_HEAD_LEN 8
#define FCGI_CODEC_BEGIN_LEN 16
#define FCGI_CODEC_MAX_CONTENT 65535

enum fcgi_type { /* FastCGI 1.0, section 8 */
	FCGI_T_BEGIN_REQUEST = 1, FCGI_T_ABORT_REQUEST, FCGI_T_END_REQUEST, FCGI_T_PARAMS, FCGI_T_STDIN, FCGI_T_STDOUT,
	FCGI_T_STDERR, FCGI_T_DATA, FCGI_T_GET_VALUES, FCGI_T_GET_VALUES_RESULT, FCGI_T_UNKNOWN
};

enum fcgi_protocol_status { FCGI_PS_COMPLETE, FCGI_PS_CANT_MPX, FCGI_PS_OVERLOADED, FCGI_PS_UNKNOWN_ROLE };

struct fcgi_hdr {
	uint8_t type;
	uint16_t id;
	uint16_t content_len; /* octets */
	uint8_t padding_len;  /* octets */
};

/** Decode one record header. Returns 8, 0 when fewer than 8 octets are there, GW_ERR_PROTO when version is not 1. Section 3.3. */
ssize_t fcgi_hdr_decode(const uint8_t *in, size_t len, struct fcgi_hdr *h) GW_MUST_USE;

/** Encode one record header into 8 octets. */
void fcgi_hdr_encode(uint8_t out[FCGI_CODEC_HEAD_LEN], const struct fcgi_hdr *h);

/** Encode a BEGIN_REQUEST record for the responder role (section 5.1), header included. */
void fcgi_begin_encode(uint8_t out[FCGI_CODEC_BEGIN_LEN], uint16_t id, bool keep);

/** Append one name-value pair in section 3.4's encoding (4-octet lengths from 128 up). GW_ERR_RANGE past 2^31-1. */
int fcgi_put_param(struct buf *out, const char *name, size_t name_len, const char *value, size_t value_len) GW_MUST_USE;

/* Receiving side: one request's records. */
enum fcgi_event_kind { FCGI_EV_NONE, FCGI_EV_STDOUT, FCGI_EV_STDERR, FCGI_EV_END };

struct fcgi_event {
	enum fcgi_event_kind kind;
	const uint8_t *data; /* borrowed from the input, for STDOUT and STDERR */
	size_t len;
	uint32_t app_status; /* END */
	uint8_t protocol_status;
};

struct fcgi_decoder {
	uint16_t id;          /* the only request id accepted */
	uint8_t head[FCGI_CODEC_HEAD_LEN], end_body[8];
	size_t head_len, end_len;
	struct fcgi_hdr hdr;
	size_t content_left, padding_left;
	bool in_record;
	bool done;            /* END_REQUEST was seen; only its padding may still come */
};

/** Begin decoding the answer to request @id. */
void fcgi_decoder_init(struct fcgi_decoder *d, uint16_t id);

/** Whether END_REQUEST was consumed with all of its padding: the stream stands exactly at a record boundary. */
bool fcgi_decoder_at_end(const struct fcgi_decoder *d);

/**
 * Consume octets up to and including one event; call again with the rest while octets remain.
 * Content is passed on as it comes: an event may hold a part of a record. Returns octets consumed (> 0 unless len is 0),
 * or GW_ERR_PROTO: wrong version, foreign request id, unknown or misplaced type, END_REQUEST of another length than 8,
 * anything but padding after END_REQUEST. After an error the decoder is of no further use.
 */
ssize_t fcgi_decode(struct fcgi_decoder *d, const uint8_t *in, size_t len, struct fcgi_event *ev) GW_MUST_USE;

#endif
