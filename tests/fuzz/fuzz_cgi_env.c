/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a client's head to a script's variables: no field makes a variable of another kind than HTTP_*, none twice, none
 * that stands for something else (httpoxy), and none with octets that a variable cannot have.
 */
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/answer/cgi_env.h"
#include "gateway/http/http1_parse.h"

#define VARS_MAX (HTTP1_FIELDS_MAX + 64)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct var {
	char *name;
	size_t len;
};

struct vars {
	struct var v[VARS_MAX];
	size_t n, of_fields;
};

static struct http1_request head;
static struct vars seen;

static void require(bool ok)
{
	if (!ok)
		abort();
}

static bool is(const struct var *v, const char *name)
{
	return v->len == strlen(name) && memcmp(v->name, name, v->len) == 0;
}

static int collect(void *arg, const char *name, size_t name_len, const char *value, size_t value_len)
{
	static const char *const never[] = {"HTTP_PROXY", "HTTP_CONTENT_LENGTH", "HTTP_CONTENT_TYPE", "HTTP_TRANSFER_ENCODING"};
	struct vars *vars = arg;
	struct var *v = &vars->v[vars->n];

	require(vars->n++ < VARS_MAX && name_len > 0);
	*v = (struct var){.name = malloc(name_len), .len = name_len};
	require(v->name != NULL);
	memcpy(v->name, name, name_len);
	for (size_t i = 0; i < name_len; i++)
		require((name[i] >= 'A' && name[i] <= 'Z') || (name[i] >= '0' && name[i] <= '9') || name[i] == '_');
	for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
		require(!is(v, never[i]));
	require(memchr(value, '\0', value_len) == NULL);
	vars->of_fields += name_len > 5 && memcmp(name, "HTTP_", 5) == 0;
	for (size_t i = 0; i + 1 < vars->n; i++)
		require(vars->v[i].len != name_len || memcmp(vars->v[i].name, name, name_len) != 0);
	return 0;
}

static const char *copy(struct arena *a, const char *in, const struct http1_str *s)
{
	char *text = arena_strndup(a, in + s->off, s->len);

	require(text != NULL);
	return text;
}

static void build(struct arena *a, const char *in)
{
	struct req_fields fields = {0};
	struct cgi_env_in e = {.protocol = "HTTP/1.1", .script_name = "/x.php", .path_info = "/rest", .filename = "/srv/x.php", .root = "/srv",
		.docroot = "/srv", .context_prefix = "", .admin = "a@b", .server_addr = "127.0.0.1", .remote_addr = "127.0.0.1", .server_port = 80,
		.remote_port = 1, .scheme = "http", .fields = &fields, .redirect_status = 200};

	require(req_fields_reserve(&fields, a, head.fields_n) == 0);
	for (size_t i = 0; i < head.fields_n; i++) {
		const struct http1_field *f = &head.fields[i];
		require(req_fields_add(&fields, a, &(struct req_field){.name = in + f->name.off, .name_len = f->name.len,
			.value = in + f->value.off, .value_len = f->value.len}) == 0);
	}
	e.method = copy(a, in, &head.method);
	e.request_uri = copy(a, in, &head.target);
	e.query = head.has_query ? copy(a, in, &head.query) : NULL;
	e.authority = head.host.len > 0 ? copy(a, in, &head.authority) : NULL;
	e.server_name = head.host.len > 0 ? copy(a, in, &head.host) : "main";
	e.content_length = head.content_length;
	seen.n = seen.of_fields = 0;
	int err = cgi_env_build(&e, collect, &seen);
	require(err == 0 || err == GW_ERR_RANGE);
	require(seen.of_fields <= head.fields_n + 1);
	for (size_t i = 0; i < seen.n; i++)
		free(seen.v[i].name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct http1_limits lim = {.line = 8190, .field = 8190, .fields = 100, .head = 65536};
	const char *in = (const char *)data, *why;
	struct arena a;

	http1_request_init(&head);
	if (http1_parse(&head, &lim, in, size, &why) <= 0)
		return 0;
	arena_init(&a);
	build(&a, in);
	arena_fini(&a);
	return 0;
}
