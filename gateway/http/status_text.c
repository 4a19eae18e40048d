/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/status_text.h"

#include <string.h>

struct entry {
	int status;
	const char *reason;
	const char *sentence; /* for the page; NULL: the phrase says it all */
};

/* In order of status. */
static const struct entry entries[] = {
	{100, "Continue", NULL},
	{101, "Switching Protocols", NULL},
	{102, "Processing", NULL},
	{103, "Early Hints", NULL},
	{200, "OK", NULL},
	{201, "Created", NULL},
	{202, "Accepted", NULL},
	{203, "Non-Authoritative Information", NULL},
	{204, "No Content", NULL},
	{205, "Reset Content", NULL},
	{206, "Partial Content", NULL},
	{207, "Multi-Status", NULL},
	{208, "Already Reported", NULL},
	{226, "IM Used", NULL},
	{300, "Multiple Choices", NULL},
	{301, "Moved Permanently", "This page has a new address for good."},
	{302, "Found", "This page is at another address for now."},
	{303, "See Other", "The answer is at another address."},
	{304, "Not Modified", NULL},
	{305, "Use Proxy", NULL},
	{307, "Temporary Redirect", "This page is at another address for now."},
	{308, "Permanent Redirect", "This page has a new address for good."},
	{400, "Bad Request", "The browser sent a request that cannot be understood."},
	{401, "Unauthorized", "This page asks for a name and a password."},
	{402, "Payment Required", NULL},
	{403, "Forbidden", "Access to this page is not allowed."},
	{404, "Not Found", "There is nothing at this address."},
	{405, "Method Not Allowed", "This address does not answer that kind of request."},
	{406, "Not Acceptable", "There is no version of this page that the browser accepts."},
	{407, "Proxy Authentication Required", NULL},
	{408, "Request Timeout", "The request took too long to arrive."},
	{409, "Conflict", NULL},
	{410, "Gone", "This page was here and has been removed."},
	{411, "Length Required", NULL},
	{412, "Precondition Failed", "A condition in the request does not hold."},
	{413, "Content Too Large", "The request carries more data than is accepted here."},
	{414, "URI Too Long", "The address is too long."},
	{415, "Unsupported Media Type", NULL},
	{416, "Range Not Satisfiable", "The requested part lies outside the file."},
	{417, "Expectation Failed", "The request expects something that is not offered here."},
	{421, "Misdirected Request", "This host is not served on this connection."},
	{422, "Unprocessable Content", NULL},
	{423, "Locked", NULL},
	{424, "Failed Dependency", NULL},
	{425, "Too Early", NULL},
	{426, "Upgrade Required", NULL},
	{428, "Precondition Required", NULL},
	{429, "Too Many Requests", "There were too many requests in a short time. Please try again later."},
	{431, "Request Header Fields Too Large", "The header of the request is too large."},
	{451, "Unavailable For Legal Reasons", NULL},
	{500, "Internal Server Error", "Something went wrong on the server. Its log says more."},
	{501, "Not Implemented", "The request asks for something that is not supported here."},
	{502, "Bad Gateway", "The application gave no valid answer."},
	{503, "Service Unavailable", "The site cannot answer right now. Please try again in a moment."},
	{504, "Gateway Timeout", "The application did not answer in time."},
	{505, "HTTP Version Not Supported", NULL},
	{506, "Variant Also Negotiates", NULL},
	{507, "Insufficient Storage", NULL},
	{508, "Loop Detected", NULL},
	{511, "Network Authentication Required", NULL},
};

static const struct entry *find(int status)
{
	for (size_t i = 0; i < sizeof(entries) / sizeof(*entries); i++)
		if (entries[i].status == status)
			return &entries[i];
	return NULL;
}

const char *status_reason(int status)
{
	static const char *const classes[] = {"Unknown", "Informational", "Success", "Redirection", "Client Error",
		"Server Error"};
	const struct entry *e = find(status);

	if (e != NULL)
		return e->reason;
	return status >= 100 && status <= 599 ? classes[status / 100] : classes[0];
}

static const char *reference(char c)
{
	switch (c) {
	case '&':
		return "&amp;";
	case '<':
		return "&lt;";
	case '>':
		return "&gt;";
	case '"':
		return "&quot;";
	case '\'':
		return "&#39;";
	default:
		return (unsigned char)c < 0x20 || c == 0x7f ? "?" : NULL;
	}
}

int html_escape(struct buf *out, const char *s, size_t len)
{
	size_t from = 0;

	for (size_t i = 0; i < len; i++) {
		const char *ref = reference(s[i]);
		if (ref == NULL)
			continue;
		if (buf_append(out, s + from, i - from) < 0 || buf_puts(out, ref) < 0)
			return GW_ERR_NOMEM;
		from = i + 1;
	}
	return buf_append(out, s + from, len - from);
}

/* Take back what was appended since @unread octets were there. */
static int undo(struct buf *out, size_t unread)
{
	out->len = out->pos + unread;
	return GW_ERR_NOMEM;
}

static int page_start(struct buf *out, int status)
{
	const struct entry *e = find(status);

	return buf_printf(out, "<!DOCTYPE html>\n<html lang=\"en\">\n<head><meta charset=\"utf-8\"><meta name=\"viewport\" content=\"width=device-width\">"
		"<meta name=\"color-scheme\" content=\"light dark\"><title>%d %s</title></head>\n"
		"<body>\n<h1>%s</h1>\n", status, status_reason(status), status_reason(status)) < 0 ||
			(e != NULL && e->sentence != NULL && buf_printf(out, "<p>%s</p>\n", e->sentence) < 0)
		? GW_ERR_NOMEM
		: GW_OK;
}

int status_page(struct buf *out, int status, const char *detail)
{
	size_t unread = buf_unread(out);

	if (page_start(out, status) < 0)
		return undo(out, unread);
	if (detail != NULL &&
	    (buf_puts(out, "<p>") < 0 || html_escape(out, detail, strlen(detail)) < 0 || buf_puts(out, "</p>\n") < 0))
		return undo(out, unread);
	return buf_puts(out, "</body>\n</html>\n") < 0 ? undo(out, unread) : GW_OK;
}

int status_redirect_page(struct buf *out, int status, const char *url)
{
	size_t unread = buf_unread(out);

	if (page_start(out, status) < 0 || buf_puts(out, "<p><a href=\"") < 0 || html_escape(out, url, strlen(url)) < 0 ||
	    buf_puts(out, "\">") < 0 || html_escape(out, url, strlen(url)) < 0 ||
	    buf_puts(out, "</a></p>\n</body>\n</html>\n") < 0)
		return undo(out, unread);
	return GW_OK;
}
