/* SPDX-License-Identifier: Apache-2.0 */
/** Error codes shared by every module. 0 is success, errors are negative; decoders return octets consumed instead. */
#ifndef BASE_ERR_H
#define BASE_ERR_H

enum gw_err {
	GW_OK = 0,
	GW_ERR_NOMEM = -1,    /* allocation failed */
	GW_ERR_SYS = -2,      /* a system call failed; errno says how */
	GW_ERR_PROTO = -3,    /* the peer broke its protocol */
	GW_ERR_RANGE = -4,    /* a value or length is out of its range */
	GW_ERR_CLOSED = -5,   /* the peer closed */
	GW_ERR_AGAIN = -6,    /* would block; wait for readiness */
	GW_ERR_TIMEOUT = -7,  /* a deadline passed */
	GW_ERR_FULL = -8,     /* a bounded queue or table is full */
	GW_ERR_DENIED = -9,   /* policy refuses */
	GW_ERR_NOTFOUND = -10 /* no such name */
};

#define GW_MUST_USE __attribute__((warn_unused_result))
#define GW_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/**
 * One-line English text for @err (any enum gw_err; others give "unknown error").
 * Returns a static string. Any thread.
 */
const char *gw_strerror(int err);

#endif
