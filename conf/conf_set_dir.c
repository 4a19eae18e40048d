/* SPDX-License-Identifier: Apache-2.0 */
/* Setters of directory-level settings: handlers, types, index, errors, redirects, options. */
#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "conf/conf_build.h"

/* --- handlers and types ---------------------------------------------------------------------------------------------- */

/* Names under which distributions and panels register PHP: application/x-httpd-php82, x-httpd-ea-php82, php7-script ... */
static bool is_php_name(const char *name)
{
	const char *s = name;

	if (strncasecmp(s, "application/", 12) == 0)
		s += 12;
	if (strncasecmp(s, "x-httpd-", 8) == 0) {
		s += 8;
		if (strncasecmp(s, "ea-", 3) == 0 || strncasecmp(s, "alt-", 4) == 0)
			s = strchr(s, '-') + 1;
		if (strncasecmp(s, "php", 3) != 0)
			return false;
		s += 3;
		s += strspn(s, "0123456789.");
		return *s == '\0' || strcasecmp(s, "___lsphp") == 0;
	}
	if (s != name || strncasecmp(s, "php", 3) != 0)
		return false;
	s += 3;
	s += strspn(s, "0123456789.");
	return strcasecmp(s, "-script") == 0;
}

/* What a handler's name means here. A name that means nothing denies: the file may be something never to be shown. */
static bool find_handler(struct conf_build *b, const struct conf_node *n, int arg, struct conf_handler *out)
{
	const char *name = n->args[arg].text;

	*out = (struct conf_handler){.kind = CONF_HANDLER_DENY};
	if (strncasecmp(name, "proxy:", 6) == 0) {
		out->kind = CONF_HANDLER_POOL;
		out->pool = conf_build_proxy(b, n, arg, name);
		return out->pool != NULL;
	}
	if (is_php_name(name)) {
		out->kind = CONF_HANDLER_PHP;
		b->srv->php_handler = true;
	} else if (strcasecmp(name, "default-handler") == 0) {
		out->kind = CONF_HANDLER_DEFAULT;
	} else {
		conf_warn(b, n, arg, "%s: there is no handler %s: what it would answer is refused (403)", n->name.text, name);
	}
	return true;
}

void conf_set_handler(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_handler h = {.kind = CONF_HANDLER_DEFAULT};
	bool none = strcasecmp(n->args[0].text, "none") == 0;

	(void)d;
	if (!none && !find_handler(b, n, 0, &h))
		return;
	b->dir->set |= CONF_D_HANDLER;
	b->dir->has_handler = !none;
	b->dir->handler = h;
}

static void ext_add(struct conf_build *b, const struct conf_node *n, int arg, const struct conf_ext *what)
{
	const char *ext = conf_extension(b, n, arg);
	struct conf_ext *v;

	if (ext == NULL)
		return;
	v = conf_push(b->a, b->dir->exts, b->dir->exts_n, sizeof(*v));
	if (v == NULL) {
		b->oom = true;
		return;
	}
	b->dir->exts = v;
	v += b->dir->exts_n;
	*v = *what;
	/* PHP by extension is byte-wise, everything else ignores case. */
	v->ext = what->has_handler && what->handler.kind == CONF_HANDLER_PHP ? conf_dup(b, ext) : conf_lower(b->a, ext);
	if (v->ext == NULL)
		b->oom = true;
	else
		b->dir->exts_n++;
}

void conf_set_add_handler(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_ext e = {.has_handler = true};

	(void)d;
	if (!find_handler(b, n, 0, &e.handler))
		return;
	for (size_t i = 1; i < n->args_n; i++)
		ext_add(b, n, (int)i, &e);
}

static bool is_media_type(const char *s)
{
	const char *slash = strchr(s, '/');

	for (const char *p = s; *p != '\0'; p++) {
		if ((unsigned char)*p < 0x20 || (unsigned char)*p >= 0x7f)
			return false; /* it becomes a header field */
	}
	return slash != NULL && slash != s && slash[1] != '\0';
}

void conf_set_add_type(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *type = n->args[0].text;
	struct conf_ext e = {.type = type};

	(void)d;
	if (!is_media_type(type)) {
		conf_error(b, n, 0, "AddType: '%s' is not a media type like text/plain", type);
		return;
	}
	if (strncasecmp(type, "application/x-httpd-", 20) == 0) {
		e.type = NULL;
		e.has_handler = true;
		if (!find_handler(b, n, 0, &e.handler))
			return;
	}
	for (size_t i = 1; i < n->args_n; i++)
		ext_add(b, n, (int)i, &e);
}

/* RemoveHandler (d->lo is 1) and RemoveType: an entry without either ends the search for older ones (conf_handler_for). */
void conf_set_remove_ext(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_ext e = {.has_handler = false, .handler_only = d->lo != 0};

	for (size_t i = 0; i < n->args_n; i++)
		ext_add(b, n, (int)i, &e);
}

void conf_set_force_type(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *type = n->args[0].text;

	(void)d;
	if (strncasecmp(type, "application/x-httpd-", 20) == 0) {
		struct conf_handler h;
		if (!find_handler(b, n, 0, &h))
			return;
		b->dir->set |= CONF_D_HANDLER;
		b->dir->has_handler = true;
		b->dir->handler = h;
		return;
	}
	if (strcasecmp(type, "none") != 0 && !is_media_type(type)) {
		conf_error(b, n, 0, "ForceType: '%s' is not a media type like text/plain", type);
		return;
	}
	b->dir->set |= CONF_D_TYPE;
	b->dir->force_type = strcasecmp(type, "none") == 0 ? NULL : type;
}

void conf_set_charset(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *v = n->args[0].text;

	(void)d;
	for (const char *p = v; *p != '\0'; p++) {
		if (!isalnum((unsigned char)*p) && strchr("-_.:+", *p) == NULL) {
			conf_error(b, n, 0, "AddDefaultCharset: '%s' is not the name of a character set", v);
			return;
		}
	}
	b->dir->set |= CONF_D_CHARSET;
	b->dir->default_charset = strcasecmp(v, "off") == 0 ? NULL : strcasecmp(v, "on") == 0 ? "iso-8859-1" : v;
}

void conf_set_index(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_strs *list = &b->dir->index;

	(void)d;
	b->dir->set |= CONF_D_INDEX;
	if (n->args_n == 1 && strcasecmp(n->args[0].text, "disabled") == 0) {
		list->n = 0;
		list->v = NULL;
		return;
	}
	for (size_t i = 0; i < n->args_n; i++) {
		const char **slot = conf_append(b, list->v, list->n);
		if (slot != NULL)
			*slot = n->args[i].text;
	}
}

void conf_set_limit_body(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	int64_t v;
	const char *why = conf_value_int(n->args[0].text, 0, INT64_C(1) << 50, &v);

	(void)d;
	if (why != NULL) {
		conf_error(b, n, 0, "LimitRequestBody: '%s' %s; it is a number of octets, 0 for no limit", n->args[0].text, why);
		return;
	}
	b->dir->set |= CONF_D_LIMIT_BODY;
	b->dir->limit_body = v;
}

/* --- errors and redirects --------------------------------------------------------------------------------------------- */

static bool is_url(const char *s)
{
	size_t n = strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");

	return n > 0 && strncmp(s + n, "://", 3) == 0;
}

static bool header_safe(const char *s)
{
	for (; *s != '\0'; s++) {
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	}
	return true;
}

void conf_set_error_doc(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	const char *v = n->args[1].text;
	struct conf_error_doc *slot;
	int64_t status;
	const char *why = conf_value_int(n->args[0].text, 400, 599, &status);

	(void)d;
	if (why != NULL) {
		conf_error(b, n, 0, "ErrorDocument: the status '%s' %s; it goes from 400 to 599", n->args[0].text, why);
		return;
	}
	if (is_url(v) && (!header_safe(v) || status == 401)) {
		conf_error(b, n, 1, status == 401 ? "ErrorDocument: a 401 must not redirect to a URL" : "ErrorDocument: control octets in a URL");
		return;
	}
	slot = conf_push(b->a, b->dir->errdocs, b->dir->errdocs_n, sizeof(*slot));
	if (slot == NULL) {
		b->oom = true;
		return;
	}
	b->dir->errdocs = slot;
	slot += b->dir->errdocs_n++;
	slot->status = (int)status;
	slot->value = v;
	slot->kind = v[0] == '/' ? CONF_ERRDOC_PATH : is_url(v) ? CONF_ERRDOC_URL : CONF_ERRDOC_TEXT;
	if (slot->kind == CONF_ERRDOC_TEXT && strcasecmp(v, "default") == 0 && !n->args[1].quoted)
		slot->kind = CONF_ERRDOC_DEFAULT;
}

static bool redirect_status(const char *word, int *status)
{
	static const struct {
		const char *word;
		int status;
	} named[] = {{"permanent", 301}, {"temp", 302}, {"seeother", 303}, {"gone", 410}};
	int64_t v;

	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++) {
		if (strcasecmp(named[i].word, word) == 0) {
			*status = named[i].status;
			return true;
		}
	}
	if (conf_value_int(word, 300, 599, &v) != NULL)
		return false;
	*status = (int)v;
	return true;
}

/* Redirect [status] path [target]; d->lo is the fixed status of RedirectPermanent and RedirectTemp. */
void conf_set_redirect(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_redirect r = {.status = d->lo != 0 ? (int)d->lo : 302}, *slot;
	int at = 0, left;

	if (d->lo == 0 && n->args[0].text[0] != '/') {
		if (!redirect_status(n->args[0].text, &r.status)) {
			conf_error(b, n, 0, "Redirect: '%s' is neither a URL path (it begins with a slash) nor a status (permanent, temp, seeother, gone, or a number from 300 to 599)",
				   n->args[0].text);
			return;
		}
		at = 1;
	}
	left = (int)n->args_n - at;
	if (left < 1 || n->args[at].text[0] != '/') {
		conf_error(b, n, left < 1 ? -1 : at, "%s: the URL path must begin with a slash", n->name.text);
		return;
	}
	r.prefix = n->args[at].text;
	if ((r.status < 400) != (left == 2) || left > 2) {
		conf_error(b, n, left > 1 ? at + 1 : -1, r.status < 400 ? "%s: the target is missing" : "%s: this status takes no target",
			   n->name.text);
		return;
	}
	if (left == 2) {
		r.target = n->args[at + 1].text;
		if ((!is_url(r.target) && r.target[0] != '/') || !header_safe(r.target)) {
			conf_error(b, n, at + 1, "%s: the target must be a URL or begin with a slash", n->name.text);
			return;
		}
	}
	slot = conf_push(b->a, b->dir->redirects, b->dir->redirects_n, sizeof(*slot));
	if (slot == NULL) {
		b->oom = true;
		return;
	}
	b->dir->redirects = slot;
	slot[b->dir->redirects_n++] = r;
}

/* --- Options, AllowOverride --------------------------------------------------------------------------------------------- */

#define NO_CGI "CGI programs are not run"
#define NO_SSI "server-side includes are not processed"

static const struct conf_bit_word option_words[] = {
	{"Indexes", CONF_OPT_INDEXES, NULL}, {"FollowSymLinks", CONF_OPT_FOLLOW, NULL}, {"SymLinksIfOwnerMatch", CONF_OPT_OWNER_MATCH, NULL},
	{"MultiViews", CONF_OPT_MULTIVIEWS, "there is no negotiation of variants; for compressed ones see PrecompressedFiles"},
	{"ExecCGI", CONF_OPT_EXECCGI, NO_CGI}, {"Includes", CONF_OPT_INCLUDES, NO_SSI}, {"IncludesNOEXEC", CONF_OPT_INCLUDES, NO_SSI},
	 {"All", CONF_OPT_MASK & ~(unsigned)CONF_OPT_MULTIVIEWS, NULL}, {"None", 0, NULL}, {NULL, 0, NULL},
};

static const struct conf_bit_word override_words[] = {
	{"FileInfo", CONF_OV_FILEINFO, NULL}, {"AuthConfig", CONF_OV_AUTHCFG, NULL}, {"Limit", CONF_OV_LIMIT, NULL},
	{"Options", CONF_OV_OPTIONS, NULL}, {"Indexes", CONF_OV_INDEXES, NULL}, {"All", CONF_OV_ALL, NULL}, {"None", 0, NULL}, {NULL, 0, NULL},
};

void conf_set_options(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	struct conf_dir *dir = b->dir;
	unsigned plain = 0, add = 0, remove = 0;
	bool is_signed = n->args[0].text[0] == '+' || n->args[0].text[0] == '-';

	(void)d;
	for (size_t i = 0; i < n->args_n; i++) {
		const char *word = n->args[i].text;
		char sign = word[0] == '+' || word[0] == '-' ? word[0] : '\0';
		const struct conf_bit_word *w = conf_bit_word_find(b, n, (int)i, word + (sign != '\0'), option_words);
		if (w == NULL)
			return;
		if ((sign != '\0') != is_signed) {
			conf_error(b, n, (int)i, "Options: either all words have a + or - before them, or none has");
			return;
		}
		if (w->noeffect != NULL && sign != '-')
			conf_build_noeffect(b, n, w->word, w->noeffect);
		if (sign == '+') {
			add |= w->bits;
			remove &= ~w->bits;
		} else if (sign == '-') {
			remove |= w->bits;
			add &= ~w->bits;
		} else if (w->bits == 0) {
			plain = 0;
		} else {
			plain |= w->bits;
		}
	}
	if (!is_signed) {
		dir->set = (dir->set & ~(uint32_t)CONF_D_OPTIONS_REL) | CONF_D_OPTIONS;
		dir->options = plain;
	} else if ((dir->set & CONF_D_OPTIONS) != 0) {
		dir->options = (dir->options | add) & ~remove;
	} else {
		unsigned had_add = dir->options >> CONF_OPT_ADD_SHIFT & CONF_OPT_MASK;
		unsigned had_remove = dir->options >> CONF_OPT_REMOVE_SHIFT & CONF_OPT_MASK;
		dir->set |= CONF_D_OPTIONS_REL;
		dir->options = ((had_add & ~remove) | add) << CONF_OPT_ADD_SHIFT | ((had_remove & ~add) | remove) << CONF_OPT_REMOVE_SHIFT;
	}
}

void conf_set_override(struct conf_build *b, const struct conf_node *n, const struct conf_directive *d)
{
	unsigned bits = 0;

	(void)d;
	if (b->section != NULL && b->section->re != NULL)
		conf_warn(b, n, -1, "AllowOverride works only in <Directory> without a regular expression");
	for (size_t i = 0; i < n->args_n; i++) {
		const char *word = n->args[i].text;
		const struct conf_bit_word *w;
		if (strncasecmp(word, "Nonfatal=", 9) == 0) {
			conf_build_noeffect(b, n, "AllowOverride Nonfatal=", "per-directory files are not read by this version");
			continue;
		}
		if (strncasecmp(word, "Options=", 8) == 0)
			word = "Options";
		w = conf_bit_word_find(b, n, (int)i, word, override_words);
		if (w == NULL)
			return;
		bits |= w->bits;
	}
	b->dir->set |= CONF_D_OVERRIDE;
	b->dir->override = bits;
	if (bits != 0)
		conf_build_noeffect(b, n, "AllowOverride", "per-directory files are not read by this version: rules in them do not hold");
}
