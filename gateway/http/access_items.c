/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/http/access_items.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/http/access_json.h"
#include "gateway/http/http_date.h"
#include "gateway/http/http_chars.h"

#define STRFTIME_MAX 512 /* octets that one %{format}t may write */

/* --- writing ----------------------------------------------------------------------------------------------------------- */

/* In JSON an octet that no string has stands for what is not there, until access_format.c has made null of it. */
static int put_none(const struct access_op *op, struct buf *out)
{
	return buf_append(out, op->json ? ACCESS_JSON_NONE : "-", 1);
}

static int put_escaped(const struct access_op *op, struct buf *out, const char *s, size_t len)
{
	static const char letters[] = "\bb\nn\rr\tt\vv\"\"\\\\", hex[] = "0123456789abcdef";

	if (op->json)
		return access_json_put(out, s, len);
	for (size_t i = 0, run; i < len; i += run + 1) {
		for (run = 0; i + run < len && access_is_plain((uint8_t)s[i + run]); run++)
			;
		if (buf_append(out, s + i, run) < 0)
			return GW_ERR_NOMEM;
		if (i + run == len)
			break;
		uint8_t octet = (uint8_t)s[i + run];
		char text[4] = {'\\', 'x', hex[octet >> 4], hex[octet & 15]};
		size_t n = 4;
		for (const char *l = letters; *l != '\0'; l += 2)
			if (*l == s[i + run]) {
				text[1] = l[1];
				n = 2;
			}
		if (buf_append(out, text, n) < 0)
			return GW_ERR_NOMEM;
	}
	return GW_OK;
}

static int put_string(const struct access_op *op, struct buf *out, const char *s)
{
	return s == NULL ? put_none(op, out) : put_escaped(op, out, s, strlen(s));
}

static int put_number(struct buf *out, uint64_t n)
{
	char text[20], *p = text + sizeof(text);

	do
		*--p = (char)('0' + n % 10);
	while ((n /= 10) > 0);
	return buf_append(out, p, (size_t)(text + sizeof(text) - p));
}

/* op->choice = place of the argument in @names, a list that ends with NULL. */
static bool choose(struct access_op *op, const char *const *names)
{
	for (op->choice = 0; names[op->choice] != NULL; op->choice++)
		if (op->arg != NULL && strcmp(op->arg, names[op->choice]) == 0)
			return true;
	return false;
}

/* --- who, where, what -------------------------------------------------------------------------------------------------- */

#define PUT_STRING(name, member)                                                                        \
	static int name(const struct access_op *op, const struct access_event *e, struct buf *out)      \
	{                                                                                               \
		return put_string(op, out, e->member);                                                      \
	}

PUT_STRING(put_local_ip, local_ip)
PUT_STRING(put_server_name, server_name)
PUT_STRING(put_method, method)
PUT_STRING(put_request_line, request_line)
PUT_STRING(put_path, path)
PUT_STRING(put_protocol, protocol)
PUT_STRING(put_filename, filename)
PUT_STRING(put_handler, handler)
PUT_STRING(put_user, user)

static int put_literal(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)e;
	return buf_append(out, op->arg, op->arg_len);
}

static int put_percent(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)op;
	(void)e;
	return buf_append(out, "%", 1);
}

/* What has no meaning here, and is "-" in Apache too unless some module provides it. */
static int put_dash(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)e;
	return put_none(op, out);
}

static bool prepare_client(struct access_op *op)
{
	return op->arg == NULL || choose(op, (const char *const[]){"c", NULL});
}

static int put_client(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return put_string(op, out, op->arg != NULL && e->peer_ip != NULL ? e->peer_ip : e->client_ip);
}

static int put_host_asked(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return put_string(op, out, e->host_asked != NULL ? e->host_asked : e->server_name);
}

static int put_query(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	if (e->query == NULL)
		return GW_OK;
	int rc = buf_append(out, "?", 1);
	return rc < 0 ? rc : put_escaped(op, out, e->query, strlen(e->query));
}

enum { PORT_CANONICAL, PORT_LOCAL, PORT_REMOTE };

static bool prepare_port(struct access_op *op)
{
	return op->arg == NULL || choose(op, (const char *const[]){"canonical", "local", "remote", NULL});
}

static int put_port(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return put_string(op, out, op->choice == PORT_LOCAL ? e->local_port
			: op->choice == PORT_REMOTE     ? e->client_port
							: e->canonical_port);
}

enum { ID_PROCESS, ID_THREAD, ID_THREAD_HEX };

static bool prepare_id(struct access_op *op)
{
	bool ok = op->arg == NULL || choose(op, (const char *const[]){"pid", "tid", "hextid", NULL});

	op->number = op->choice != ID_THREAD_HEX;
	return ok;
}

static int put_id(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)e;
	if (op->choice == ID_THREAD_HEX)
		return buf_printf(out, "%lx", (unsigned long)gettid());
	return put_number(out, (uint64_t)(op->choice == ID_THREAD ? gettid() : getpid()));
}

/* --- counts ------------------------------------------------------------------------------------------------------------ */

static int put_status(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	int status = op->final ? e->status : e->status_original;

	return status <= 0 ? put_none(op, out) : put_number(out, (uint64_t)status);
}

static int put_body(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)op;
	return put_number(out, e->bytes_body);
}

/* The Common Log Format has no 0. */
static int put_body_clf(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return e->bytes_body == 0 ? put_none(op, out) : put_number(out, e->bytes_body);
}

static int put_in(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)op;
	return put_number(out, e->bytes_in);
}

static int put_out(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)op;
	return put_number(out, e->bytes_out);
}

static int put_both(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)op;
	return put_number(out, e->bytes_in + e->bytes_out);
}

static int put_keepalive(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)op;
	return put_number(out, e->keepalive_count);
}

static int put_connection(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	char c = (char)e->connection_state;

	return c == '\0' ? put_none(op, out) : put_escaped(op, out, &c, 1);
}

static const uint64_t duration_units[] = {1000000, 1000, 1}; /* microseconds in "s", "ms", "us" */

static bool prepare_duration(struct access_op *op)
{
	return op->arg == NULL || choose(op, (const char *const[]){"s", "ms", "us", NULL});
}

static int put_duration(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return put_number(out, e->duration_us / duration_units[op->choice]);
}

static int put_duration_us(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	(void)op;
	return put_number(out, e->duration_us);
}

static int put_first_us(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return e->first_us < 0 ? put_none(op, out) : put_number(out, (uint64_t)e->first_us);
}

/* --- time -------------------------------------------------------------------------------------------------------------- */

enum { TIME_SEC, TIME_MSEC, TIME_USEC, TIME_MSEC_FRAC, TIME_USEC_FRAC, TIME_STRFTIME, TIME_CLF };

/* "begin:" or "end:", then a name or a format for strftime. */
static bool prepare_time(struct access_op *op)
{
	static const char *const names[] = {"sec", "msec", "usec", "msec_frac", "usec_frac", NULL};

	if (op->arg == NULL) {
		op->choice = TIME_CLF;
		return true;
	}
	size_t prefix = strncmp(op->arg, "begin:", 6) == 0 ? 6 : strncmp(op->arg, "end:", 4) == 0 ? 4 : 0;
	op->moment = prefix == 4;
	op->arg += prefix;
	op->arg_len -= prefix;
	if (op->arg_len == 0)
		op->choice = TIME_CLF;
	else if (!choose(op, names))
		op->choice = TIME_STRFTIME;
	op->number = op->choice <= TIME_USEC;
	return true;
}

/* "[22/Nov/2026:23:11:26 +0000]": the same for every line of a second, so each thread remembers its last one. */
static int put_clf_time(const struct access_op *op, time_t sec, struct buf *out)
{
	static _Thread_local time_t last;
	static _Thread_local char text[40];
	static _Thread_local size_t len;
	struct tm tm;

	if (len == 0 || sec != last) {
		if (localtime_r(&sec, &tm) == NULL)
			return put_none(op, out);
		long offset = tm.tm_gmtoff / 60, minutes = offset < 0 ? -offset : offset;
		struct buf b;
		buf_init(&b);
		if (buf_printf(&b, "[%02d/%s/%04d:%02d:%02d:%02d %c%02ld%02ld]", tm.tm_mday, http_month_names[tm.tm_mon],
			    tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec, offset < 0 ? '-' : '+', minutes / 60,
			    minutes % 60) < 0)
			return GW_ERR_NOMEM;
		len = buf_unread(&b) < sizeof(text) ? buf_unread(&b) : sizeof(text);
		memcpy(text, buf_head(&b), len);
		buf_fini(&b);
		last = sec;
	}
	return buf_append(out, text, len);
}

/* The format is the administrator's, and so is what it writes: nothing to escape. */
static int put_strftime(const struct access_op *op, time_t sec, struct buf *out)
{
	struct tm tm;
	char text[STRFTIME_MAX];

	if (localtime_r(&sec, &tm) == NULL)
		return put_none(op, out);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	size_t n = strftime(text, sizeof(text), op->arg, &tm);
#pragma GCC diagnostic pop
	return op->json ? access_json_put(out, text, n) : buf_append(out, text, n);
}

static int put_time(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	uint64_t usec = (uint64_t)e->start.tv_nsec / 1000;
	time_t sec = e->start.tv_sec;

	if (op->moment == 1) {
		usec += e->duration_us;
		sec += (time_t)(usec / 1000000);
		usec %= 1000000;
	}
	switch (op->choice) {
	case TIME_SEC:
		return put_number(out, (uint64_t)sec);
	case TIME_MSEC:
		return put_number(out, (uint64_t)sec * 1000 + usec / 1000);
	case TIME_USEC:
		return put_number(out, (uint64_t)sec * 1000000 + usec);
	case TIME_MSEC_FRAC:
		return buf_printf(out, "%03" PRIu64, usec / 1000);
	case TIME_USEC_FRAC:
		return buf_printf(out, "%06" PRIu64, usec);
	case TIME_STRFTIME:
		return put_strftime(op, sec, out);
	default:
		return put_clf_time(op, sec, out);
	}
}

/* --- fields ------------------------------------------------------------------------------------------------------------ */

static bool prepare_field(struct access_op *op)
{
	for (size_t i = 0; i < op->arg_len; i++)
		op->arg[i] = http_lower(op->arg[i]);
	return true;
}

static int put_looked_up(const char *(*find)(void *arg, const char *name, size_t *len), const struct access_op *op,
	const struct access_event *e, struct buf *out)
{
	size_t len = 0;
	const char *s = find == NULL ? NULL : find(e->arg, op->arg, &len);

	return s == NULL ? put_none(op, out) : put_escaped(op, out, s, len);
}

static int put_request_field(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return put_looked_up(e->request_field, op, e, out);
}

static int put_response_field(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return put_looked_up(e->response_field, op, e, out);
}

static int put_env(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return put_looked_up(e->env, op, e, out);
}

static int put_tls(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return put_looked_up(e->tls, op, e, out);
}

static int put_note(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	return put_looked_up(e->note, op, e, out);
}

/* RFC 6265 4.2.1: "a=1; b=2". The first cookie of the name counts. */
static int put_cookie(const struct access_op *op, const struct access_event *e, struct buf *out)
{
	size_t len = 0;
	const char *s = e->request_field == NULL ? NULL : e->request_field(e->arg, "cookie", &len);

	while (s != NULL) {
		const char *end = len == 0 ? NULL : memchr(s, ';', len), *pair = s;
		size_t n = end == NULL ? len : (size_t)(end - s);
		s = end == NULL ? NULL : end + 1;
		len -= end == NULL ? n : n + 1;
		http_trim(&pair, &n);
		if (n > op->arg_len && pair[op->arg_len] == '=' && memcmp(pair, op->arg, op->arg_len) == 0)
			return put_escaped(op, out, pair + op->arg_len + 1, n - op->arg_len - 1);
	}
	return put_none(op, out);
}

/* --- the table --------------------------------------------------------------------------------------------------------- */

const struct access_item access_item_literal = {"", ACCESS_ARG_MAY, NULL, put_literal, false};

static const struct access_item items[] = {
	{"%", ACCESS_ARG_NONE, NULL, put_percent, false},
	{"a", ACCESS_ARG_MAY, prepare_client, put_client, false},
	{"A", ACCESS_ARG_NONE, NULL, put_local_ip, false},
	{"b", ACCESS_ARG_NONE, NULL, put_body_clf, true},
	{"B", ACCESS_ARG_NONE, NULL, put_body, true},
	{"C", ACCESS_ARG_NEEDED, NULL, put_cookie, false},
	{"D", ACCESS_ARG_NONE, NULL, put_duration_us, true},
	{"e", ACCESS_ARG_NEEDED, NULL, put_env, false},
	{"f", ACCESS_ARG_NONE, NULL, put_filename, false},
	{"h", ACCESS_ARG_MAY, prepare_client, put_client, false},
	{"H", ACCESS_ARG_NONE, NULL, put_protocol, false},
	{"i", ACCESS_ARG_NEEDED, prepare_field, put_request_field, false},
	{"I", ACCESS_ARG_NONE, NULL, put_in, true},
	{"k", ACCESS_ARG_NONE, NULL, put_keepalive, true},
	{"l", ACCESS_ARG_NONE, NULL, put_dash, false},
	{"L", ACCESS_ARG_MAY, NULL, put_dash, false},
	{"m", ACCESS_ARG_NONE, NULL, put_method, false},
	{"n", ACCESS_ARG_NEEDED, NULL, put_note, false},
	{"o", ACCESS_ARG_NEEDED, prepare_field, put_response_field, false},
	{"O", ACCESS_ARG_NONE, NULL, put_out, true},
	{"p", ACCESS_ARG_MAY, prepare_port, put_port, true},
	{"P", ACCESS_ARG_MAY, prepare_id, put_id, true},
	{"q", ACCESS_ARG_NONE, NULL, put_query, false},
	{"r", ACCESS_ARG_NONE, NULL, put_request_line, false},
	{"R", ACCESS_ARG_NONE, NULL, put_handler, false},
	{"s", ACCESS_ARG_NONE, NULL, put_status, true},
	{"S", ACCESS_ARG_NONE, NULL, put_both, true},
	{"t", ACCESS_ARG_MAY, prepare_time, put_time, false},
	{"T", ACCESS_ARG_MAY, prepare_duration, put_duration, true},
	{"u", ACCESS_ARG_NONE, NULL, put_user, false},
	{"U", ACCESS_ARG_NONE, NULL, put_path, false},
	{"v", ACCESS_ARG_NONE, NULL, put_server_name, false},
	{"V", ACCESS_ARG_NONE, NULL, put_host_asked, false},
	{"x", ACCESS_ARG_NEEDED, NULL, put_tls, false},
	{"X", ACCESS_ARG_NONE, NULL, put_connection, false},
	{"^FB", ACCESS_ARG_NONE, NULL, put_first_us, true},
	{"^ti", ACCESS_ARG_NEEDED, NULL, put_dash, false},
	{"^to", ACCESS_ARG_NEEDED, NULL, put_dash, false},
};

const struct access_item *access_item_find(const char **s)
{
	for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++) {
		size_t n = strlen(items[i].name);
		if (strncmp(*s, items[i].name, n) == 0) {
			*s += n;
			return &items[i];
		}
	}
	return NULL;
}
