/* SPDX-License-Identifier: Apache-2.0 */
/**
 * What an HTTP/2 client may not do and the library lets pass, or does not count. Private to http2_session.c. Each of these may
 * end the session by a GOAWAY; what the client sends after that is not looked at.
 */
#ifndef HTTP2_JUDGE_H
#define HTTP2_JUDGE_H

#include "gateway/http/http2_session.h"

/** Too much of something: ENHANCE_YOUR_CALM, once. @what, for the log, is a static string. */
void http2_judge_calm(struct http2_session *s, const char *what);

/** One more event that is counted. */
void http2_judge_count(struct http2_session *s, enum http2_limit what);

/** Whether the library must have seen all before this frame for it to be judged. */
bool http2_judge_waits(const struct http2_session *s, const struct http2_frame_head *h);

/** A frame begins, of which the library has seen nothing. */
void http2_judge_begin(struct http2_session *s, const struct http2_frame_head *h);

/** A SETTINGS frame of the client, which the library has applied. */
void http2_judge_settings(struct http2_session *s, const nghttp2_settings *f);

/** A PRIORITY_UPDATE frame. */
void http2_judge_priority(struct http2_session *s, const nghttp2_extension *f);

/** A stream is over, or was refused before it was one. @ended: by the client, too. */
void http2_judge_closed(struct http2_session *s, int32_t id, bool ended);

/** A GOAWAY is sent. */
void http2_judge_goaway(struct http2_session *s, const nghttp2_goaway *f);

#endif
