/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/conf_vars.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"

char conf_defined[] = "";
static char undefined[] = "";

void conf_vars_init(struct conf_vars *v, struct arena *a)
{
	v->a = a;
	conf_map_init(&v->defines, a);
	conf_map_init(&v->environ, a);
	conf_map_init(&v->modules, a);
}

int conf_vars_define(struct conf_vars *v, const char *name, const char *value)
{
	char *k = arena_strdup(v->a, name), *val = value == NULL ? conf_defined : arena_strdup(v->a, value);

	if (k == NULL || val == NULL)
		return GW_ERR_NOMEM;
	return conf_map_put(&v->defines, 0, k, strlen(k), val);
}

void conf_vars_undefine(struct conf_vars *v, const char *name)
{
	size_t n = strlen(name);

	/* The slot exists, so putting cannot fail: keys are borrowed and nothing grows. */
	for (size_t i = 0; i < v->defines.cap; i++) {
		struct conf_map_slot *s = &v->defines.slots[i];
		if (s->value != NULL && s->len == n && memcmp(s->key, name, n) == 0)
			s->value = undefined;
	}
}

bool conf_vars_defined(const struct conf_vars *v, const char *name)
{
	const void *val = conf_map_get(&v->defines, 0, name, strlen(name));

	return val != NULL && val != undefined;
}

const char *conf_vars_get(const struct conf_vars *v, const char *name)
{
	const char *val = conf_map_get(&v->defines, 0, name, strlen(name));

	if (val != NULL && val != undefined && val != conf_defined)
		return val;
	val = conf_map_get(&v->environ, 0, name, strlen(name));
	return val != NULL ? val : getenv(name);
}

static size_t name_len(const char *s)
{
	return strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

static int env_put_var(const struct conf_vars *v, const char **pos, struct buf *out)
{
	const char *s = *pos + 1, *val = NULL;
	bool brace = *s == '{';
	size_t n;
	char *name;

	s += brace;
	n = name_len(s);
	name = arena_strndup(v->a, s, n);
	if (name == NULL)
		return GW_ERR_NOMEM;
	if (n > 0)
		val = conf_map_get(&v->environ, 0, name, n);
	if (val == NULL && n > 0)
		val = getenv(name);
	s += n;
	if (brace) /* ${X:-y} and its kin: only the name counts here */
		s += strcspn(s, "}");
	*pos = brace && *s == '}' ? s + 1 : s;
	return val == NULL ? GW_OK : buf_puts(out, val);
}

/* The value of an assignment as a shell would see it, without command substitution: such a line is passed over. */
static int env_value(const struct conf_vars *v, const char *s, struct buf *out, bool *usable)
{
	char quote = '\0';
	int rc = GW_OK;

	*usable = true;
	while (rc == GW_OK && *s != '\0' && *s != '\n' && *s != '\r') {
		if (buf_unread(out) > CONF_VALUE_MAX) {
			*usable = false;
			return GW_OK;
		}
		if (quote == '\0' && (*s == ' ' || *s == '\t' || *s == ';'))
			break;
		if ((*s == '"' || *s == '\'') && (quote == '\0' || quote == *s)) {
			quote = quote == '\0' ? *s : '\0';
			s++;
		} else if (quote != '\'' && (*s == '`' || (*s == '$' && s[1] == '('))) {
			*usable = false;
			return GW_OK;
		} else if (quote != '\'' && *s == '$' && (s[1] == '{' || name_len(s + 1) > 0)) {
			rc = env_put_var(v, &s, out);
		} else {
			s += quote != '\'' && *s == '\\' && s[1] != '\0' && s[1] != '\n';
			rc = buf_append(out, s++, 1);
		}
	}
	return rc;
}

int conf_vars_read_envvars(struct conf_vars *v, const char *text)
{
	struct buf val;
	int rc = GW_OK;

	buf_init(&val);
	while (rc == GW_OK && *text != '\0') {
		const char *line = text + strspn(text, " \t"), *nl = strchr(text, '\n');
		bool usable;
		size_t n;
		char *k, *copy;

		text = nl == NULL ? text + strlen(text) : nl + 1;
		if (strncmp(line, "export", 6) == 0 && (line[6] == ' ' || line[6] == '\t'))
			line += 6 + strspn(line + 6, " \t");
		n = name_len(line);
		if (n == 0 || line[n] != '=')
			continue;
		buf_reset(&val);
		rc = env_value(v, line + n + 1, &val, &usable);
		if (rc != GW_OK || !usable)
			continue;
		k = arena_strndup(v->a, line, n);
		copy = arena_strndup(v->a, buf_unread(&val) == 0 ? "" : (const char *)buf_head(&val), buf_unread(&val));
		rc = k == NULL || copy == NULL ? GW_ERR_NOMEM : conf_map_put(&v->environ, 0, k, n, copy);
	}
	buf_fini(&val);
	return rc;
}

int conf_vars_expand(const struct conf_vars *v, const char *text, const char **out, const char **unknown)
{
	const char *s = text, *open;
	struct buf b;
	int rc = GW_OK;

	*unknown = NULL;
	*out = text;
	if (strstr(text, "${") == NULL)
		return GW_OK;
	buf_init(&b);
	while (rc == GW_OK && (open = strstr(s, "${")) != NULL) {
		const char *close = strchr(open, '}'), *val;
		char *name;
		if (close == NULL)
			break;
		name = arena_strndup(v->a, open + 2, (size_t)(close - open - 2));
		if (name == NULL) {
			rc = GW_ERR_NOMEM;
			break;
		}
		val = name[0] == '\0' ? NULL : conf_vars_get(v, name);
		if (val == NULL && name[0] != '\0' && *unknown == NULL)
			*unknown = name;
		rc = buf_append(&b, s, (size_t)((val == NULL ? close + 1 : open) - s));
		if (rc == GW_OK && val != NULL)
			rc = buf_unread(&b) + strlen(val) > CONF_VALUE_MAX ? GW_ERR_RANGE : buf_puts(&b, val);
		s = close + 1;
	}
	if (rc == GW_OK)
		rc = buf_puts(&b, s);
	if (rc == GW_OK) {
		*out = arena_strndup(v->a, buf_unread(&b) == 0 ? "" : (const char *)buf_head(&b), buf_unread(&b));
		rc = *out == NULL ? GW_ERR_NOMEM : GW_OK;
	}
	buf_fini(&b);
	return rc;
}

/* --- modules ------------------------------------------------------------------------------------------------------- */

/* STAND_UNLISTED: where LoadModule names it, and in files that name no module: these are not Apache's own, and do not leave it out. */
enum stand { STAND_IN, STAND_UNLISTED, STAND_MPM_DEFAULT, STAND_PHP, STAND_ABSENT };

/* What is not listed here is present when LoadModule names it. */
static const struct {
	const char *name;
	enum stand how;
	const char *why;
} module_table[] = {
	{"core", STAND_IN, NULL},
	{"so", STAND_IN, NULL},
	{"http", STAND_IN, NULL},
	{"unixd", STAND_IN, NULL},
	{"version", STAND_IN, NULL},
	{"log_config", STAND_IN, NULL},
	{"logio", STAND_IN, NULL},
	{"alias", STAND_IN, NULL},
	{"authz_core", STAND_IN, NULL},
	{"access_compat", STAND_IN, NULL},
	{"dir", STAND_IN, NULL},
	{"mime", STAND_IN, NULL},
	{"autoindex", STAND_IN, NULL},
	{"env", STAND_IN, NULL},
	{"setenvif", STAND_IN, NULL},
	{"headers", STAND_IN, NULL},
	{"expires", STAND_IN, NULL},
	{"filter", STAND_IN, NULL},
	{"deflate", STAND_IN, NULL},
	{"brotli", STAND_IN, NULL},
	{"xsendfile", STAND_IN, NULL},
	{"mpm_itk", STAND_IN, NULL}, /* who a site runs as is followed whichever module's words say it */
	{"suexec", STAND_IN, NULL},
	{"ruid2", STAND_IN, NULL},
	{"ssl", STAND_UNLISTED, NULL},
	{"remoteip", STAND_UNLISTED, NULL},
	{"reqtimeout", STAND_UNLISTED, NULL},
	{"proxy", STAND_UNLISTED, NULL},
	{"proxy_fcgi", STAND_UNLISTED, NULL},
	{"mpm_prefork", STAND_MPM_DEFAULT, NULL},
	{"php", STAND_PHP, NULL},
	{"cgi", STAND_ABSENT, "CGI programs are not run"},
	{"cgid", STAND_ABSENT, "CGI programs are not run"},
	{"fcgid", STAND_ABSENT, "it starts programs of its own; name a FastCGI server with <FastCGIPool> instead"},
	{"fastcgi", STAND_ABSENT, "it starts programs of its own; name a FastCGI server with <FastCGIPool> instead"},
	{"actions", STAND_ABSENT, "CGI programs are not run"},
	{"suphp", STAND_ABSENT, "a virtual host's user is named by AssignUserID"},
	{"perl", STAND_ABSENT, "Perl is not embedded"},
	{"python", STAND_ABSENT, "Python is not embedded"},
	{"wsgi", STAND_ABSENT, "Python is not embedded"},
	{"lua", STAND_ABSENT, "Lua is not embedded"},
	{"passenger", STAND_ABSENT, "Ruby is not embedded"},
	{"security2", STAND_ABSENT, "its rules cannot be followed"},
	{"evasive20", STAND_ABSENT, "its limits are not kept"},
	{"qos", STAND_ABSENT, "its limits are not kept"},
	{"gnutls", STAND_ABSENT, "TLS is configured with mod_ssl's words"},
	{"md", STAND_ABSENT, "certificates are not fetched; certbot or acme.sh put them where SSLCertificateFile says"},
	{"http2", STAND_IN, NULL},
	{"rewrite", STAND_ABSENT, "rewrite rules are not followed by this version"},
	{"userdir", STAND_ABSENT, "home directories are not served"},
	{"vhost_alias", STAND_ABSENT, "virtual hosts are listed one by one"},
	{"macro", STAND_ABSENT, "macros are not expanded by this version"},
	{"dav", STAND_ABSENT, "DAV is not spoken"},
	{"dav_fs", STAND_ABSENT, "DAV is not spoken"},
	{"dav_svn", STAND_ABSENT, "DAV is not spoken"},
	{"proxy_http", STAND_ABSENT, "only FastCGI servers are asked"},
	{"proxy_balancer", STAND_ABSENT, "members of a pool are listed in <FastCGIPool>"},
	{"include", STAND_ABSENT, "server-side includes are not processed"},
	{"speling", STAND_ABSENT, "names are taken as they are"},
	{"info", STAND_ABSENT, "bulkhead -S and -t say it"},
};

/* The stem of "mod_x.c" or "x_module"; false for anything else. */
static bool module_stem(const char *name, char *stem, size_t cap)
{
	size_t n = strlen(name), from = 0;

	if (n > 6 && strncmp(name, "mod_", 4) == 0 && strcmp(name + n - 2, ".c") == 0) {
		from = 4;
		n -= 6;
	} else if (n > 7 && strcmp(name + n - 7, "_module") == 0) {
		n -= 7;
	} else if (n > 2 && strcmp(name + n - 2, ".c") == 0) { /* prefork.c, core.c */
		n -= 2;
	} else {
		return false;
	}
	if (n >= cap)
		return false;
	memcpy(stem, name + from, n);
	stem[n] = '\0';
	/* mpm-itk's file is mpm_itk.c; Apache 2.2 called the MPMs' files prefork.c, worker.c, event.c. */
	if (strcmp(stem, "prefork") == 0 || strcmp(stem, "worker") == 0 || strcmp(stem, "event") == 0) {
		if (n + 5 > cap)
			return false;
		memmove(stem + 4, stem, n + 1);
		memcpy(stem, "mpm_", 4);
	}
	return true;
}

static bool loaded(const struct conf_vars *v, const char *stem)
{
	return conf_map_get(&v->modules, 0, stem, strlen(stem)) != NULL;
}

int conf_modules_load(struct conf_vars *v, const char *name)
{
	char stem[64], *k;

	if (!module_stem(name, stem, sizeof(stem)))
		return GW_OK;
	k = arena_strdup(v->a, stem);
	return k == NULL ? GW_ERR_NOMEM : conf_map_put(&v->modules, 0, k, strlen(k), k);
}

bool conf_modules_threaded(const struct conf_vars *v)
{
	return !loaded(v, "mpm_prefork") && (loaded(v, "mpm_worker") || loaded(v, "mpm_event"));
}

bool conf_modules_has(const struct conf_vars *v, const char *name)
{
	char stem[64];

	if (!module_stem(name, stem, sizeof(stem)))
		return false;
	for (size_t i = 0; i < sizeof(module_table) / sizeof(*module_table); i++) {
		if (strcmp(module_table[i].name, stem) != 0)
			continue;
		switch (module_table[i].how) {
		case STAND_IN:
			return true;
		case STAND_UNLISTED:
			return loaded(v, stem) || v->modules.n == 0;
		case STAND_MPM_DEFAULT:
			return loaded(v, stem) || (!loaded(v, "mpm_worker") && !loaded(v, "mpm_event"));
		case STAND_PHP:
			return loaded(v, stem) || !conf_modules_threaded(v);
		case STAND_ABSENT:
			return false;
		}
	}
	return loaded(v, stem);
}

const char *conf_modules_absent_why(const struct conf_vars *v, const char *name)
{
	char stem[64];

	if (!module_stem(name, stem, sizeof(stem)) || !loaded(v, stem))
		return NULL;
	for (size_t i = 0; i < sizeof(module_table) / sizeof(*module_table); i++) {
		if (module_table[i].how == STAND_ABSENT && strcmp(module_table[i].name, stem) == 0)
			return module_table[i].why;
	}
	return NULL;
}
