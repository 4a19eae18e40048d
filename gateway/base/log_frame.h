/* SPDX-License-Identifier: Apache-2.0 */
/**
 * Lines on their way to the log process: records of a head and text, one or more in a datagram of a SOCK_SEQPACKET socket.
 *   octets 0..3 which log (a number that the master gave)   4 severity (enum log_level)   5..7 length   8.. text
 * All big-endian. Pure.
 */
#ifndef BASE_LOG_FRAME_H
#define BASE_LOG_FRAME_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gateway/base/err.h"

#define LOG_FRAME_HEAD 8
#define LOG_FRAME_TEXT_MAX 0x7ffff           /* octets: a line of the longest request that can be configured for */
#define LOG_FRAME_DATAGRAM_MAX (600 * 1024)  /* octets */

struct log_frame {
	uint32_t id;
	unsigned severity;
	const char *text; /* borrowed */
	size_t len;
};

/** Write the head of a record with @len <= LOG_FRAME_TEXT_MAX octets of text to the LOG_FRAME_HEAD octets at @out. */
void log_frame_put(uint8_t *out, uint32_t id, unsigned severity, size_t len);

/** The record at @in of @n octets. Returns its octets, head and all, or GW_ERR_PROTO: cut, empty, unknown severity. */
ssize_t log_frame_get(const uint8_t *in, size_t n, struct log_frame *f) GW_MUST_USE;

#endif
