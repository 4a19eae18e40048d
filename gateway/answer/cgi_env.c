/* SPDX-License-Identifier: Apache-2.0 */
#include "gateway/answer/cgi_env.h"

#include <stdio.h>
#include <string.h>

#define NAME_MAX_OCTETS 1024 /* longer field names never become variables */
#define JOIN_MAX 65536       /* octets of joined repeated fields */

/* State of one build: the first error ends it. */
struct env {
	cgi_env_put put;
	void *arg;
	int err;
};

static void put_n(struct env *e, const char *name, const char *value, size_t len)
{
	if (e->err == 0)
		e->err = e->put(e->arg, name, strlen(name), value, len);
}

static void put_s(struct env *e, const char *name, const char *value)
{
	if (value != NULL)
		put_n(e, name, value, strlen(value));
}

static void put_u(struct env *e, const char *name, unsigned long long value)
{
	char text[24];

	put_n(e, name, text, (size_t)snprintf(text, sizeof(text), "%llu", value));
}

/* Two strings as one value. */
static void put_join(struct env *e, const char *name, const char *a, const char *b)
{
	char text[8192];
	int n = snprintf(text, sizeof(text), "%s%s", a, b);

	if (n >= 0 && (size_t)n < sizeof(text))
		put_n(e, name, text, (size_t)n);
	else
		e->err = GW_ERR_RANGE;
}

static void put_request(struct env *e, const struct cgi_env_in *in)
{
	put_s(e, "GATEWAY_INTERFACE", "CGI/1.1");
	put_s(e, "SERVER_PROTOCOL", in->protocol);
	put_s(e, "SERVER_SOFTWARE", "Bulkhead/" PACKAGE_VERSION);
	put_s(e, "SERVER_SIGNATURE", "");
	put_s(e, "REQUEST_METHOD", in->method);
	put_s(e, "REQUEST_URI", in->request_uri);
	put_s(e, "QUERY_STRING", in->query != NULL ? in->query : "");
	put_s(e, "REQUEST_SCHEME", in->scheme);
	put_s(e, "HTTPS", in->tls ? "on" : NULL);
}

static void put_script(struct env *e, const struct cgi_env_in *in)
{
	put_s(e, "SCRIPT_NAME", in->script_name);
	put_s(e, "SCRIPT_FILENAME", in->filename);
	put_s(e, "DOCUMENT_ROOT", in->docroot);
	put_s(e, "CONTEXT_PREFIX", in->context_prefix);
	put_s(e, "CONTEXT_DOCUMENT_ROOT", in->root);
	if (in->path_info[0] != '\0') {
		put_s(e, "PATH_INFO", in->path_info);
		/* RFC 3875 4.1.6: what PATH_INFO would name as a URL path of its own. */
		put_join(e, "PATH_TRANSLATED", in->docroot, in->path_info);
	}
	put_join(e, "PHP_SELF", in->script_name, in->path_info);
}

static void put_hosts(struct env *e, const struct cgi_env_in *in)
{
	put_s(e, "SERVER_NAME", in->server_name);
	put_s(e, "SERVER_ADDR", in->server_addr);
	put_u(e, "SERVER_PORT", in->server_port);
	put_s(e, "SERVER_ADMIN", in->admin);
	put_s(e, "REMOTE_ADDR", in->remote_addr);
	put_u(e, "REMOTE_PORT", in->remote_port);
}

static void put_redirect(struct env *e, const struct cgi_env_in *in)
{
	put_u(e, "REDIRECT_STATUS", (unsigned long long)in->redirect_status);
	put_s(e, "REDIRECT_URL", in->redirect_url);
	put_s(e, "REDIRECT_QUERY_STRING", in->redirect_query);
	put_s(e, "REDIRECT_REQUEST_METHOD", in->redirect_method);
}

/*
 * Letters, digits and "-" only, as in Apache: "X_A" would pass for "X-A", and so would "X.A", since PHP makes the dot of a
 * variable's name an underscore.
 */
static bool plain_name(const struct req_field *f)
{
	for (size_t i = 0; i < f->name_len; i++) {
		char ch = f->name[i], lower = (char)(ch | 0x20);
		if (!((lower >= 'a' && lower <= 'z') || (ch >= '0' && ch <= '9') || ch == '-'))
			return false;
	}
	return true;
}

/* Fields that never become HTTP_ variables: ones with a meaning of their own, and ones that could forge a variable. */
static bool skipped(const struct req_field *f)
{
	static const char *const names[] = {"content-length", "content-type", "proxy", "transfer-encoding"};

	if (f->name_len > NAME_MAX_OCTETS || !plain_name(f))
		return true;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (req_field_is(f, names[i]))
			return true;
	return false;
}

/* Whether a name is the same but for letter case. */
static bool same_name(const struct req_field *a, const struct req_field *b)
{
	if (a->name_len != b->name_len)
		return false;
	for (size_t i = 0; i < a->name_len; i++) {
		char x = a->name[i], y = b->name[i];
		if (x >= 'A' && x <= 'Z')
			x = (char)(x | 0x20);
		if (y >= 'A' && y <= 'Z')
			y = (char)(y | 0x20);
		if (x != y)
			return false;
	}
	return true;
}

static size_t http_name(const struct req_field *f, char *out)
{
	memcpy(out, "HTTP_", 5);
	for (size_t i = 0; i < f->name_len; i++) {
		char ch = f->name[i];
		out[5 + i] = ch == '-' ? '_' : ch >= 'a' && ch <= 'z' ? (char)(ch & ~0x20) : ch;
	}
	return 5 + f->name_len;
}

static size_t find_next(const struct cgi_env_in *in, size_t at, size_t from)
{
	for (size_t i = from; i < in->fields->n; i++)
		if (same_name(&in->fields->list[at], &in->fields->list[i]))
			return i;
	return in->fields->n;
}

static bool seen_before(const struct cgi_env_in *in, size_t at)
{
	for (size_t i = 0; i < at; i++)
		if (same_name(&in->fields->list[at], &in->fields->list[i]))
			return true;
	return false;
}

static void put_joined(struct env *e, const struct cgi_env_in *in, size_t at, const char *name, size_t name_len)
{
	static _Thread_local char text[JOIN_MAX];
	const char *sep = req_field_is(&in->fields->list[at], "cookie") ? "; " : ", ";
	size_t len = 0;

	for (size_t i = at; i < in->fields->n; i = find_next(in, at, i + 1)) {
		const struct req_field *f = &in->fields->list[i];
		if (len + f->value_len + 2 > sizeof(text)) {
			e->err = GW_ERR_RANGE;
			return;
		}
		if (i != at) {
			memcpy(text + len, sep, 2);
			len += 2;
		}
		memcpy(text + len, f->value, f->value_len);
		len += f->value_len;
	}
	if (e->err == 0)
		e->err = e->put(e->arg, name, name_len, text, len);
}

static void put_fields(struct env *e, const struct cgi_env_in *in)
{
	char name[NAME_MAX_OCTETS + 8];

	for (size_t i = 0; i < in->fields->n && e->err == 0; i++) {
		const struct req_field *f = &in->fields->list[i];
		if (skipped(f) || req_field_is(f, "host") || seen_before(in, i))
			continue;
		size_t n = http_name(f, name);
		if (find_next(in, i, i + 1) < in->fields->n)
			put_joined(e, in, i, name, n);
		else
			e->err = e->put(e->arg, name, n, f->value, f->value_len);
	}
	put_s(e, "HTTP_HOST", in->authority);
}

static void put_content(struct env *e, const struct cgi_env_in *in)
{
	if (in->content_length < 0)
		return;
	put_u(e, "CONTENT_LENGTH", (unsigned long long)in->content_length);
	for (size_t i = 0; i < in->fields->n; i++) {
		const struct req_field *f = &in->fields->list[i];
		if (req_field_is(f, "content-type")) {
			put_n(e, "CONTENT_TYPE", f->value, f->value_len);
			return;
		}
	}
}

int cgi_env_build(const struct cgi_env_in *in, cgi_env_put put, void *arg)
{
	struct env e = {.put = put, .arg = arg, .err = 0};

	put_request(&e, in);
	put_script(&e, in);
	put_hosts(&e, in);
	put_content(&e, in);
	put_fields(&e, in);
	put_redirect(&e, in);
	return e.err;
}
