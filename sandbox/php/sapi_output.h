/* SPDX-License-Identifier: Apache-2.0 */
/**
 * A request's output on its way to the front. libfcgi sends 8 KB at a time, each of which wakes the front, which sends it on
 * to the client: behind the first that fill, longer pieces are made here. What is held back is sent when it is enough, when
 * some of it is SAPI_OUTPUT_MS old and more comes, with flush(), and at the end.
 */
#ifndef SAPI_OUTPUT_H
#define SAPI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>

#include <fcgiapp.h>

#define SAPI_OUTPUT_MAX 32768 /* octets of a piece */
#define SAPI_OUTPUT_MS 20

/** Take @len octets. Returns whether the front still takes output. */
bool sapi_output_put(FCGX_Request *fcgx, const char *str, size_t len);

/** Send everything. Returns whether that could be done. */
bool sapi_output_flush(FCGX_Request *fcgx);

/**
 * Whether the front still wants the answer: asked after each piece that was sent, else true. It says that it does not by an
 * ABORT_REQUEST (FastCGI 1.0, section 5.4). That is taken: it is false once. Not before all of the body was read: octets of
 * the client's own could look like it.
 */
bool sapi_output_is_wanted(const FCGX_Request *fcgx);

/** Before the stream is closed: send what is held back here; what libfcgi has goes with END_REQUEST. Returns as above. */
bool sapi_output_end(FCGX_Request *fcgx);

#endif
