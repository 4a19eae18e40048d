/* SPDX-License-Identifier: Apache-2.0 */
#include "sandbox/spec.h"

#include <inttypes.h>
#include <limits.h>
#include <string.h>

#include "sandbox/sb_layer.h"

#define GROUPS_MAX 65536 /* the kernel's NGROUPS_MAX */

enum field_kind { FIELD_TEXT, FIELD_PATH, FIELD_NAME, FIELD_BOOL, FIELD_ID, FIELD_COUNT, FIELD_LIMIT, FIELD_NOTE, FIELD_LAYERS };

/* Single settings, in the order they are written; groups and ini entries repeat and are handled beside this table. */
static const struct field {
	const char *key;
	enum field_kind kind;
	size_t offset;
	bool required;
} fields[] = {
	{"site", FIELD_TEXT, offsetof(struct spec, site), true},
	{"docroot", FIELD_PATH, offsetof(struct spec, docroot), true},
	{"user", FIELD_TEXT, offsetof(struct spec, user), true},
	{"drop", FIELD_BOOL, offsetof(struct spec, drop), true},
	{"uid", FIELD_ID, offsetof(struct spec, uid), true},
	{"gid", FIELD_ID, offsetof(struct spec, gid), true},
	{"profile", FIELD_NAME, offsetof(struct spec, profile), true},
	{"isolation", FIELD_NAME, offsetof(struct spec, isolation), true},
	{"max_requests", FIELD_COUNT, offsetof(struct spec, max_requests), true},
	{"mail_timeout_ms", FIELD_COUNT, offsetof(struct spec, mail_timeout_ms), false},
	{"limit_nofile", FIELD_LIMIT, offsetof(struct spec, limit_nofile), true},
	{"layers", FIELD_LAYERS, offsetof(struct spec, layers), false},
	{"filter_off", FIELD_BOOL, offsetof(struct spec, filter_off), false},
	{"off", FIELD_NOTE, offsetof(struct spec, off), false},
	{"network", FIELD_NOTE, offsetof(struct spec, network), false},
	{"tmp_size", FIELD_LIMIT, offsetof(struct spec, tmp_size), false},
	{"parent", FIELD_BOOL, offsetof(struct spec, parent), false},
	{"connect_any", FIELD_BOOL, offsetof(struct spec, connect.any), false},
	{"bind_any", FIELD_BOOL, offsetof(struct spec, bind.any), false},
};
#define FIELDS_N (sizeof(fields) / sizeof(fields[0]))

_Static_assert(sizeof(uid_t) == 4 && sizeof(gid_t) == 4, "FIELD_ID is 32 bits wide");

/* --- encoding --------------------------------------------------------------------------------------------------- */

static int put_escaped(struct buf *out, const char *s)
{
	for (;;) {
		size_t plain = strcspn(s, "\\\n\t");
		if (buf_append(out, s, plain) != 0)
			return GW_ERR_NOMEM;
		s += plain;
		if (*s == '\0')
			return 0;
		const char *esc = *s == '\\' ? "\\\\" : *s == '\n' ? "\\n" : "\\t";
		if (buf_append(out, esc, 2) != 0)
			return GW_ERR_NOMEM;
		s++;
	}
}

static int put_field(const struct spec *s, const struct field *f, struct buf *out)
{
	const char *at = (const char *)s + f->offset;
	uint32_t id;
	int64_t limit;
	unsigned count;
	const char *text;
	char words[128];

	switch (f->kind) {
	case FIELD_BOOL:
		return buf_puts(out, *(const bool *)at ? "1" : "0");
	case FIELD_ID:
		memcpy(&id, at, sizeof(id));
		return buf_printf(out, "%" PRIu32, id);
	case FIELD_COUNT:
		memcpy(&count, at, sizeof(count));
		return buf_printf(out, "%u", count);
	case FIELD_LIMIT:
		memcpy(&limit, at, sizeof(limit));
		return buf_printf(out, "%" PRId64, limit);
	case FIELD_LAYERS:
		memcpy(&count, at, sizeof(count));
		sb_layers_text(count, words, sizeof(words));
		return buf_puts(out, words);
	case FIELD_TEXT:
	case FIELD_PATH:
	case FIELD_NAME:
	case FIELD_NOTE:
		memcpy(&text, at, sizeof(text));
		return put_escaped(out, text == NULL ? "" : text);
	}
	return GW_ERR_RANGE;
}

static int put_calls(struct buf *out, const char *key, const char *const *calls, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (buf_printf(out, "%s\t%s\n", key, calls[i]) != 0)
			return GW_ERR_NOMEM;
	return 0;
}

static const char *const path_keys[] = {[SPEC_PATH_RO] = "path_ro", [SPEC_PATH_RW] = "path_rw",
	[SPEC_PATH_AUTO_RO] = "auto_ro", [SPEC_PATH_AUTO_RW] = "auto_rw", [SPEC_PATH_AUTO_LIB] = "auto_lib"};
#define PATH_KEYS (sizeof(path_keys) / sizeof(path_keys[0]))

static int put_ports(const struct spec_ports *p, const char *key, struct buf *out)
{
	for (size_t i = 0; i < p->n; i++)
		if (buf_printf(out, "%s\t%u\n", key, p->v[i]) != 0)
			return GW_ERR_NOMEM;
	return 0;
}

/* Paths and ports, which repeat. */
static int put_view(const struct spec *s, struct buf *out)
{
	for (size_t i = 0; i < s->paths_n; i++)
		if (buf_printf(out, "%s\t", path_keys[s->paths[i].kind]) != 0 || put_escaped(out, s->paths[i].path) != 0 ||
		    buf_append(out, "\n", 1) != 0)
			return GW_ERR_NOMEM;
	int err = put_ports(&s->connect, "connect", out);
	return err != 0 ? err : put_ports(&s->bind, "bind", out);
}

static int encode_all(const struct spec *s, struct buf *out)
{
	for (size_t i = 0; i < FIELDS_N; i++)
		if (buf_puts(out, fields[i].key) != 0 || buf_append(out, "\t", 1) != 0 ||
		    put_field(s, &fields[i], out) != 0 || buf_append(out, "\n", 1) != 0)
			return GW_ERR_NOMEM;
	for (size_t i = 0; i < s->groups_n; i++)
		if (buf_printf(out, "group\t%" PRIu32 "\n", (uint32_t)s->groups[i]) != 0)
			return GW_ERR_NOMEM;
	if (put_calls(out, "allow", s->calls.allow, s->calls.allow_n) != 0 || put_calls(out, "deny", s->calls.deny, s->calls.deny_n) != 0)
		return GW_ERR_NOMEM;
	for (size_t i = 0; i < s->trees_n; i++)
		if (buf_puts(out, "tree\t") != 0 || put_escaped(out, s->trees[i]) != 0 || buf_append(out, "\n", 1) != 0)
			return GW_ERR_NOMEM;
	if (s->cells_cgroup != NULL &&
	    (buf_puts(out, "cells_cgroup\t") != 0 || put_escaped(out, s->cells_cgroup) != 0 || buf_append(out, "\n", 1) != 0))
		return GW_ERR_NOMEM;
	for (size_t i = 0; i < s->ini_n; i++)
		if (buf_puts(out, s->ini[i].admin ? "admin_ini\t" : "ini\t") != 0 ||
		    put_escaped(out, s->ini[i].name) != 0 || buf_append(out, "=", 1) != 0 ||
		    put_escaped(out, s->ini[i].value) != 0 || buf_append(out, "\n", 1) != 0)
			return GW_ERR_NOMEM;
	return put_view(s, out);
}

int spec_encode(const struct spec *s, struct buf *out)
{
	size_t before = buf_unread(out);
	int err = encode_all(s, out);

	if (err == 0 && buf_unread(out) - before > SPEC_MAX)
		err = GW_ERR_RANGE;
	return err;
}

/* --- decoding --------------------------------------------------------------------------------------------------- */

struct decoding {
	struct arena *a;
	struct spec *s;
	gid_t *groups;
	const char **trees;
	struct spec_ini *ini;
	const char **calls; /* allowed from the front, denied from the end */
	size_t groups_max, trees_max, ini_max, allow_max, deny_max, paths_max, connect_max, bind_max;
	struct spec_path *paths;
	uint16_t *connect, *bind;
	uint32_t seen; /* bit i: fields[i] came */
	const char *why;
};

_Static_assert(FIELDS_N <= 32, "seen is a 32-bit set");

static int refuse(struct decoding *d, const char *why)
{
	d->why = why;
	return GW_ERR_PROTO;
}

/* The value at @in without its escapes, as a C string of the arena. */
static int unescape(struct decoding *d, const char *in, size_t len, char **out)
{
	char *text = arena_strndup(d->a, in, len);
	if (text == NULL)
		return GW_ERR_NOMEM;
	size_t n = 0;
	for (size_t i = 0; i < len; i++) {
		char c = in[i];
		if (c == '\0' || c == '\t')
			return refuse(d, "a value holds a NUL or a bare tab");
		if (c == '\\') {
			if (++i == len)
				return refuse(d, "a value ends inside an escape");
			if (in[i] == 'n')
				c = '\n';
			else if (in[i] == 't')
				c = '\t';
			else if (in[i] != '\\')
				return refuse(d, "a value holds an unknown escape");
		}
		text[n++] = c;
	}
	text[n] = '\0';
	*out = text;
	return 0;
}

/* Decimal without sign or leading zero, at most @max. */
static bool get_number(const char *s, uint64_t max, uint64_t *out)
{
	uint64_t v = 0;

	if (s[0] == '\0' || (s[0] == '0' && s[1] != '\0'))
		return false;
	for (; *s != '\0'; s++) {
		if (*s < '0' || *s > '9')
			return false;
		uint64_t digit = (uint64_t)(*s - '0');
		if (digit > max || v > (max - digit) / 10)
			return false;
		v = v * 10 + digit;
	}
	*out = v;
	return true;
}

static bool is_name(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_-");

	return n > 0 && n <= 32 && s[n] == '\0';
}

static int set_number(struct decoding *d, const struct field *f, const char *text)
{
	char *at = (char *)d->s + f->offset;
	uint64_t v = 0;
	bool minus_one = f->kind == FIELD_LIMIT && strcmp(text, "-1") == 0;
	/* (uid_t)-1 means "leave as it is" to the kernel: never an id. */
	uint64_t max = f->kind == FIELD_ID ? UINT32_MAX - 1 : f->kind == FIELD_COUNT ? UINT_MAX
		     : f->kind == FIELD_BOOL ? 1 : INT64_MAX;

	if (!minus_one && !get_number(text, max, &v))
		return refuse(d, "a number is malformed or out of range");
	if (f->kind == FIELD_BOOL) {
		*(bool *)at = v == 1;
	} else if (f->kind == FIELD_LIMIT) {
		int64_t limit = minus_one ? -1 : (int64_t)v;
		memcpy(at, &limit, sizeof(limit));
	} else {
		uint32_t id = (uint32_t)v;
		memcpy(at, &id, sizeof(id));
	}
	return 0;
}

static int set_field(struct decoding *d, const struct field *f, const char *text)
{
	switch (f->kind) {
	case FIELD_BOOL:
	case FIELD_ID:
	case FIELD_COUNT:
	case FIELD_LIMIT:
		return set_number(d, f, text);
	case FIELD_LAYERS:
		if (!sb_layers_parse(text, (unsigned *)(uintptr_t)((char *)d->s + f->offset)))
			return refuse(d, "a layer is unknown or named twice");
		return 0;
	case FIELD_NOTE:
		break;
	case FIELD_NAME:
		if (!is_name(text))
			return refuse(d, "profile or isolation is not a name");
		break;
	case FIELD_PATH:
		if (text[0] != '/')
			return refuse(d, "docroot is not an absolute path");
		break;
	case FIELD_TEXT:
		if (text[0] == '\0')
			return refuse(d, "site or user is empty");
		break;
	}
	memcpy((char *)d->s + f->offset, &text, sizeof(text));
	return 0;
}

static int add_group(struct decoding *d, const char *text)
{
	uint64_t v;

	if (d->s->groups_n == d->groups_max || !get_number(text, UINT32_MAX - 1, &v))
		return refuse(d, "a group is malformed or out of range");
	d->groups[d->s->groups_n++] = (gid_t)v;
	return 0;
}

static int add_tree(struct decoding *d, const char *text)
{
	if (d->s->trees_n == d->trees_max || text[0] != '/')
		return refuse(d, "a tree is not an absolute path");
	d->trees[d->s->trees_n++] = text;
	return 0;
}

static int set_cells_cgroup(struct decoding *d, const char *text)
{
	if (d->s->cells_cgroup != NULL || text[0] != '/')
		return refuse(d, "the cells' cgroup comes twice, or is not an absolute path");
	d->s->cells_cgroup = text;
	return 0;
}

static int add_ini(struct decoding *d, char *text, bool admin)
{
	char *equals = strchr(text, '=');

	if (d->s->ini_n == d->ini_max || equals == NULL || equals == text)
		return refuse(d, "an ini setting is not name=value");
	*equals = '\0';
	d->ini[d->s->ini_n++] = (struct spec_ini){.name = text, .value = equals + 1, .admin = admin};
	return 0;
}

static int add_call(struct decoding *d, const char *text, bool allow)
{
	struct sb_changes *c = &d->s->calls;

	if ((allow ? c->allow_n == d->allow_max : c->deny_n == d->deny_max) || !is_name(text))
		return refuse(d, "a system call is not a name");
	if (allow)
		d->calls[c->allow_n++] = text;
	else
		d->calls[d->allow_max + c->deny_n++] = text;
	return 0;
}

static int add_path(struct decoding *d, const char *text, enum spec_path_kind kind)
{
	if (d->s->paths_n == d->paths_max || text[0] != '/')
		return refuse(d, "a path is not absolute");
	d->paths[d->s->paths_n++] = (struct spec_path){.path = text, .kind = kind};
	return 0;
}

static int add_port(struct decoding *d, struct spec_ports *p, uint16_t *v, size_t max, const char *text)
{
	uint64_t port;

	if (p->n == max || !get_number(text, UINT16_MAX, &port))
		return refuse(d, "a port is malformed or out of range");
	v[p->n++] = (uint16_t)port;
	return 0;
}

static bool key_is(const char *key, size_t len, const char *name)
{
	return strlen(name) == len && memcmp(key, name, len) == 0;
}

static int decode_line(struct decoding *d, const char *line, size_t len)
{
	const char *tab = memchr(line, '\t', len);
	if (tab == NULL)
		return refuse(d, "a line has no tab");
	size_t key_len = (size_t)(tab - line);
	char *text;
	int err = unescape(d, tab + 1, len - key_len - 1, &text);
	if (err != 0)
		return err;
	if (key_is(line, key_len, "group"))
		return add_group(d, text);
	if (key_is(line, key_len, "tree"))
		return add_tree(d, text);
	if (key_is(line, key_len, "cells_cgroup"))
		return set_cells_cgroup(d, text);
	if (key_is(line, key_len, "ini"))
		return add_ini(d, text, false);
	if (key_is(line, key_len, "admin_ini"))
		return add_ini(d, text, true);
	if (key_is(line, key_len, "allow"))
		return add_call(d, text, true);
	if (key_is(line, key_len, "deny"))
		return add_call(d, text, false);
	if (key_is(line, key_len, "connect"))
		return add_port(d, &d->s->connect, d->connect, d->connect_max, text);
	if (key_is(line, key_len, "bind"))
		return add_port(d, &d->s->bind, d->bind, d->bind_max, text);
	for (size_t i = 0; i < PATH_KEYS; i++)
		if (key_is(line, key_len, path_keys[i]))
			return add_path(d, text, (enum spec_path_kind)i);
	for (size_t i = 0; i < FIELDS_N; i++) {
		if (!key_is(line, key_len, fields[i].key))
			continue;
		if ((d->seen & 1U << i) != 0)
			return refuse(d, "a setting came twice");
		d->seen |= 1U << i;
		return set_field(d, &fields[i], text);
	}
	return refuse(d, "unknown setting");
}

/* How many lines of @in start with @key: the exact size of an array, before anything is stored. */
static size_t count_lines(const char *in, size_t len, const char *key)
{
	size_t n = 0, key_len = strlen(key);

	for (const char *line = in, *end = in + len; line < end;) {
		const char *nl = memchr(line, '\n', (size_t)(end - line));
		if (nl == NULL)
			break;
		n += (size_t)(nl - line) >= key_len && memcmp(line, key, key_len) == 0;
		line = nl + 1;
	}
	return n;
}

static bool network_fits(const struct spec *s)
{
	const char *name = s->network == NULL || s->network[0] == '\0' ? "host" : s->network;
	bool own = strcmp(name, "none") == 0 || strcmp(name, "loopback") == 0;

	return own == ((s->layers & SB_LAYER_NET) != 0) && (own || strcmp(name, "host") == 0);
}

int spec_level_find(const char *name)
{
	static const char *const names[] = {[SPEC_FRESH] = "fresh", [SPEC_ROLLBACK] = "rollback", [SPEC_SHARED] = "shared"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], name) == 0)
			return (int)i;
	return -1;
}

static int check_spec(struct decoding *d)
{
	for (size_t i = 0; i < FIELDS_N; i++)
		if (fields[i].required && (d->seen & 1U << i) == 0)
			return refuse(d, "a required setting is missing");
	if (spec_level_find(d->s->isolation) == -1)
		return refuse(d, "isolation is neither fresh nor rollback nor shared");
	if (!network_fits(d->s))
		return refuse(d, "the network is unknown or does not fit the layers");
	if (d->s->tmp_size < 0)
		return refuse(d, "the size of /tmp is negative");
	/* A site that would run as root is a mistake somewhere above: refuse it here, where it would happen. */
	if (d->s->drop && (d->s->uid == 0 || d->s->gid == 0))
		return refuse(d, "the site's user or group is root");
	return 0;
}

int spec_decode(const char *in, size_t len, struct arena *a, struct spec *s, const char **why)
{
	struct decoding d = {.a = a, .s = s, .why = "too long or unfinished"};
	int err = GW_ERR_PROTO;

	memset(s, 0, sizeof(*s));
	*why = d.why;
	if (len == 0 || len > SPEC_MAX || in[len - 1] != '\n')
		return GW_ERR_PROTO;
	d.groups_max = count_lines(in, len, "group\t");
	d.trees_max = count_lines(in, len, "tree\t");
	d.ini_max = count_lines(in, len, "ini\t") + count_lines(in, len, "admin_ini\t");
	for (size_t i = 0; i < PATH_KEYS; i++)
		d.paths_max += count_lines(in, len, path_keys[i]); /* no key begins with another */
	d.connect_max = count_lines(in, len, "connect\t");
	d.bind_max = count_lines(in, len, "bind\t");
	if (d.groups_max > GROUPS_MAX)
		return GW_ERR_PROTO;
	d.paths = arena_calloc(a, d.paths_max + 1, sizeof(*d.paths));
	d.connect = arena_calloc(a, d.connect_max + 1, sizeof(*d.connect));
	d.bind = arena_calloc(a, d.bind_max + 1, sizeof(*d.bind));
	d.groups = arena_calloc(a, d.groups_max + 1, sizeof(*d.groups));
	d.ini = arena_calloc(a, d.ini_max + 1, sizeof(*d.ini));
	d.allow_max = count_lines(in, len, "allow\t");
	d.deny_max = count_lines(in, len, "deny\t");
	d.calls = arena_calloc(a, d.allow_max + d.deny_max + 1, sizeof(*d.calls));
	d.trees = arena_calloc(a, d.trees_max + 1, sizeof(*d.trees));
	if (d.groups == NULL || d.ini == NULL || d.calls == NULL || d.trees == NULL ||
	    d.paths == NULL || d.connect == NULL || d.bind == NULL)
		return GW_ERR_NOMEM;
	s->paths = d.paths;
	s->connect.v = d.connect;
	s->bind.v = d.bind;
	s->groups = d.groups;
	s->ini = d.ini;
	s->trees = d.trees;

	for (const char *line = in, *end = in + len; line < end;) {
		const char *nl = memchr(line, '\n', (size_t)(end - line));
		err = decode_line(&d, line, (size_t)(nl - line));
		if (err != 0)
			break;
		line = nl + 1;
	}
	s->calls.allow = d.calls;
	s->calls.deny = d.calls + d.allow_max;
	if (err == 0)
		err = check_spec(&d);
	*why = d.why;
	return err;
}
